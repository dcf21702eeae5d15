package mailer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"
)

// implicitTLSPort is where TLS starts before SMTP does (RFC 8314 §3.3).
const implicitTLSPort = 465

// Limits of one delivery. The dial timeout is part of the other.
const (
	dialTimeout = 10 * time.Second
	sendTimeout = 30 * time.Second
)

// transmitting is the step in which the envelope is known, so that any error
// may name the recipient.
const transmitting = "transmit"

type timeouts struct{ dial, send time.Duration }

// deliver hands letter to the mail server over a connection of its own.
func (m *Mailer) deliver(ctx context.Context, letter *gomail.Msg) error {
	ctx, cancel := context.WithTimeout(ctx, m.timeouts.send)
	defer cancel()

	client, err := m.client(ctx)
	if err != nil {
		return sendError(ctx, "set up client", err)
	}
	conn, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return sendError(ctx, "connect", err)
	}
	defer conn.Close() //nolint:errcheck // nothing can be done about it

	if err := m.authenticate(conn); err != nil {
		return sendError(ctx, "authenticate", err)
	}
	if err := client.SendWithSMTPClient(conn, letter); err != nil {
		return sendError(ctx, transmitting, err)
	}
	_ = client.CloseWithSMTPClient(conn) // the mail is accepted, whatever QUIT says
	return nil
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
		plain := &net.Dialer{Timeout: m.timeouts.dial}
		var conn net.Conn
		var err error
		if m.implicitTLS {
			conn, err = (&tls.Dialer{NetDialer: plain, Config: tlsConfig}).DialContext(ctx, network, address)
		} else {
			conn, err = plain.DialContext(ctx, network, address)
		}
		if err != nil {
			return nil, err
		}
		// Without a stop the function runs when the delivery is over; closing
		// twice does no harm.
		context.AfterFunc(delivery, func() { _ = conn.Close() })
		return conn, nil
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

// sendError says what failed without the server's words, which tend to repeat
// the recipient's address. Of answers it keeps the numbers.
func sendError(ctx context.Context, step string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %s: %w", ErrSend, step, cause)
	}
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		status := fmt.Sprint(refused.ErrorCode(), " ", refused.EnhancedStatusCode())
		return fmt.Errorf("%w: %s: %s, SMTP status %s", ErrSend, step, refused.Reason, strings.TrimSpace(status))
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return fmt.Errorf("%w: %s: SMTP status %d", ErrSend, step, answer.Code)
	}
	if step == transmitting {
		return fmt.Errorf("%w: %s: connection lost", ErrSend, step)
	}
	return fmt.Errorf("%w: %s: %w", ErrSend, step, err)
}
