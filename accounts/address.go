package accounts

import (
	"regexp"
	"strings"
)

// InputError is a value of the caller that cannot be accepted; its text is
// meant for the caller.
type InputError struct{ Message string }

// Error returns the sentence for the caller.
func (e *InputError) Error() string { return e.Message }

func invalid(message string) error { return &InputError{message} }

const maxEmailBytes = 255

// Addresses knows the form of e-mail addresses and phone numbers.
type Addresses struct {
	email, phone *regexp.Regexp
}

// NewAddresses compiles the forms: e-mail as HTML's <input type=email> has it,
// phone as E.164 without the plus sign.
func NewAddresses() *Addresses {
	const label = `[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?`
	return &Addresses{
		email: regexp.MustCompile("^[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~-]+@" + label + `(?:\.` + label + `)*$`),
		phone: regexp.MustCompile(`^[1-9][0-9]{1,14}$`),
	}
}

// Email checks an e-mail address and returns it in lower case.
func (a *Addresses) Email(text string) (string, error) {
	switch {
	case text == "":
		return "", invalid("An email address is required")
	case len(text) > maxEmailBytes:
		return "", invalid("An email address is too long")
	case !a.email.MatchString(text):
		return "", invalid("Unable to validate email address: invalid format")
	}
	return strings.ToLower(text), nil
}

// Phone checks a phone number and returns its digits.
func (a *Addresses) Phone(text string) (string, error) {
	digits := PhoneDigits(text)
	if !a.phone.MatchString(digits) {
		return "", invalid("Invalid phone number format (E.164 required)")
	}
	return digits, nil
}

// PhoneDigits strips the plus sign and blanks that people write.
func PhoneDigits(text string) string {
	return strings.ReplaceAll(strings.TrimPrefix(text, "+"), " ", "")
}
