package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/sms"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// redeemPhoneCode spends a code that came by text.
func (s *Server) redeemPhoneCode(r *http.Request, in *verifyRequest) (*tokens.Issued, *models.User, error) {
	phone, err := s.addresses.Phone(in.Phone)
	if err != nil {
		return nil, nil, err
	}
	kind, known := textKind(in.Type)
	if !known {
		return nil, nil, errOTPExpired(codeExpired)
	}
	typed := typedCode{kind: kind, phone: phone, code: in.Token}
	pending, err := s.findPhoneCode(r, typed)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, nil, errOTPExpired(codeExpired)
	case err != nil:
		return nil, nil, apierror.Failure("Database error finding user", err)
	case pending.Banned(s.kit.Time(r)):
		return nil, nil, errBanned()
	}
	fixed, err := s.judgeCode(r.Context(), typed, pending, s.kit.Time(r))
	switch {
	case errors.Is(err, sms.ErrCode):
		return nil, nil, errOTPExpired(codeExpired)
	case err != nil:
		return nil, nil, err
	}
	if kind == onetime.SMSPhoneChange {
		issued, err := s.finishPhoneChange(r, pending, fixed)
		return issued, &pending.User, err
	}
	issued, err := s.confirmPhone(r, pending, fixed)
	return issued, &pending.User, err
}

// textKind is the kind of text that a verification type is about.
func textKind(verificationType string) (kind onetime.Kind, known bool) {
	switch verificationType {
	case "sms":
		return onetime.SMSConfirmation, true
	case "phone_change":
		return onetime.SMSPhoneChange, true
	}
	return "", false
}

// typedCode is a code that a user typed for a number.
type typedCode struct {
	kind        onetime.Kind
	phone, code string
}

func (c typedCode) hash() string { return secret.OneTimeHash(c.phone, c.code) }

func (s *Server) findPhoneCode(r *http.Request, c typedCode) (*models.PhoneCode, error) {
	if c.kind == onetime.SMSPhoneChange {
		return models.FindPhoneChange(s.DB.Conn(r.Context()), c.phone, s.audience(r), c.hash())
	}
	return models.FindPhoneCode(s.DB.Conn(r.Context()), c.phone, s.audience(r))
}

// judgeCode returns sms.ErrCode if a code is not right. The fixed code of a test
// phone is right at any time, and where the provider makes the codes it is
// asked, if we have asked for a code at all. Otherwise the code has to be the
// one that is stored, which the statement that spends it checks once more.
func (s *Server) judgeCode(ctx context.Context, c typedCode, pending *models.PhoneCode, now time.Time) (fixed bool, err error) {
	test, isTest := sms.TestCode(s.Config.SMS, c.phone, now)
	if isTest && sameCode(test, c.code) {
		return true, nil
	}
	if pending.Hash == "" {
		return false, sms.ErrCode
	}
	verifier := s.texts.verifier()
	if verifier == nil || isTest {
		if !sameCode(c.hash(), pending.Hash) || !s.onetime.Fresh(c.kind, pending.SentAt(c.kind.Type()), now) {
			return false, sms.ErrCode
		}
		return false, nil
	}
	if pending.Claimants > 1 {
		// The provider knows numbers, not users: its code could end the change of
		// somebody else than whom it was sent for.
		return false, sms.ErrCode
	}
	return false, s.askProvider(ctx, verifier, c)
}

// askProvider returns sms.ErrCode too if the provider does not say. Callers
// learn no more from GoTrue, the log does.
func (s *Server) askProvider(ctx context.Context, verifier sms.Verifier, c typedCode) error {
	err := verifier.Check(ctx, c.phone, c.code)
	var failure *sms.Failure
	if !errors.As(err, &failure) || ctx.Err() != nil {
		return err
	}
	s.Log.WithError(err).Warn("a code could not be checked with the provider")
	return sms.ErrCode
}

// confirmPhone confirms the number, if it was not yet, and signs the user in.
func (s *Server) confirmPhone(r *http.Request, pending *models.PhoneCode, fixed bool) (*tokens.Issued, error) {
	now := s.kit.Time(r)
	trail := s.audit.By(&pending.User, models.AuditUserSignedUp, map[string]any{"provider": accounts.ProviderPhone})
	pending.ConfirmPhone(now)
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: &pending.User, Method: methodOTP, Origin: s.origin(r), Now: now})
	if err != nil {
		return nil, err
	}
	redeemed, err := models.RedeemOneTimeToken(s.DB.Conn(r.Context()), models.Redemption{
		UserID: pending.ID, Type: models.ConfirmationToken, Hashes: []string{pending.Hash}, Phone: pending.Phone, Fixed: fixed,
	}, draft.Session, trail, now)
	switch {
	case err != nil:
		return nil, fmt.Errorf("redeem code: %w", err)
	case !redeemed:
		return nil, onetime.ErrExpired
	}
	return &draft.Issued, nil
}
