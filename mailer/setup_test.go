package mailer

import (
	"bytes"
	"crypto/rand"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
)

// clock is a time that tests move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// logs is where a test's log lines go.
type logs struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// bundle is a mailer with its surroundings.
type bundle struct {
	*Mailer
	clock *clock
	logs  *logs
}

// setup makes a mailer that sends to s.
func setup(t *testing.T, s *sink, change ...func(*Config)) bundle {
	t.Helper()
	b := bundle{clock: newClock(), logs: new(logs)}
	c := Config{
		SiteURL:          "https://app.example",
		TemplateMaxBytes: 1000,
		TemplateMaxAge:   10 * time.Minute,
		TemplateRetry:    10 * time.Second,
		Now:              b.clock.time,
		Random:           rand.Reader,
		Logger:           textLogger(b.logs),
	}
	if s != nil {
		c.SMTP = SMTP{
			Host: s.host, Port: s.port, RootCAs: s.roots,
			From: "admin@app.example", FromName: "The App", HELO: "auth.app.example",
		}
	}
	for _, f := range change {
		f(&c)
	}
	m, err := New(c)
	require.NoError(t, err)
	b.Mailer = m
	return b
}

// confirmation is a message for tests that do not care which.
func confirmation() Message {
	return Message{Kind: Confirmation, To: "ada@user.example", Data: TemplateData{
		SiteURL:         "https://app.example",
		Email:           "ada@user.example",
		ConfirmationURL: "https://auth.app.example/verify?token=abc&type=signup&redirect_to=https://app.example",
		Token:           "123456",
		TokenHash:       "abc",
		Data:            map[string]any{"name": "Ada"},
	}}
}

// read parses a letter: its header, decoded subject and decoded body.
func read(t *testing.T, l letter) (mail.Header, string, string) {
	t.Helper()
	message, err := mail.ReadMessage(strings.NewReader(l.data))
	require.NoError(t, err)
	subject, err := new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject"))
	require.NoError(t, err)
	require.Equal(t, "quoted-printable", message.Header.Get("Content-Transfer-Encoding"))
	body, err := io.ReadAll(quotedprintable.NewReader(message.Body))
	require.NoError(t, err)
	return message.Header, subject, string(body)
}

// textLogger writes lines to out.
func textLogger(out io.Writer) logrus.FieldLogger {
	logger := logrus.New()
	logger.SetOutput(out)
	return logger
}
