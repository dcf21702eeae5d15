package onetime

import (
	"errors"
	"fmt"
	"time"

	"github.com/truegrant/truegrant/models"
)

// Why a code is not sent or not accepted.
var (
	// ErrExpired: wrong, spent or too old; callers do not learn which.
	ErrExpired = errors.New("one-time code is invalid or has expired")
	// ErrOverBudget: the server has sent enough mail for now.
	ErrOverBudget = errors.New("mail budget is used up")
	// ErrOverTextBudget: the server has sent enough texts for now.
	ErrOverTextBudget = errors.New("text budget is used up")
)

// TooSoonError means that the last code of this kind is too young.
type TooSoonError struct {
	Wait time.Duration
	// Text tells that the code goes to a phone.
	Text bool
}

// Error names the time left.
func (e *TooSoonError) Error() string { return fmt.Sprintf("too soon: %s left", e.Wait) }

// Kind is what a mail or a text is about. For mails it names the template too.
type Kind string

// The kinds of mails with a code.
const (
	Confirmation     Kind = "confirmation"
	Invite           Kind = "invite"
	Recovery         Kind = "recovery"
	MagicLink        Kind = "magic_link"
	Reauthentication Kind = "reauthentication"
	// EmailChange goes to either address of a change.
	EmailChange Kind = "email_change"
)

// The kinds of texts with a code.
const (
	// SMSConfirmation confirms a sign-up, or signs in.
	SMSConfirmation     Kind = "sms_confirmation"
	SMSReauthentication Kind = "sms_reauthentication"
	// SMSPhoneChange goes to the new number.
	SMSPhoneChange Kind = "sms_phone_change"
)

// Text reports whether the code goes to a phone.
func (k Kind) Text() bool {
	return k == SMSConfirmation || k == SMSReauthentication || k == SMSPhoneChange
}

// Type is the kind of token that a message carries; for EmailChange that of the
// new address.
func (k Kind) Type() models.OneTimeType {
	switch k {
	case Recovery, MagicLink:
		return models.RecoveryToken
	case Reauthentication, SMSReauthentication:
		return models.ReauthenticationToken
	case EmailChange:
		return models.EmailChangeNewToken
	case SMSPhoneChange:
		return models.PhoneChangeToken
	}
	return models.ConfirmationToken
}

// SendError means that a message could not be handed over.
type SendError struct {
	Kind  Kind
	cause error
}

// Error names the kind of message. Its cause may name the address, as a refusal
// by Recipients does, so only the code of that is for the log.
func (e *SendError) Error() string { return "send " + string(e.Kind) + ": " + e.cause.Error() }

// Unwrap returns what the mailer or the sender of texts reports.
func (e *SendError) Unwrap() error { return e.cause }

// Mail is a code, or a notice of a change, on its way to a user.
type Mail struct {
	Kind Kind
	User *models.User
	// Change is what a notice tells of; the other mails have none.
	Change
	// Code is what the user may type, Hash what the link carries.
	Code, Hash string
	// LinkBase is the server's external URL, RedirectTo where the link leads.
	LinkBase, RedirectTo string
	// ToNew sends the mail of an EmailChange to the new address, the others all
	// go to the user's own.
	ToNew bool
	// Other is the mail to the other address of an EmailChange, where both
	// confirm it; nil without one. The two are one message of two letters.
	Other *Mail
	// IPAddress is that of whom the mail answers, '' if unknown.
	IPAddress string
}

// To is the address that the mail goes to.
func (m Mail) To() string {
	switch {
	case m.ToNew:
		return m.User.EmailChange
	case m.Kind == EmailChangedNotice:
		return m.OldEmail
	}
	return m.User.Email
}

// tokenType is the kind of token in the mail.
func (m Mail) tokenType() models.OneTimeType {
	if m.Kind == EmailChange && !m.ToNew {
		return models.EmailChangeCurrentToken
	}
	return m.Kind.Type()
}

// Text is a code on its way to a phone.
type Text struct {
	Kind Kind
	User *models.User
	// To is the number (digits), Channel how the provider reaches it.
	To, Channel string
	// Code is what the user types, Hash what is stored of it.
	Code, Hash string
	// IP is where the request came from.
	IP string
}
