package sms

import (
	"fmt"
	"strings"
	"text/template"
	"time"

	"github.com/truegrant/truegrant/conf"
)

// TestMessageID is the id of messages to test phones, which nobody sends.
const TestMessageID = "test-otp"

// A Text is the template of a message. It is safe for concurrent use.
type Text struct{ template *template.Template }

// ParseText reads a text/template with the variable .Code, such as
// "Your code is {{ .Code }}". Other variables are empty.
func ParseText(text string) (*Text, error) {
	t, err := template.New("SMS").Option("missingkey=zero").Parse(text)
	if err != nil {
		return nil, fmt.Errorf("parse SMS template: %w", err)
	}
	return &Text{t}, nil
}

// Render writes the message for a code. Its errors do not contain the code.
func (t *Text) Render(code string) (string, error) {
	var b strings.Builder
	if err := t.template.Execute(&b, map[string]string{"Code": code}); err != nil {
		return "", fmt.Errorf("render SMS template: %s", blacken(err.Error(), code))
	}
	return b.String(), nil
}

// TestCode returns the fixed code of a test phone at a time: nothing is sent to
// it, and this code is right as long as it is configured. The phone is in E.164
// form without the "+".
func TestCode(c conf.SMS, phone string, now time.Time) (code string, ok bool) {
	if until := c.TestOTPValidUntil; !until.IsZero() && !now.Before(until) {
		return "", false
	}
	code = c.TestOTP[strings.TrimPrefix(phone, "+")]
	return code, code != ""
}
