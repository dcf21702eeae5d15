package mailer

// Kind is one of the mails that can be sent. Its value is the lower-case name
// of the kind in the configuration, as in GOTRUE_MAILER_SUBJECTS_<KIND>.
type Kind string

// The kinds of mail.
const (
	Invite           Kind = "invite"
	Confirmation     Kind = "confirmation"
	Recovery         Kind = "recovery"
	MagicLink        Kind = "magic_link"
	EmailChange      Kind = "email_change"
	Reauthentication Kind = "reauthentication"

	PasswordChanged     Kind = "password_changed_notification"
	EmailChanged        Kind = "email_changed_notification"
	PhoneChanged        Kind = "phone_changed_notification"
	IdentityLinked      Kind = "identity_linked_notification"
	IdentityUnlinked    Kind = "identity_unlinked_notification"
	MFAFactorEnrolled   Kind = "mfa_factor_enrolled_notification"
	MFAFactorUnenrolled Kind = "mfa_factor_unenrolled_notification"
)

// Kinds returns all kinds.
func Kinds() []Kind {
	return []Kind{
		Invite, Confirmation, Recovery, MagicLink, EmailChange, Reauthentication,
		PasswordChanged, EmailChanged, PhoneChanged, IdentityLinked, IdentityUnlinked,
		MFAFactorEnrolled, MFAFactorUnenrolled,
	}
}

// MessageType is the name of the kind in headers and logs. It differs from the
// kind in one case, as it does in GoTrue.
func (k Kind) MessageType() string {
	if k == Reauthentication {
		return "reauthenticate"
	}
	return string(k)
}

// subject returns the built-in subject, itself a template, or "" for an
// unknown kind.
func (k Kind) subject() string {
	switch k {
	case Invite:
		return "You've been invited"
	case Confirmation:
		return "Confirm your email address"
	case Recovery:
		return "Reset your password"
	case MagicLink:
		return "Your sign-in link"
	case EmailChange:
		return "Confirm your new email address"
	case Reauthentication:
		return "{{ .Token }} is your verification code"
	}
	return k.noticeSubject()
}

func (k Kind) noticeSubject() string {
	switch k {
	case PasswordChanged:
		return "Your password was changed"
	case EmailChanged:
		return "Your email address was changed"
	case PhoneChanged:
		return "Your phone number was changed"
	case IdentityLinked:
		return "A new sign-in method was linked to your account"
	case IdentityUnlinked:
		return "A sign-in method was removed from your account"
	case MFAFactorEnrolled:
		return "A new verification method was added to your account"
	case MFAFactorUnenrolled:
		return "A verification method was removed from your account"
	}
	return ""
}
