package mailer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// maxAnswers is how much a mail server may say on one connection, certificates
// included.
const maxAnswers = 1 << 20

// errTalkative: the server goes on and on.
var errTalkative = errors.New("the server says too much")

// laconic is a connection to a server that has little to say.
type laconic struct {
	net.Conn
	left int
}

// Read fails beyond the limit.
func (c *laconic) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errTalkative
	}
	n, err := c.Conn.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// transient reports whether an attempt that failed may be repeated: the server
// asked for it (RFC 5321 §4.2.1: 4yz), or the connection was lost before the
// letter began. After that the server may have taken the letter.
func transient(ctx context.Context, step string, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	if code := answerCode(err); code != 0 {
		return code >= 400 && code < 500
	}
	var refused *gomail.SendError
	if step == transmitting && errors.As(err, &refused) {
		return refused.Reason == gomail.ErrSMTPMailFrom || refused.Reason == gomail.ErrSMTPRcptTo ||
			refused.Reason == gomail.ErrSMTPData
	}
	var network *net.OpError
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// answerCode is the number of the server's answer in an error, 0 without one.
func answerCode(err error) int {
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		return refused.ErrorCode()
	}
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

// sendError says what failed without the server's words, which tend to repeat
// the recipient's address. Of answers it keeps the numbers.
func sendError(ctx context.Context, step string, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return fmt.Errorf("%w: %s: %w", ErrSend, step, cause)
	}
	var refused *gomail.SendError
	var malformed textproto.ProtocolError
	switch code := answerCode(err); {
	case errors.As(err, &refused) && code != 0:
		status := fmt.Sprint(code, " ", refused.EnhancedStatusCode())
		return fmt.Errorf("%w: %s: %s, SMTP status %s", ErrSend, step, refused.Reason, strings.TrimSpace(status))
	case code != 0:
		return fmt.Errorf("%w: %s: SMTP status %d", ErrSend, step, code)
	case step == transmitting && errors.As(err, &refused):
		return fmt.Errorf("%w: %s: %s, connection lost", ErrSend, step, refused.Reason)
	case step == transmitting:
		return fmt.Errorf("%w: %s: connection lost", ErrSend, step)
	case errors.As(err, &malformed):
		return fmt.Errorf("%w: %s: malformed answer", ErrSend, step)
	}
	return fmt.Errorf("%w: %s: %w", ErrSend, step, err)
}
