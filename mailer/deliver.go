package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// implicitTLSPort is where TLS starts before SMTP does (RFC 8314 §3.3).
const implicitTLSPort = 465

// Limits of one delivery. The others are part of that of sending.
const (
	dialTimeout = 10 * time.Second
	sendTimeout = 30 * time.Second
	retryPause  = 500 * time.Millisecond
)

// transmitting is the step in which the envelope is known, so that any error
// may name the recipient.
const transmitting = "transmit"

type timeouts struct{ dial, send, pause time.Duration }

// deliver hands letter to the mail server. What fails for a moment only is
// tried once more, unless the server may have taken the letter.
func (m *Mailer) deliver(ctx context.Context, letter *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, m.timeouts.send)
	defer cancel()

	step, err := m.attempt(ctx, letter)
	if err != nil && transient(ctx, step, err) {
		select {
		case <-time.After(m.timeouts.pause):
			step, err = m.attempt(ctx, letter)
		case <-ctx.Done():
		}
	}
	if err != nil {
		return sendError(ctx, step, err)
	}
	return nil
}

// attempt delivers letter over a connection of its own, or tells which step
// failed.
func (m *Mailer) attempt(ctx context.Context, letter *gomail.Msg) (step string, err error) {
	client, err := m.client(ctx)
	if err != nil {
		return "set up client", err
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return "connect", err
	}
	defer conn.Close() //nolint:errcheck // nothing can be done about it

	if err := m.authenticate(conn); err != nil {
		return "authenticate", err
	}
	if err := client.SendWithSMTPClient(conn, letter); err != nil && !letter.IsDelivered() {
		return transmitting, err
	}
	_ = client.CloseWithSMTPClient(conn) // the mail is accepted, whatever RSET or QUIT say
	return "", nil
}

// client configures an SMTP client for one delivery.
func (m *Mailer) client(ctx context.Context) (*gomail.Client, error) {
	tlsConfig := &tls.Config{
		ServerName: m.smtp.Host,
		MinVersion: tls.VersionTLS12,
		RootCAs:    m.smtp.RootCAs,
	}
	policy := gomail.TLSOpportunistic
	if m.implicitTLS {
		policy = gomail.NoTLS // dial has done it already
	}
	options := []gomail.Option{
		gomail.WithPort(m.smtp.Port),
		gomail.WithTimeout(2 * m.timeouts.send), // never before the context
		gomail.WithTLSPolicy(policy),
		gomail.WithTLSConfig(tlsConfig),
		gomail.WithoutNoop(),
		gomail.WithHELO(m.smtp.HELO),
		gomail.WithDialContextFunc(m.dialer(ctx, tlsConfig)),
	}
	return gomail.NewClient(m.smtp.Host, options...)
}

// dialer connects and ties the connection to the delivery: when that one's
// context ends, a read or write that waits for the server ends too. The context
// that the client passes ends with the dialling.
func (m *Mailer) dialer(delivery context.Context, tlsConfig *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, m.timeouts.dial)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return nil, err
		}
		conn = &laconic{Conn: conn, left: maxAnswers}
		// Without a stop the function runs when the delivery is over; closing
		// twice does no harm.
		context.AfterFunc(delivery, func() { _ = conn.Close() })
		if !m.implicitTLS {
			return conn, nil
		}
		encrypted := tls.Client(conn, tlsConfig)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			_ = conn.Close()
			return nil, err
		}
		return encrypted, nil
	}
}

// authenticate proves who we are if a user is configured and the server offers
// to listen. Relays that take everyone's mail often do not, and GoTrue's users
// have one configured all the same.
func (m *Mailer) authenticate(conn *smtp.Client) error {
	offered, mechanisms := conn.Extension("AUTH")
	if m.smtp.User == "" || !offered {
		return nil
	}
	_, encrypted := conn.TLSConnectionState()
	mechanism := m.mechanism(strings.Fields(strings.ToUpper(mechanisms)), encrypted)
	if mechanism == nil {
		return errors.New("the server offers no known mechanism")
	}
	return conn.Auth(mechanism)
}

// mechanism chooses how to authenticate. PLAIN and LOGIN show the password, so
// without TLS they come last, and are refused by the library unless the server
// is this machine.
func (m *Mailer) mechanism(offered []string, encrypted bool) smtp.Auth {
	order := []string{"SCRAM-SHA-256", "CRAM-MD5", "PLAIN", "LOGIN"}
	if encrypted {
		order = []string{"PLAIN", "LOGIN", "SCRAM-SHA-256", "CRAM-MD5"}
	}
	for _, name := range order {
		if !slices.Contains(offered, name) {
			continue
		}
		switch name {
		case "PLAIN":
			return smtp.PlainAuth("", m.smtp.User, m.smtp.Pass, m.smtp.Host, false)
		case "LOGIN":
			return smtp.LoginAuth(m.smtp.User, m.smtp.Pass, m.smtp.Host, false)
		case "SCRAM-SHA-256":
			return smtp.ScramSHA256Auth(m.smtp.User, m.smtp.Pass)
		case "CRAM-MD5":
			return smtp.CRAMMD5Auth(m.smtp.User, m.smtp.Pass)
		}
	}
	return nil
}
