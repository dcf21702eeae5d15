package onetime

import (
	"context"
	"time"

	"github.com/truegrant/truegrant/models"
)

// The kinds of mails that tell of a change of an account. They carry no code.
const (
	PasswordChangedNotice     Kind = "password_changed_notification"
	EmailChangedNotice        Kind = "email_changed_notification"
	PhoneChangedNotice        Kind = "phone_changed_notification"
	IdentityLinkedNotice      Kind = "identity_linked_notification"
	IdentityUnlinkedNotice    Kind = "identity_unlinked_notification"
	MFAFactorEnrolledNotice   Kind = "mfa_factor_enrolled_notification"
	MFAFactorUnenrolledNotice Kind = "mfa_factor_unenrolled_notification"
)

// Change is what a notice tells beside what the user's row says. Each kind sets
// its own part.
type Change struct {
	// OldEmail and OldPhone are the address and the number before the change.
	OldEmail, OldPhone string
	// Provider is that of an identity, FactorType that of a second factor.
	Provider, FactorType string
}

// PasswordChanged tells a user of a new password.
func PasswordChanged(user *models.User) Mail {
	return Mail{Kind: PasswordChangedNotice, User: user}
}

// EmailChanged tells the old address that a user has another one now.
func EmailChanged(user *models.User, oldEmail string) Mail {
	return Mail{Kind: EmailChangedNotice, User: user, Change: Change{OldEmail: oldEmail}}
}

// PhoneChanged tells a user, who has the new number, of the change.
func PhoneChanged(user *models.User, oldPhone string) Mail {
	return Mail{Kind: PhoneChangedNotice, User: user, Change: Change{OldPhone: oldPhone}}
}

// IdentityLinked tells a user of a new way to sign in.
func IdentityLinked(user *models.User, provider string) Mail {
	return Mail{Kind: IdentityLinkedNotice, User: user, Change: Change{Provider: provider}}
}

// IdentityUnlinked tells a user of a way to sign in that is gone. Before is the
// user as it was: unlinking may change the address.
func IdentityUnlinked(before *models.User, provider string) Mail {
	return Mail{Kind: IdentityUnlinkedNotice, User: before, Change: Change{Provider: provider}}
}

// FactorEnrolled tells a user of a new second factor.
func FactorEnrolled(user *models.User, factorType string) Mail {
	return Mail{Kind: MFAFactorEnrolledNotice, User: user, Change: Change{FactorType: factorType}}
}

// FactorUnenrolled tells a user of a second factor that is gone.
func FactorUnenrolled(user *models.User, factorType string) Mail {
	return Mail{Kind: MFAFactorUnenrolledNotice, User: user, Change: Change{FactorType: factorType}}
}

// Notify sends a notice, where the project wants its kind and the user has an
// address. It counts like every other mail, but waits for none: each change is
// worth telling.
func (s *Service) Notify(ctx context.Context, notice Mail, now time.Time) error {
	to := notice.To()
	if to == "" || !s.notices.Enabled(string(notice.Kind)) {
		return nil
	}
	if err := s.Admit(ctx, Request{Kind: notice.Kind, To: to, Now: now}); err != nil {
		return err
	}
	if err := s.Mail.Send(ctx, notice); err != nil {
		return &SendError{notice.Kind, err}
	}
	return nil
}
