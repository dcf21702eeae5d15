package mailer

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/wneessen/go-mail/smtp"
)

func TestSend(t *testing.T) {
	t.Parallel()
	s := new(sink).start(t)
	m := setup(t, s, func(c *Config) {
		c.SMTP.LogSends = true
		c.SMTP.Headers = map[string][]string{
			"X-Type":   {"type=$messageType", "second"},
			"Reply-To": {"help@app.example"},
			"Subject":  {"not this one"},
			"Bad Name": {"x"},
		}
	})
	require.NoError(t, m.Send(t.Context(), confirmation()))

	l := s.only(t)
	require.Equal(t, "auth.app.example", l.helo)
	require.Contains(t, l.from, "<admin@app.example>")
	require.Contains(t, l.to, "ada@user.example")
	header, subject, body := read(t, l)
	require.Equal(t, "Confirm your email address", subject)
	require.Equal(t, `"The App" <admin@app.example>`, header.Get("From"))
	require.Equal(t, "ada@user.example", header.Get("To"))
	require.Equal(t, "text/html; charset=UTF-8", header.Get("Content-Type"))
	require.Equal(t, "type=confirmation, second", header.Get("X-Type"))
	require.Equal(t, "help@app.example", header.Get("Reply-To"))
	require.Len(t, header["Subject"], 1)
	require.Regexp(t, `^<[0-9a-f-]{36}@auth\.app\.example>$`, header.Get("Message-Id"))
	date, err := header.Date()
	require.NoError(t, err)
	require.True(t, date.Equal(m.clock.time()))
	require.Contains(t, body, `href="https://auth.app.example/verify?token=abc&amp;type=signup&amp;redirect_to=https://app.example"`)
	require.NotContains(t, body, "123456", "the code stays out of mails with a link")
	require.True(t, s.said("QUIT"))

	require.Contains(t, m.logs.String(), "mail.send mail_type=confirmation sent=true")
	require.NotContains(t, m.logs.String(), "ada@")
	require.Contains(t, m.logs.String(), `header="Bad Name"`)
}

func TestSendWithoutHostDropsMail(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	require.NoError(t, m.Send(t.Context(), confirmation()))
	require.ErrorIs(t, m.Send(t.Context(), Message{Kind: Confirmation}), ErrSend, "no recipient")
	require.ErrorIs(t, m.Send(t.Context(), Message{Kind: "circular", To: "a@b.example"}), ErrSend)
}

func TestEncryptionAndAuthentication(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		sink       sink
		user, pass string
		untrusted  bool
		encrypted  bool
		wantUser   string
		fails      string
	}{
		{name: "plain", sink: sink{}},
		{name: "STARTTLS when offered", sink: sink{startTLS: true}, encrypted: true},
		{name: "STARTTLS with a foreign certificate", sink: sink{startTLS: true}, untrusted: true, fails: "connect: "},
		{name: "PLAIN over TLS", sink: sink{startTLS: true, auth: "LOGIN PLAIN"}, user: "me", pass: "right", encrypted: true, wantUser: "me"},
		{name: "LOGIN over TLS", sink: sink{startTLS: true, auth: "LOGIN"}, user: "me", pass: "right", encrypted: true, wantUser: "me"},
		{name: "PLAIN on this machine", sink: sink{auth: "PLAIN"}, user: "me", pass: "right", wantUser: "me"},
		{name: "nobody configured", sink: sink{startTLS: true, auth: "PLAIN"}, encrypted: true},
		{name: "not offered", sink: sink{}, user: "me", pass: "right"},
		{name: "wrong password", sink: sink{startTLS: true, auth: "PLAIN"}, user: "me@corp.example", pass: "wrong", fails: "authenticate: SMTP status 535"},
		{name: "unknown mechanism", sink: sink{startTLS: true, auth: "KERBEROS_V4"}, user: "me", fails: "authenticate: the server offers no known mechanism"},
	}
	for i := range tests {
		tt := &tests[i]
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := tt.sink.start(t)
			m := setup(t, s, func(c *Config) {
				c.SMTP.User, c.SMTP.Pass = tt.user, tt.pass
				if tt.untrusted {
					c.SMTP.RootCAs = nil
				}
			})
			err := m.Send(t.Context(), confirmation())
			if tt.fails != "" {
				require.ErrorIs(t, err, ErrSend)
				require.ErrorContains(t, err, tt.fails)
				require.NotContains(t, err.Error(), "me@corp.example")
				s.none(t)
				return
			}
			require.NoError(t, err)
			l := s.only(t)
			require.Equal(t, tt.encrypted, l.encrypted)
			require.Equal(t, tt.wantUser, l.user)
		})
	}
}

