package onetime

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// Sender hands a mail over, of whatever kind, and the other one with it.
type Sender interface {
	Send(ctx context.Context, mail Mail) error
}

// TextSender hands a text over.
type TextSender interface {
	// Ready reports why no text could be sent at all.
	Ready() error
	SendText(ctx context.Context, text Text) error
}

// Budget limits how many messages the server sends.
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
	Texts  TextSender
	Random io.Reader
	// Recipients is nil when mail may go to every address.
	Recipients Recipients
	// Budget and TextBudget are nil when mails or texts are not counted.
	Budget, TextBudget Budget
}

// policy is what the codes of all mails, or of all texts, have in common.
type policy struct {
	digits       int
	life         time.Duration
	maxFrequency time.Duration
	budget       Budget
	overBudget   error
}

// Service issues and redeems codes.
type Service struct {
	Deps
	ids         models.IDs
	mail, texts policy
	notices     conf.MailNotifications
}

// New returns a Service.
func New(deps Deps, mailer conf.Mailer, smtp conf.SMTP, sms conf.SMS) *Service {
	return &Service{
		Deps: deps, ids: models.IDs{Random: deps.Random}, notices: mailer.Notifications,
		mail:  policy{mailer.OTPLength, mailer.OTPExp, smtp.MaxFrequency, deps.Budget, ErrOverBudget},
		texts: policy{sms.OTPLength, sms.OTPExp, sms.MaxFrequency, deps.TextBudget, ErrOverTextBudget},
	}
}

func (s *Service) policy(kind Kind) *policy {
	if kind.Text() {
		return &s.texts
	}
	return &s.mail
}

// Draft makes a code for the address of a user; nothing is stored or sent.
func (s *Service) Draft(kind Kind, user uuid.UUID, address string) (code string, token models.OneTimeToken, err error) {
	code, err = secret.Digits(s.Random, s.policy(kind).digits)
	if err != nil {
		return "", models.OneTimeToken{}, err
	}
	return code, s.DraftOf(kind, user, address, code), nil
}

// DraftOf is Draft for the fixed code of a test phone.
func (s *Service) DraftOf(kind Kind, user uuid.UUID, address, code string) models.OneTimeToken {
	return models.OneTimeToken{
		Type: kind.Type(), UserID: user, ID: s.ids.New(), Hash: secret.OneTimeHash(address, code), Address: address, ByPhone: kind.Text(),
	}
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
	// Unsent asks for the fixed code of a test phone: nothing will be sent.
	Unsent bool
	Now    time.Time
}

// Admit reports whether a code may be sent to a user now: not sooner than the
// configured time after the last one, to an address that messages may go to, and
// within the server's budget.
func (s *Service) Admit(ctx context.Context, q Request) error {
	policy := s.policy(q.Kind)
	if q.LastSent != nil {
		if next := q.LastSent.Add(policy.maxFrequency); q.Now.Before(next) {
			return &TooSoonError{Wait: next.Sub(q.Now), Text: q.Kind.Text()}
		}
	}
	if q.Unsent {
		return nil
	}
	if err := s.checkRecipients(ctx, q); err != nil {
		return &SendError{q.Kind, err}
	}
	if policy.budget == nil {
		return nil
	}
	allowed, err := policy.budget.Allow(ctx, "", q.Now)
	if err != nil {
		return err
	}
	if !allowed {
		return policy.overBudget
	}
	return nil
}

// checkRecipients reports whether messages may go to the addresses of a request.
func (s *Service) checkRecipients(ctx context.Context, q Request) error {
	if q.Kind.Text() {
		return s.Texts.Ready()
	}
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
	return s.unsent(ctx, &SendError{mail.Kind, err}, mail.User, models.OneTimeToken{Type: mail.tokenType(), Hash: mail.Hash})
}

// SendText hands the text of a stored code over. When that fails the user may
// ask again at once.
func (s *Service) SendText(ctx context.Context, text Text) error {
	err := s.Texts.SendText(ctx, text)
	if err == nil {
		return nil
	}
	return s.unsent(ctx, &SendError{text.Kind, err}, text.User, models.OneTimeToken{Type: text.Kind.Type(), Hash: text.Hash})
}

// unsent forgets when a code was sent that was not, whether or not the caller
// still waits.
func (s *Service) unsent(ctx context.Context, why *SendError, user *models.User, token models.OneTimeToken) error {
	conn := s.DB.Conn(context.WithoutCancel(ctx))
	return errors.Join(why, models.ForgetOneTimeToken(conn, user.ID, token.Type, token.Hash))
}

// Fresh reports whether a code of a kind that was sent at some time still works.
func (s *Service) Fresh(kind Kind, sentAt *time.Time, now time.Time) bool {
	return sentAt != nil && !now.After(sentAt.Add(s.policy(kind).life))
}

// Hashes are the forms in which a code typed by hand may be stored: sign-ups
// of the PKCE flow carry a prefix.
func Hashes(email, code string) []string {
	hash := secret.OneTimeHash(email, code)
	return []string{hash, models.PKCEPrefix + hash}
}
