package mailer

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"html/template"
	"io"
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
	// Texts are those without a language. A kind that is missing or empty has
	// the built-in text.
	Texts
	// Translations are the texts of languages, by BCP 47 tag, for users whose
	// metadata names one. What is missing there is taken from Texts.
	Translations map[string]Texts
	// DefaultLanguage is for everybody else: the tag of a translation, or what
	// Texts are in. Empty, everybody else gets Texts.
	DefaultLanguage string
	// TemplateDirectory holds bodies in files: "<kind>.html", and
	// "<language>/<kind>.html" for Translations. Empty, there is none.
	TemplateDirectory string
	// TemplateMaxBytes limits a fetched body.
	TemplateMaxBytes int64
	// TemplateMaxAge is how long a fetched body is used without asking again,
	// TemplateRetry the pause after a failed fetch.
	TemplateMaxAge time.Duration
	TemplateRetry  time.Duration
	// TemplateReload fetches a body that nears its age while an earlier one is
	// in use, so that no mail waits for it, until no mail has been sent for
	// TemplateMaxIdle.
	TemplateReload  bool
	TemplateMaxIdle time.Duration

	// Background lets Send return before the mail is sent.
	Background bool
	// Previous is the mailer that this one follows; bodies that it has loaded from
	// an address that has not changed are used further. It may be nil.
	Previous *Mailer

	Now    func() time.Time
	Random io.Reader
	Logger logrus.FieldLogger
}

// Texts are subjects, which are html/template texts, and addresses of bodies:
// URLs, paths below SiteURL, or files, as in "file:///etc/mail/invite.html".
type Texts struct {
	Subjects  map[Kind]string
	Templates map[Kind]string
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
	smtp      SMTP
	headers   []header
	renderer  *renderer
	library   *library
	languages languages
	// outbox is nil when mails are sent before Send returns.
	outbox   *outbox
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
	c = c.withDirectory()
	r, err := newRenderer(c.Texts, c.Translations, c.Logger)
	if err != nil {
		return nil, fmt.Errorf("mailer: %w", err)
	}
	c.SMTP.HELO = cmp.Or(c.SMTP.HELO, "localhost")
	m := &Mailer{
		smtp:      c.SMTP,
		headers:   usableHeaders(c.SMTP.Headers, c.Logger),
		renderer:  r,
		library:   newLibrary(c),
		languages: newLanguages(c.Translations, c.DefaultLanguage),
		ids:       uuid.NewGenWithOptions(uuid.WithRandomReader(c.Random)),
		now:       c.Now,
		logger:    c.Logger,
		timeouts:  timeouts{dial: dialTimeout, send: sendTimeout, pause: retryPause},

		implicitTLS: c.SMTP.Port == implicitTLSPort,
	}
	if c.Background {
		m.outbox = newOutbox(m.send, c.Logger)
	}
	return m, nil
}

// Close sends what waits in the background, as long as ctx allows. Send works
// on, but no longer in the background.
func (m *Mailer) Close(ctx context.Context) {
	m.library.close()
	if m.outbox != nil {
		m.outbox.close(ctx)
	}
}

// Send renders msg and delivers it to the mail server, before it returns or in
// the background. Every error wraps [ErrSend], also that of an empty recipient;
// ctx's error is in the chain if ctx ended first. Failures in the background are
// logged.
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
	if m.outbox != nil && m.outbox.add(msg) {
		return nil
	}
	return m.send(ctx, msg)
}

// send renders and delivers a mail.
func (m *Mailer) send(ctx context.Context, msg Message) error {
	subject, body, err := m.render(ctx, msg)
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

// render writes subject and body of a message in the language of its user. What
// that language lacks is taken from the texts without one.
func (m *Mailer) render(ctx context.Context, msg Message) (subject, text string, err error) {
	plain := edition{kind: msg.Kind}
	wanted := edition{msg.Kind, m.languages.choose(msg.Kind, msg.Data.Data)}
	body := m.library.body(ctx, wanted)
	subjects := m.renderer.subjectsOf(wanted, body)
	if wanted != plain {
		var general *template.Template
		if body == nil || len(subjects) == 0 {
			general = m.library.body(ctx, plain)
		}
		subjects = append(subjects, m.renderer.subjectsOf(plain, general)...)
		body = cmp.Or(body, general)
	}
	return m.renderer.render(msg, subjects, body)
}
