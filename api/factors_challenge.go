package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// challengeResponse shows a challenge.
type challengeResponse struct {
	ID   uuid.UUID `json:"id"`
	Type mfa.Type  `json:"type"`
	// ExpiresAt is in Unix seconds.
	ExpiresAt int64              `json:"expires_at"`
	WebAuthn  *challengeWebAuthn `json:"webauthn,omitempty"`
}

type challengeWebAuthn struct {
	Type    mfa.Ceremony `json:"type"`
	Options any          `json:"credential_options"`
}

// POST /factors/{factor_id}/challenge
func (f *factors) challenge(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor) error {
	t := mfa.Type(factor.FactorType)
	if !f.verifyEnabled(t) {
		return errVerifyDisabled(t)
	}
	switch t {
	case mfa.Phone:
		return f.challengePhone(w, r, caller, factor)
	case mfa.WebAuthn:
		return f.challengeWebAuthn(w, r, caller, factor)
	}
	return f.createChallenge(w, r, caller, factor, models.NewChallenge{}, nil)
}

func (f *factors) verifyEnabled(t mfa.Type) bool {
	switch t {
	case mfa.TOTP:
		return f.Config.MFA.TOTP.VerifyEnabled
	case mfa.Phone:
		return f.Config.MFA.Phone.VerifyEnabled
	case mfa.WebAuthn:
		return f.Config.MFA.WebAuthn.VerifyEnabled
	}
	return false
}

// createChallenge writes a challenge and shows it.
func (f *factors) createChallenge(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor,
	challenge models.NewChallenge, ceremony *challengeWebAuthn,
) error {
	challenge.ID = f.ids.New()
	if err := f.saveChallenge(r, caller, factor, &challenge); err != nil {
		if errors.Is(err, storage.ErrNotFound) {
			return errFactorNotFound()
		}
		return err
	}
	return f.showChallenge(w, r, factor, challenge, ceremony)
}

func (f *factors) showChallenge(w http.ResponseWriter, r *http.Request, factor *models.Factor, challenge models.NewChallenge,
	ceremony *challengeWebAuthn,
) error {
	return web.JSON(w, http.StatusOK, challengeResponse{
		ID: challenge.ID, Type: mfa.Type(factor.FactorType), WebAuthn: ceremony,
		ExpiresAt: f.kit.Time(r).Add(f.Config.MFA.ChallengeExpiryDuration).Unix(),
	})
}

// saveChallenge completes a challenge and writes it.
func (f *factors) saveChallenge(r *http.Request, caller *web.Caller, factor *models.Factor, challenge *models.NewChallenge) error {
	challenge.FactorID, challenge.UserID, challenge.IP = factor.ID, caller.ID, f.clientIP.Of(r)
	var trail models.AuditTrail
	if factor.FactorType != string(mfa.WebAuthn) {
		trail = f.trail(r, caller, models.AuditChallengeCreated,
			map[string]any{"factor_id": factor.ID, "factor_status": factor.Status})
	}
	if err := models.CreateChallenge(f.DB.Conn(r.Context()), *challenge, trail, f.kit.Time(r)); err != nil {
		return fmt.Errorf("create challenge: %w", err)
	}
	return nil
}

// challengeWebAuthn starts the registration of an unverified factor, or the
// use of a verified one.
func (f *factors) challengeWebAuthn(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor) error {
	// What SDKs send about the relying party is the server's to know.
	if _, err := web.Decode[map[string]json.RawMessage](r); err != nil {
		return err
	}
	user, _, err := f.webAuthnUser(r, &caller.User)
	if err != nil {
		return err
	}
	begun, err := f.party.Begin(user, ceremonyOf(factor))
	if err != nil {
		return apierror.Failure("Failed to generate WebAuthn registration data", err)
	}
	return f.createChallenge(w, r, caller, factor, models.NewChallenge{SessionData: begun.Session},
		&challengeWebAuthn{Type: begun.Ceremony, Options: begun.Options})
}

func ceremonyOf(factor *models.Factor) mfa.Ceremony {
	if factor.Status == models.FactorVerified {
		return mfa.Request
	}
	return mfa.Create
}

// webAuthnUser is a user as authenticators know it, with the factors that the
// credentials belong to.
func (f *factors) webAuthnUser(r *http.Request, u *models.User) (mfa.User, []models.WebAuthnFactor, error) {
	user := mfa.User{ID: u.ID, Name: u.Email}
	if user.Name == "" {
		user.Name = u.Phone
	}
	known, err := models.WebAuthnFactors(f.DB.Conn(r.Context()), u.ID)
	if err != nil {
		return user, nil, fmt.Errorf("find webauthn credentials: %w", err)
	}
	for _, factor := range known {
		user.Credentials = append(user.Credentials, factor.Credential)
	}
	return user, known, nil
}