// Elsewhere a password is not shown to a server that has no TLS.
func TestPasswordStaysSecretWithoutTLS(t *testing.T) {
	t.Parallel()
	m := setup(t, nil, func(c *Config) {
		c.SMTP = SMTP{Host: "mail.example", User: "me", Pass: "right"}
	})
	require.Nil(t, m.mechanism([]string{"GSSAPI"}, true))
	for _, name := range []string{"PLAIN", "LOGIN"} {
		auth := m.mechanism([]string{name}, false)
		_, _, err := auth.Start(&smtp.ServerInfo{Name: "mail.example"})
		require.Error(t, err, name)
		_, _, err = auth.Start(&smtp.ServerInfo{Name: "mail.example", TLS: true})
		require.NoError(t, err, name)
	}
	// With a choice, one that does not show it comes first.
	name, _, err := m.mechanism([]string{"PLAIN", "CRAM-MD5"}, false).Start(&smtp.ServerInfo{Name: "mail.example"})
	require.NoError(t, err)
	require.Equal(t, "CRAM-MD5", name)
}

// The address of the sink cannot be port 465, so the port is only pretended:
// dialling goes where the listener is.
func TestImplicitTLS(t *testing.T) {
	t.Parallel()
	s := (&sink{implicit: true, auth: "PLAIN"}).start(t)
	m := setup(t, s, func(c *Config) { c.SMTP.User, c.SMTP.Pass = "me", "right" })
	m.implicitTLS = true
	require.NoError(t, m.Send(t.Context(), confirmation()))
	l := s.only(t)
	require.True(t, l.encrypted)
	require.Equal(t, "me", l.user)

	require.True(t, setup(t, s, func(c *Config) { c.SMTP.Port = 465 }).implicitTLS)
	require.False(t, setup(t, s, func(c *Config) { c.SMTP.Port = 587 }).implicitTLS)
}

func TestErrorsNameNobody(t *testing.T) {
	t.Parallel()
	s := (&sink{faults: map[string][]string{"RCPT": {"550 5.1.1 <ada@user.example> unknown"}}}).start(t)
	m := setup(t, s, func(c *Config) { c.SMTP.LogSends = true })
	err := m.Send(t.Context(), confirmation())
	require.ErrorIs(t, err, ErrSend)
	require.ErrorContains(t, err, "550 5.1.1")
	require.NotContains(t, err.Error(), "ada")
	require.Contains(t, m.logs.String(), "sent=false")
	require.NotContains(t, m.logs.String(), "ada")
}

func TestServerThatIsNotThere(t *testing.T) {
	t.Parallel()
	m := setup(t, &sink{host: "127.0.0.1", port: 1})
	require.ErrorIs(t, m.Send(t.Context(), confirmation()), ErrSend)
}

// What users write must not become a header, a command or a recipient.
func TestInjection(t *testing.T) {
	t.Parallel()
	s := new(sink).start(t)
	m := setup(t, s, func(c *Config) {
		c.Subjects = map[Kind]string{Confirmation: "Hi {{ .Data.name }}"}
		c.SMTP.FromName = "App\r\nBcc: eve@evil.example"
		c.SMTP.Headers = map[string][]string{"X-Note": {"a\r\nBcc: eve@evil.example"}, "X-Evil\r\nBcc": {"eve@evil.example"}}
	})
	for _, to := range []string{
		"ada@user.example\r\nBcc: eve@evil.example",
		"ada@user.example>\r\nRCPT TO:<eve@evil.example",
		"ada@user.example, eve@evil.example",
		"Ada <ada@user.example>",
		"ada",
		"ada@user.example ",
	} {
		err := m.Send(t.Context(), Message{Kind: Confirmation, To: to})
		require.ErrorIs(t, err, ErrSend, "%q", to)
		require.NotContains(t, err.Error(), "ada")
	}
	s.none(t)

	msg := confirmation()
	msg.Data.Data = map[string]any{"name": "A\r\nBcc: eve@evil.example\r\n\r\n<b>\x00\u2028O'Neil\r\n.\r\nMAIL FROM:<x@y>"}
	require.NoError(t, m.Send(t.Context(), msg))
	header, subject, _ := read(t, s.only(t))
	require.NotContains(t, header, "Bcc")
	require.NotContains(t, subject, "\n")
	require.True(t, strings.HasPrefix(subject, "Hi A  Bcc: eve@evil.example"), subject)
	require.Contains(t, subject, "&lt;b&gt;", "subjects are HTML-escaped, as in GoTrue")
	require.Contains(t, subject, "O&#39;Neil")
	require.Equal(t, "a  Bcc: eve@evil.example", header.Get("X-Note"))
}
