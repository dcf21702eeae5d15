package mfa

import (
	"errors"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
)

// Type is the kind of a factor, as rows and the API name it.
type Type string

// The types of factors.
const (
	TOTP     Type = "totp"
	Phone    Type = "phone"
	WebAuthn Type = "webauthn"
)

// Name is how sentences for people name the type.
func (t Type) Name() string {
	switch t {
	case TOTP:
		return "TOTP"
	case Phone:
		return "Phone"
	case WebAuthn:
		return "WebAuthn"
	case RecoveryCode:
		return "recovery codes"
	}
	return string(t)
}

// Method is the authentication method that a verification adds to the amr
// claim of its session.
func (t Type) Method() string {
	if t == TOTP {
		return string(t)
	}
	return "mfa/" + string(t)
}

// Why a factor cannot be enrolled or verified.
var (
	// ErrNameTaken: another factor of the user has the same name; no name at
	// all is a name too.
	ErrNameTaken = errors.New("factor name is taken")
	// ErrTooMany: the user has as many factors as the project permits.
	ErrTooMany = errors.New("too many factors")
	// ErrAAL2Required: the user has a verified factor and must use it first.
	ErrAAL2Required = errors.New("aal2 required")
	// ErrPhoneVerified: the phone number is a verified factor already.
	ErrPhoneVerified = errors.New("phone factor is verified already")
)

// Enrolment is a factor that a user wants to have.
type Enrolment struct {
	Type         Type
	FriendlyName string
	// Phone is the number in digits, for phone factors only.
	Phone string
	// AAL is the assurance level of the session that asks.
	AAL string
	Now time.Time
}

// Check decides on an enrolment by the factors that the user has. It returns
// the ids of those that make room: unverified ones that were abandoned, and an
// unverified one with the same phone number.
func (e Enrolment) Check(existing []models.EnrolledFactor, cfg conf.MFA) (replaced []uuid.UUID, err error) {
	kept := make([]models.EnrolledFactor, 0, len(existing))
	for _, factor := range existing {
		samePhone := e.Type == Phone && factor.FactorType == string(Phone) && factor.Phone == e.Phone
		switch {
		case samePhone && factor.Verified():
			return nil, ErrPhoneVerified
		case samePhone, abandoned(factor, cfg.FactorExpiryDuration, e.Now):
			replaced = append(replaced, factor.ID)
		default:
			kept = append(kept, factor)
		}
	}
	return replaced, e.checkAgainst(kept, cfg)
}

func (e Enrolment) checkAgainst(kept []models.EnrolledFactor, cfg conf.MFA) error {
	verified := 0
	for _, factor := range kept {
		if factor.FriendlyName == e.FriendlyName {
			return ErrNameTaken
		}
		if factor.Verified() {
			verified++
		}
	}
	switch {
	case float64(len(kept)) >= cfg.MaxEnrolledFactors, verified >= cfg.MaxVerifiedFactors:
		return ErrTooMany
	case verified > 0 && e.AAL != models.AAL2:
		return ErrAAL2Required
	}
	return nil
}

// abandoned tells that nobody ever asked for a challenge of an unverified
// factor, and nobody will.
func abandoned(factor models.EnrolledFactor, expiry time.Duration, now time.Time) bool {
	return !factor.Verified() && !factor.Challenged && factor.CreatedAt.Add(expiry).Before(now)
}
