package sms

import (
	"errors"
	"strings"
	"unicode"
)

// maxReason bounds what a provider can make us repeat, in bytes.
const maxReason = 512

// ErrCode says that a code is not the one that was sent, that it expired or
// that it was used before.
var ErrCode = errors.New("the code is not right")

// errRefused is the cause of a Failure that the provider decided on.
var errRefused = errors.New("the provider did not accept it")

// A Failure says that a provider did not do what it was asked for.
type Failure struct {
	// Reason is what GoTrue tells the caller, in part in the provider's words:
	// "Invalid 'To' Phone Number More information: https://…". It may contain
	// the phone number, never the code.
	Reason string

	cause error
}

// Error says what failed, without Reason.
func (f *Failure) Error() string { return "send SMS: " + f.cause.Error() }

// Unwrap returns the cause: of a provider that could not be reached in time it
// is context.DeadlineExceeded, for example.
func (f *Failure) Unwrap() error { return f.cause }

// refused is the failure of a message that the provider does not accept. A
// reason that quotes the message would hand its code to whoever asked for it,
// so the code is blackened.
func refused(reason, code string) *Failure {
	reason = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, reason)
	reason = blacken(reason, code)
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	return &Failure{Reason: reason, cause: errRefused}
}

// unreachable is the failure of a request without a usable answer.
func unreachable(cause error) *Failure {
	return &Failure{Reason: "SMS provider could not be reached", cause: cause}
}

// blacken hides a code in a text.
func blacken(text, code string) string {
	if code == "" {
		return text
	}
	return strings.ReplaceAll(text, code, "***")
}
