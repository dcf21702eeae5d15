package apitest

import (
	"bufio"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
)

// Mail is a mail server (RFC 5321) that keeps what it gets.
type Mail struct {
	t    testing.TB
	host string
	port int

	mu      sync.Mutex
	refuse  bool
	during  func()
	letters []Letter
}

// Letter is a mail that arrived. The subject of a confirmation is its code.
type Letter struct{ To, Subject, Body string }

// NewMail starts a mail server that runs until the test ends.
func NewMail(t testing.TB) *Mail {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address, err := netip.ParseAddrPort(listener.Addr().String())
	require.NoError(t, err)
	m := &Mail{t: t, host: address.Addr().String(), port: int(address.Port())}
	sinks.Store(m.address(), m)
	t.Cleanup(func() { sinks.Delete(m.address()); _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go m.serve(conn)
		}
	}()
	return m
}

// sinks are the running mail servers by address: an App that only has a
// configuration finds the mails it sent, to compare its log with them.
var sinks sync.Map //nolint:gochecknoglobals // an option of New has no other way to tell

func (m *Mail) address() string { return net.JoinHostPort(m.host, strconv.Itoa(m.port)) }

// sink is the Mail that a configuration sends to, an empty one if none.
func sink(cfg *conf.Config) *Mail {
	found, _ := sinks.Load(net.JoinHostPort(cfg.SMTP.Host, strconv.Itoa(cfg.SMTP.Port)))
	if m, ok := found.(*Mail); ok {
		return m
	}
	return new(Mail)
}

// Configure is an option of New: sign-ups are confirmed by mail sent here, as
// often as the test likes.
func (m *Mail) Configure(cfg *conf.Config) {
	cfg.Mailer.Autoconfirm = false
	cfg.Mailer.Subjects.Confirmation = "{{ .Token }}"
	cfg.SMTP.Host, cfg.SMTP.Port, cfg.SMTP.AdminEmail = m.host, m.port, "auth@app.test"
	cfg.RateLimit.EmailSent = conf.Rate{Form: conf.RateWindow, Events: 1000, Interval: cfg.RateLimit.EmailSent.Interval}
}

// Refuse makes the server refuse recipients, or take them again.
func (m *Mail) Refuse(refuse bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refuse = refuse
}

// Meanwhile does something whenever a mail is on its way, before it is taken.
func (m *Mail) Meanwhile(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.during = do
}

// To returns the letters to an address, oldest first. They have arrived when
// the request that sent them is answered.
func (m *Mail) To(address string) []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Letter
	for _, letter := range m.letters {
		if letter.To == address {
			found = append(found, letter)
		}
	}
	return found
}

// All returns every letter, oldest first.
func (m *Mail) All() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
}

// Last returns the newest letter to an address.
func (m *Mail) Last(address string) Letter {
	m.t.Helper()
	letters := m.To(address)
	require.NotEmpty(m.t, letters, "no mail to this address")
	return letters[len(letters)-1]
}

// Link is the path and query of the link in a letter.
func (l Letter) Link(t testing.TB) *url.URL {
	t.Helper()
	found := regexp.MustCompile(`href="([^"]+)"`).FindStringSubmatch(l.Body)
	require.Len(t, found, 2, "no link in %s", l.Body)
	link, err := url.Parse(strings.ReplaceAll(found[1], "&amp;", "&"))
	require.NoError(t, err)
	return link
}

// serve speaks just enough SMTP.
func (m *Mail) serve(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // a test server
	in := bufio.NewReader(conn)
	say := func(line string) { _, _ = io.WriteString(conn, line+"\r\n") }
	say("220 mail ready")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); {
		case verb == "RCPT" && m.refusing():
			say("550 no such user")
		case verb == "DATA":
			m.interrupt()
			say("354 go ahead")
			m.keep(in)
			say("250 kept")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func (m *Mail) refusing() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.refuse
}

func (m *Mail) interrupt() {
	m.mu.Lock()
	do := m.during
	m.mu.Unlock()
	if do != nil {
		do()
	}
}

// keep reads a message up to the line with a dot.
func (m *Mail) keep(in *bufio.Reader) {
	var text strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	letter := parseLetter(text.String())
	m.mu.Lock()
	defer m.mu.Unlock()
	m.letters = append(m.letters, letter)
}

// parseLetter reads a message of one part; what is malformed stays empty.
func parseLetter(text string) Letter {
	message, err := mail.ReadMessage(strings.NewReader(text))
	if err != nil {
		return Letter{}
	}
	var letter Letter
	if to, err := message.Header.AddressList("To"); err == nil && len(to) == 1 {
		letter.To = to[0].Address
	}
	letter.Subject, _ = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	body := message.Body
	if message.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	raw, _ := io.ReadAll(body)
	letter.Body = string(raw)
	return letter
}
