package mailer

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gofrs/uuid"
	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/observability"
)

// ErrSend is in the chain of every failure to send a mail. No error of this
// package contains an address or what the mail says.
var ErrSend = errors.New("mail could not be sent")

// Config is what New needs. Now, Random and Logger are required.
type Config struct {
	SMTP SMTP

	// SiteURL is what template paths are relative to.
	SiteURL string
	// Subjects are html/template texts, Templates URLs of bodies. A kind that
	// is missing or empty has the built-in text.
	Subjects  map[Kind]string
	Templates map[Kind]string
	// TemplateMaxBytes limits a fetched body.
	TemplateMaxBytes int64
	// TemplateMaxAge is how long a fetched body is used without asking again,
	// TemplateRetry the pause after a failed fetch.
	TemplateMaxAge time.Duration
	TemplateRetry  time.Duration
	// TemplateReload fetches a body that nears its age while an earlier one is
	// in use, so that no mail waits for it.
	TemplateReload bool
	// Previous is the mailer that this one follows; what it has fetched from an
	// address that has not changed is used further. It may be nil.
	Previous *Mailer

	Now    func() time.Time
	Random io.Reader
	Logger logrus.FieldLogger
}

// SMTP says how mail leaves. With an empty Host it does not: every mail is
// dropped, and that counts as success.
type SMTP struct {
	Host string
	// Port 465 means TLS from the start, any other STARTTLS if it is offered.
	Port int
	// User and Pass authenticate if User is not empty and the server asks.
	User string
	Pass string
	// From and FromName are the sender's address and name.
	From     string
	FromName string
	// HELO is how the client introduces itself: the host of the external URL,
	// "localhost" if empty.
	HELO string
	// Headers are added to every mail. "$messageType" in a value is replaced.
	Headers map[string][]string
	// LogSends writes one line per mail, with its type and whether it left.
	LogSends bool
	// RootCAs are trusted to certify the server; nil is the system's.
	RootCAs *x509.CertPool
}

// Mailer renders and sends mail. It is safe for concurrent use.
type Mailer struct {
	smtp     SMTP
	headers  []header
	renderer *renderer
	remote   *remote
	ids      uuid.Generator
	now      func() time.Time
	logger   logrus.FieldLogger
	timeouts timeouts
	// implicitTLS: the connection is encrypted before SMTP starts.
	implicitTLS bool
}

// New makes a Mailer. Subjects and headers that cannot be used are logged and
// left out; an error means that the built-in texts are broken.
func New(c Config) (*Mailer, error) {
	r, err := newRenderer(c.Subjects, c.Logger)
	if err != nil {
		return nil, fmt.Errorf("mailer: %w", err)
	}
	c.SMTP.HELO = cmp.Or(c.SMTP.HELO, "localhost")
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     30 * time.Second,
	}
	return &Mailer{
		smtp:     c.SMTP,
		headers:  usableHeaders(c.SMTP.Headers, c.Logger),
		renderer: r,
		remote: &remote{
			client:   &http.Client{Transport: transport},
			urls:     templateURLs(c.SiteURL, c.Templates),
			maxBytes: c.TemplateMaxBytes,
			maxAge:   c.TemplateMaxAge,
			retry:    c.TemplateRetry,
			timeout:  fetchTimeout,
			early:    c.TemplateReload,
			now:      c.Now,
			logger:   c.Logger,
			entries:  c.Previous.fetched(templateURLs(c.SiteURL, c.Templates)),
		},
		ids:      uuid.NewGenWithOptions(uuid.WithRandomReader(c.Random)),
		now:      c.Now,
		logger:   c.Logger,
		timeouts: timeouts{dial: dialTimeout, send: sendTimeout},

		implicitTLS: c.SMTP.Port == implicitTLSPort,
	}, nil
}

// Send renders msg and delivers it to the mail server before it returns. Every
// error wraps [ErrSend], also that of an empty or malformed recipient; ctx's
// error is in the chain if ctx ended first.
func (m *Mailer) Send(ctx context.Context, msg Message) error {
	if msg.Kind.subject() == "" {
		return fmt.Errorf("%w: unknown kind %q", ErrSend, msg.Kind)
	}
	if msg.To == "" {
		return fmt.Errorf("%w: no recipient", ErrSend)
	}
	if m.smtp.Host == "" {
		return nil
	}
	subject, body, err := m.renderer.render(msg, m.remote.body(ctx, msg.Kind))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSend, err)
	}
	letter, err := m.compose(msg, subject, body)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSend, err)
	}
	ctx, done := observability.Call(ctx, "mail", msg.Kind.MessageType())
	err = m.deliver(ctx, letter)
	done(err)
	if m.smtp.LogSends {
		m.logger.WithFields(logrus.Fields{"mail_type": msg.Kind.MessageType(), "sent": err == nil}).Info("mail.send")
	}
	return err
}
