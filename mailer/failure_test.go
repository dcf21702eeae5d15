package mailer

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What fails for a moment is tried once more, and only if the letter cannot
// have been taken: nobody gets a mail twice.
func TestRetry(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		faults   map[string][]string
		attempts int
		fails    string // "" when the mail arrives
	}{
		{"nothing", nil, 1, ""},
		{"busy at first", map[string][]string{"CONNECT": {"421 4.3.2 later"}}, 2, ""},
		{"closed at first", map[string][]string{"CONNECT": {"close"}}, 2, ""},
		{"closed at the greeting", map[string][]string{"EHLO": {"close"}}, 2, ""},
		{"grey list", map[string][]string{"RCPT": {"450 4.2.0 <ada@user.example> come back"}}, 2, ""},
		{"closed at the recipient", map[string][]string{"RCPT": {"close"}}, 2, ""},
		{"no space for a moment", map[string][]string{"MAIL": {"452 4.3.1 full"}}, 2, ""},
		{"not now", map[string][]string{"DATA": {"451 4.3.0 error"}}, 2, ""},
		{"taken and put back", map[string][]string{"END": {"451 4.7.1 try again"}}, 2, ""},
		{"reset is refused", map[string][]string{"RSET": {"500 what"}}, 1, ""},
		{"closed once it was taken", map[string][]string{"RSET": {"close"}}, 1, ""},
		{"no goodbye", map[string][]string{"QUIT": {"close"}}, 1, ""},
		{"still busy", map[string][]string{"CONNECT": {"421 later", "421 later"}}, 2, "connect: SMTP status 421"},
		{"still on the grey list", map[string][]string{"RCPT": {"450 4.2.0 ada", "450 4.2.0 ada"}}, 2, "SMTP status 450 4.2.0"},
		{"nobody there", map[string][]string{"RCPT": {"550 5.1.1 <ada@user.example>"}}, 1, "SMTP status 550 5.1.1"},
		{"spam", map[string][]string{"END": {"554 5.7.1 ada, this is spam"}}, 1, "SMTP status 554 5.7.1"},
		{"refused at once", map[string][]string{"CONNECT": {"554 no"}}, 1, "connect: SMTP status 554"},
		{"closed at the end", map[string][]string{"END": {"close"}}, 1, "connection lost"},
		{"garbage at the end", map[string][]string{"END": {"\x00\xffada"}}, 1, "connection lost"},
		{"garbage", map[string][]string{"CONNECT": {"HTTP/1.1 400 ada"}}, 1, "connect: malformed answer"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := (&sink{faults: tt.faults}).start(t)
			m := setup(t, s)
			m.timeouts.pause = time.Millisecond
			err := m.Send(t.Context(), confirmation())
			if tt.fails == "" {
				require.NoError(t, err)
				s.only(t)
			} else {
				require.ErrorIs(t, err, ErrSend)
				require.ErrorContains(t, err, tt.fails)
				require.NotContains(t, err.Error(), "ada")
				s.none(t)
			}
			require.Equal(t, tt.attempts, s.connections())
		})
	}
}

// A server that does not stop talking is left, long before the time is up.
func TestServerThatFloods(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"CONNECT", "EHLO", "RCPT", "END"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			s := (&sink{faults: map[string][]string{verb: {"flood", "flood"}}}).start(t)
			m := setup(t, s)
			m.timeouts.pause = time.Millisecond
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err := m.Send(ctx, confirmation())
			require.ErrorIs(t, err, ErrSend)
			require.NoError(t, ctx.Err())
			require.Less(t, len(err.Error()), 200)
			s.none(t)
		})
	}
}

func TestServerThatHangs(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "END"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			s := (&sink{faults: map[string][]string{verb: {"hang", "hang"}}}).start(t)

			m := setup(t, s)
			m.timeouts.send = 100 * time.Millisecond
			err := m.Send(t.Context(), confirmation())
			require.ErrorIs(t, err, ErrSend)
			require.ErrorIs(t, err, context.DeadlineExceeded)

			patient := setup(t, s) // but the caller is not
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			err = patient.Send(ctx, confirmation())
			require.ErrorIs(t, err, ErrSend)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			s.none(t)
		})
	}
}

// Nor does a certificate that nobody vouches for get better by waiting.
func TestNoRetryOfBadCertificates(t *testing.T) {
	t.Parallel()
	s := (&sink{startTLS: true}).start(t)
	m := setup(t, s, func(c *Config) { c.SMTP.RootCAs = nil })
	m.timeouts.pause = time.Hour
	require.ErrorContains(t, m.Send(t.Context(), confirmation()), "certificate")
	require.Equal(t, 1, s.connections())
}

// Plain SMTP where TLS is expected, and the other way round, ends in time.
func TestWrongPort(t *testing.T) {
	t.Parallel()
	plain := (&sink{}).start(t)
	m := setup(t, plain)
	m.implicitTLS = true
	m.timeouts.pause = time.Millisecond
	require.ErrorIs(t, m.Send(t.Context(), confirmation()), ErrSend)
	plain.none(t)

	encrypted := (&sink{implicit: true}).start(t)
	m = setup(t, encrypted)
	m.timeouts.send = 200 * time.Millisecond
	require.ErrorIs(t, m.Send(t.Context(), confirmation()), context.DeadlineExceeded)
	encrypted.none(t)
}
