package mailer

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// sink is an SMTP server (RFC 5321) that keeps what it is given.
type sink struct {
	// What it offers and how it behaves; set before it starts.
	startTLS bool
	implicit bool   // TLS from the start
	auth     string // mechanisms, such as "PLAIN LOGIN"
	// faults are what goes wrong with a verb, or at "CONNECT" and "END", the end
	// of a mail: the first time, the second and so on, later nothing. It is
	// "hang", "close", "flood", nothing ("") or an answer.
	faults map[string][]string

	host  string
	port  int
	roots *x509.CertPool
	tls   *tls.Config
	done  chan struct{}

	mu       sync.Mutex // guards faults too
	called   int
	letters  []letter
	commands []string
}

// letter is one accepted mail.
type letter struct {
	from, to   string
	helo       string
	user, pass string
	encrypted  bool
	data       string
}

// start listens on loopback until the test ends.
func (s *sink) start(t *testing.T) *sink {
	t.Helper()
	// A server of the standard library lends its certificate for 127.0.0.1.
	lender := httptest.NewUnstartedServer(nil)
	lender.StartTLS()
	t.Cleanup(lender.Close)
	s.tls = &tls.Config{Certificates: lender.TLS.Certificates, MinVersion: tls.VersionTLS12}
	s.roots = x509.NewCertPool()
	s.roots.AddCert(lender.Certificate())

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.done = make(chan struct{})
	t.Cleanup(func() { close(s.done); _ = listener.Close() })
	address := listener.Addr().(*net.TCPAddr)
	s.host, s.port = address.IP.String(), address.Port
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go s.serve(conn)
		}
	}()
	return s
}

// session is one connection to the sink.
type session struct {
	*sink
	conn net.Conn
	in   *bufio.Reader
	letter
}

func (s *sink) serve(conn net.Conn) {
	defer conn.Close() //nolint:errcheck // a test server
	s.mu.Lock()
	s.called++
	s.mu.Unlock()
	c := &session{sink: s, conn: conn}
	if s.implicit {
		c.encrypt()
	}
	c.in = bufio.NewReader(c.conn)
	if !c.fails("CONNECT") {
		c.say("220 sink ready")
	}
	for {
		line, err := c.line()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		verb = strings.ToUpper(verb)
		s.mu.Lock()
		s.commands = append(s.commands, verb)
		s.mu.Unlock()
		if c.fails(verb) {
			continue
		}
		if !c.answer(verb, rest) {
			return
		}
	}
}

// answer handles one command and reports whether the session goes on.
func (c *session) answer(verb, rest string) bool {
	switch verb {
	case "EHLO", "HELO":
		c.helo = rest
		c.greet()
	case "STARTTLS":
		c.say("220 go ahead")
		c.encrypt()
		c.in = bufio.NewReader(c.conn)
	case "AUTH":
		c.authenticate(rest)
	case "MAIL":
		c.from = rest
		c.say("250 ok")
	case "RCPT":
		c.to = rest
		c.say("250 ok")
	case "DATA":
		c.say("354 go ahead")
		c.receive()
	case "QUIT":
		c.say("221 bye")
		return false
	default:
		c.say("250 ok")
	}
	return true
}

func (c *session) greet() {
	lines := []string{"sink", "8BITMIME", "ENHANCEDSTATUSCODES"}
	if c.startTLS && !c.encrypted {
		lines = append(lines, "STARTTLS")
	}
	if c.auth != "" {
		lines = append(lines, "AUTH "+c.auth)
	}
	for i, line := range lines {
		if i == len(lines)-1 {
			c.say("250 " + line)
		} else {
			c.say("250-" + line)
		}
	}
}

func (c *session) authenticate(rest string) {
	mechanism, initial, _ := strings.Cut(rest, " ")
	if mechanism == "PLAIN" {
		parts := strings.Split(decode(initial), "\x00")
		c.user, c.pass = parts[1], parts[2]
	} else { // LOGIN
		c.say("334 " + base64.StdEncoding.EncodeToString([]byte("Username:")))
		user, _ := c.line()
		c.say("334 " + base64.StdEncoding.EncodeToString([]byte("Password:")))
		pass, _ := c.line()
		c.user, c.pass = decode(user), decode(pass)
	}
	if c.pass != "right" {
		c.say("535 5.7.8 no such user " + c.user)
		return
	}
	c.say("235 welcome")
}

func (c *session) receive() {
	var data strings.Builder
	for {
		line, err := c.line()
		if err != nil || line == "." {
			break
		}
		data.WriteString(strings.TrimPrefix(line, ".") + "\r\n")
	}
	c.data = data.String()
	if c.fails("END") {
		return
	}
	c.mu.Lock()
	c.letters = append(c.letters, c.letter)
	c.mu.Unlock()
	c.say("250 kept")
}

// fails makes go wrong what should, and reports whether anything did.
func (c *session) fails(verb string) bool {
	c.mu.Lock()
	fault := ""
	if left := c.faults[verb]; len(left) > 0 {
		fault, c.faults[verb] = left[0], left[1:]
	}
	c.mu.Unlock()
	switch fault {
	case "":
		return false
	case "hang":
		<-c.done
		_ = c.conn.Close()
	case "close":
		_ = c.conn.Close()
	case "flood":
		for {
			if _, err := c.conn.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				break
			}
		}
	default:
		c.say(fault)
	}
	return true
}

func (c *session) encrypt() {
	c.conn = tls.Server(c.conn, c.tls)
	c.encrypted = true
}

func (c *session) line() (string, error) {
	line, err := c.in.ReadString('\n')
	return strings.TrimRight(line, "\r\n"), err
}

func (c *session) say(line string) { _, _ = c.conn.Write([]byte(line + "\r\n")) }

func decode(text string) string {
	plain, _ := base64.StdEncoding.DecodeString(text)
	return string(plain)
}

// only returns the one letter that arrived.
func (s *sink) only(t *testing.T) letter {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(t, s.letters, 1)
	return s.letters[0]
}

// none requires that no letter arrived.
func (s *sink) none(t *testing.T) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Empty(t, s.letters)
}

// connections counts how often the sink was called.
func (s *sink) connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.called
}

// said reports whether a command was given.
func (s *sink) said(verb string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, command := range s.commands {
		if command == verb {
			return true
		}
	}
	return false
}
