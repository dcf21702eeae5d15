package mailer

import (
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/sirupsen/logrus"
	gomail "github.com/wneessen/go-mail"
)

// header is a configured header line that can be used.
type header struct {
	name   string
	values []string
}

// usableHeaders drops headers that would break the message or contradict it.
func usableHeaders(configured map[string][]string, logger logrus.FieldLogger) []header {
	var usable []header
	for name, values := range configured {
		if !headerName(name) || ownHeader(name) {
			logger.WithField("header", name).Warn("mail header cannot be used")
			continue
		}
		if len(values) > 0 {
			usable = append(usable, header{name, values})
		}
	}
	slices.SortFunc(usable, func(a, b header) int { return strings.Compare(a.name, b.name) })
	return usable
}

// headerName reports whether name is a field name: printable ASCII without a
// colon (RFC 5322 §3.6.8).
func headerName(name string) bool {
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' || c == ':' {
			return false
		}
	}
	return name != ""
}

// ownHeader reports whether a header is written by compose. A second one would
// make the message ambiguous (RFC 5322 §3.6).
func ownHeader(name string) bool {
	own := []string{
		"from", "to", "cc", "bcc", "subject", "date", "message-id",
		"mime-version", "content-type", "content-transfer-encoding",
	}
	return slices.Contains(own, strings.ToLower(name))
}

// compose makes the letter. Its errors name no address.
func (m *Mailer) compose(msg Message, subject, body string) (*gomail.Msg, error) {
	from, err := bareAddress(m.smtp.From)
	if err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	to, err := bareAddress(msg.To)
	if err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	id, err := m.ids.NewV4()
	if err != nil {
		return nil, fmt.Errorf("message id: %w", err)
	}
	letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	for _, h := range m.headers {
		letter.SetGenHeader(gomail.Header(h.name), h.expand(msg.Kind)...)
	}
	from.Name = oneLine(m.smtp.FromName)
	// The library writes recipients in angle brackets and charset names in
	// small letters. GoTrue does neither, and mail filters compare headers: so
	// the envelope is given apart, and the two headers as they are wanted.
	letter.EnvelopeFromMailAddress(&mail.Address{Address: from.Address})
	letter.BccMailAddress(to) // in the envelope only
	letter.SetGenHeaderPreformatted(gomail.Header("From"), strings.ReplaceAll(from.String(), "=?utf-8?", "=?UTF-8?"))
	letter.SetGenHeaderPreformatted(gomail.Header("To"), to.Address)
	letter.Subject(subject)
	letter.SetDateWithValue(m.now())
	letter.SetMessageIDWithValue(id.String() + "@" + m.smtp.HELO)
	letter.SetBodyString(gomail.TypeTextHTML, body)
	return letter, nil
}

// expand fills in the message type.
func (h header) expand(kind Kind) []string {
	values := make([]string, len(h.values))
	for i, value := range h.values {
		values[i] = oneLine(strings.ReplaceAll(value, "$messageType", kind.MessageType()))
	}
	return values
}

// bareAddress accepts an address and nothing around it: no name, no list, no
// second line.
func bareAddress(text string) (*mail.Address, error) {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text {
		return nil, errors.New("malformed address")
	}
	return address, nil
}
