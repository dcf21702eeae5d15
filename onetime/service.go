package onetime

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// Why a code is not sent or not accepted.
var (
	// ErrExpired: wrong, spent or too old; callers do not learn which.
	ErrExpired = errors.New("one-time code is invalid or has expired")
	// ErrOverBudget: the server has sent enough mail for now.
	ErrOverBudget = errors.New("mail budget is used up")
)

// TooSoonError means that the last code of this kind is too young.
type TooSoonError struct{ Wait time.Duration }

// Error names the time left.
func (e *TooSoonError) Error() string { return fmt.Sprintf("too soon: %s left", e.Wait) }

// Kind is what a mail is about. It names the template too.
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

// Type is the kind of token that a mail carries; for EmailChange that of the
// new address.
func (k Kind) Type() models.OneTimeType {
	switch k {
	case Recovery, MagicLink:
		return models.RecoveryToken
	case Reauthentication:
		return models.ReauthenticationToken
	case EmailChange:
		return models.EmailChangeNewToken
	}
	return models.ConfirmationToken
}

// SendError means that a mail could not be handed over.
type SendError struct {
	Kind  Kind
	cause error
}

// Error names the kind of mail, never its address.
func (e *SendError) Error() string { return "send " + string(e.Kind) + " mail: " + e.cause.Error() }

// Unwrap returns what the mailer reports.
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
	if m.ToNew {
		return m.User.EmailChange
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

// Sender hands a mail over, of whatever kind, and the other one with it.
type Sender interface {
	Send(ctx context.Context, mail Mail) error
}

// Budget limits how many mails the server sends.
type Budget interface {
	Allow(ctx context.Context, key string, now time.Time) (bool, error)
}

// Recipients says whom mail may go to. What it reports becomes the cause of a
// SendError.
type Recipients interface {
	Check(ctx context.Context, address string) error
}

// Deps are what a Service works with.
type Deps struct {
	DB     *storage.DB
	Mail   Sender
	Random io.Reader
	// Recipients is nil when mail may go to every address.
	Recipients Recipients
	// Budget is nil when mails are not counted.
	Budget Budget
}

// Service issues and redeems codes.
type Service struct {
	Deps
	ids          models.IDs
	digits       int
	life         time.Duration
	maxFrequency time.Duration
}

// New returns a Service.
func New(deps Deps, mailer conf.Mailer, smtp conf.SMTP) *Service {
	return &Service{
		Deps: deps, ids: models.IDs{Random: deps.Random}, digits: mailer.OTPLength,
		life: mailer.OTPExp, maxFrequency: smtp.MaxFrequency,
	}
}

// Draft makes a code for the address of a user; nothing is stored or sent.
func (s *Service) Draft(kind Kind, user uuid.UUID, email string) (code string, token models.OneTimeToken, err error) {
	code, err = secret.Digits(s.Random, s.digits)
	if err != nil {
		return "", models.OneTimeToken{}, err
	}
	return code, models.OneTimeToken{
		Type: kind.Type(), UserID: user, ID: s.ids.New(), Hash: secret.OneTimeHash(email, code), Address: email,
	}, nil
}

// Request asks whether a code may be sent.
type Request struct {
	Kind Kind
	// To is the address that it would go to.
	To string
	// AlsoTo is a second address that gets a mail of the pair, which the budget
	// counts once; '' without one.
	AlsoTo string
	// LastSent is when the user got the last code of this type; nil for never.
	LastSent *time.Time
	Now      time.Time
}

// Admit reports whether a code may be sent to a user now: not sooner than the
// configured time after the last one, to an address that mail may go to, and
// within the server's budget.
func (s *Service) Admit(ctx context.Context, q Request) error {
	if q.LastSent != nil {
		if next := q.LastSent.Add(s.maxFrequency); q.Now.Before(next) {
			return &TooSoonError{next.Sub(q.Now)}
		}
	}
	if err := s.checkRecipients(ctx, q); err != nil {
		return &SendError{q.Kind, err}
	}
	if s.Budget == nil {
		return nil
	}
	allowed, err := s.Budget.Allow(ctx, "", q.Now)
	if err != nil {
		return err
	}
	if !allowed {
		return ErrOverBudget
	}
	return nil
}

// checkRecipients reports whether mail may go to the addresses of a request.
func (s *Service) checkRecipients(ctx context.Context, q Request) error {
	if s.Recipients == nil {
		return nil
	}
	if err := s.Recipients.Check(ctx, q.To); err != nil || q.AlsoTo == "" {
		return err
	}
	return s.Recipients.Check(ctx, q.AlsoTo)
}

// Send hands the mail of a stored code over. When that fails the user may ask
// again at once, and no code of the mail works.
func (s *Service) Send(ctx context.Context, mail Mail) error {
	err := s.Mail.Send(ctx, mail)
	if err == nil {
		return nil
	}
	conn := s.DB.Conn(context.WithoutCancel(ctx))
	forget := models.ForgetOneTimeToken(conn, mail.User.ID, mail.tokenType(), mail.Hash)
	return errors.Join(&SendError{mail.Kind, err}, forget)
}

// Fresh reports whether a code sent at some time still works.
func (s *Service) Fresh(sentAt *time.Time, now time.Time) bool {
	return sentAt != nil && !now.After(sentAt.Add(s.life))
}

// Hashes are the forms in which a code typed by hand may be stored: sign-ups
// of the PKCE flow carry a prefix.
func Hashes(email, code string) []string {
	hash := secret.OneTimeHash(email, code)
	return []string{hash, models.PKCEPrefix + hash}
}
