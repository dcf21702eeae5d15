package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

type verifyFactorRequest struct {
	ChallengeID uuid.UUID       `json:"challenge_id"`
	Code        string          `json:"code"`
	WebAuthn    *webAuthnAnswer `json:"webauthn"`

	// approved and told outlive a stale attempt: a provider spends a code with
	// the check, and the hook counts attempts.
	approved, told bool
}

type webAuthnAnswer struct {
	Type     mfa.Ceremony    `json:"type"`
	Response json.RawMessage `json:"credential_response"`
}

// verifyAttempts bounds how often a verification starts again because another
// request changed the factor or the session in between.
const verifyAttempts = 8

// errStale: what a verification was judged by has changed.
var errStale = errors.New("factor or session changed meanwhile")

// POST /factors/{factor_id}/verify
func (f *factors) verify(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor) error {
	in, err := web.Decode[verifyFactorRequest](r)
	if err != nil {
		return err
	}
	if err := f.checkAnswer(mfa.Type(factor.FactorType), in); err != nil {
		return err
	}
	return f.whileStale(w, r, &caller.Account, func(account *models.Account) (*view.Session, error) {
		return f.tryVerify(r, in, account, factor)
	})
}

// checkAnswer tells whether an answer has what its type of factor needs.
func (f *factors) checkAnswer(t mfa.Type, in *verifyFactorRequest) error {
	if t != mfa.WebAuthn {
		switch {
		case in.Code == "":
			return apierror.Validation("Code needs to be non-empty")
		case !f.verifyEnabled(t):
			return errVerifyDisabled(t)
		}
		return nil
	}
	switch {
	case !f.verifyEnabled(t):
		// The code speaks of enrolment, as GoTrue's does.
		return unprocessable("mfa_webauthn_enroll_not_enabled", "MFA verification is disabled for WebAuthn")
	case in.WebAuthn == nil:
		return apierror.Validation("WebAuthn config required")
	case in.WebAuthn.Type != mfa.Create && in.WebAuthn.Type != mfa.Request:
		return apierror.Validation("WebAuthn type must be create or request")
	case len(in.WebAuthn.Response) == 0 || string(in.WebAuthn.Response) == "null":
		return apierror.Validation("credential_response required")
	}
	return nil
}

// reread returns the account as it is now. The session may have ended: another
// session of the user stepped up first.
func (f *factors) reread(r *http.Request, account *models.Account) (*models.Account, error) {
	fresh, err := models.FindAccount(f.DB.Conn(r.Context()), account.ID, account.Session.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, tokens.ErrBearerUserNotFound
	case err != nil:
		return nil, fmt.Errorf("read session again: %w", err)
	case fresh.Session == nil:
		return nil, tokens.ErrBearerSessionNotFound
	}
	return fresh, nil
}

// tryVerify reads, judges, mints the tokens while nothing is locked, and
// writes on the condition that what it read still holds: else errStale.
func (f *factors) tryVerify(r *http.Request, in *verifyFactorRequest, account *models.Account, factor *models.Factor) (*view.Session, error) {
	now := f.kit.Time(r)
	challenge, err := f.findChallenge(r, in, account, factor, now)
	if err != nil {
		return nil, err
	}
	up := models.StepUp{
		UserID: account.ID, FactorID: factor.ID, FactorType: factor.FactorType, ChallengeID: challenge.ChallengeID,
		FromStatus: challenge.Status, SpentSince: f.spentSince(now),
		OnlyFirst: challenge.Status != models.FactorVerified && account.Session.AAL != models.AAL2,
	}
	if err := f.judge(r, in, account, challenge, &up); err != nil {
		return nil, err
	}
	if up.OnlyFirst && challenge.OthersVerified {
		// It was enrolled before the other one was verified, maybe by somebody
		// who only knows the password.
		return nil, errAAL2ToEnroll()
	}

	user := withVerified(account.User, up, now)
	draft, err := f.Tokens.DraftStepUp(r.Context(), tokens.StepUp{
		User: user, Session: account.Session, Method: mfa.Type(factor.FactorType).Method(), Origin: f.origin(r), Now: now,
	})
	if err != nil {
		return nil, err
	}
	up.SessionStepUp = draft.Session
	if err := f.saveStepUp(r, account, up, draft, now); err != nil {
		return nil, err
	}
	if challenge.Status != models.FactorVerified {
		f.tell(r, onetime.FactorEnrolled(user, factor.FactorType))
	}
	session := view.NewSession(draft.Issued, user, now)
	for i := range session.User.Factors {
		if shown := &session.User.Factors[i]; shown.ID == factor.ID {
			shown.LastChallengedAt = challenge.LastChallengedAt
		}
	}
	return &session, nil
}

// spentSince is the age of the oldest challenge that could have spent a time
// step which still counts.
func (f *factors) spentSince(now time.Time) time.Time {
	return mfa.SpentSince(now).Add(-f.Config.MFA.ChallengeExpiryDuration)
}

// findChallenge returns the challenge that is answered, if it may be.
func (f *factors) findChallenge(r *http.Request, in *verifyFactorRequest, account *models.Account, factor *models.Factor,
	now time.Time,
) (*models.Verification, error) {
	challenge, err := models.FindVerification(f.DB.Conn(r.Context()), models.VerificationKey{
		UserID: account.ID, FactorID: factor.ID, ChallengeID: in.ChallengeID, IP: f.clientIP.Of(r),
		SpentSince: f.spentSince(now),
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, errChallengeNotFound()
	case err != nil:
		return nil, apierror.Failure("Database error finding Challenge", err)
	case challenge.VerifiedAt != nil || !challenge.SameIP:
		return nil, errChallengeMismatch(mfa.Type(factor.FactorType))
	case !now.Before(challenge.CreatedAt.Add(f.Config.MFA.ChallengeExpiryDuration)):
		if err := models.DeleteChallenge(f.DB.Conn(r.Context()), challenge.ChallengeID); err != nil {
			return nil, apierror.Failure("Database error deleting challenge", err)
		}
		return nil, errChallengeExpired(challenge.ChallengeID)
	}
	return challenge, nil
}

// saveStepUp writes the verification with all that follows from it.
func (f *factors) saveStepUp(r *http.Request, account *models.Account, up models.StepUp, draft *tokens.StepUpDraft, now time.Time) error {
	trail := f.stepUpTrail(r, account, draft, map[string]any{
		"factor_id": up.FactorID, "challenge_id": up.ChallengeID, "factor_type": up.FactorType,
	})
	err := f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		done, err := models.VerifyFactor(tx, up, trail, now)
		if err == nil && !done {
			return errStale
		}
		return err
	})
	if err != nil && !errors.Is(err, errStale) {
		return fmt.Errorf("verify factor: %w", err)
	}
	return err
}

// stepUpTrail is the audit trail of a session that goes to aal2.
func (f *factors) stepUpTrail(r *http.Request, account *models.Account, draft *tokens.StepUpDraft, traits map[string]any) models.AuditTrail {
	trail := f.audit.By(&account.User, models.AuditVerificationAttempted, traits).From(f.clientIP.Of(r))
	if draft.Session.Token != "" {
		trail = append(trail, f.audit.By(&account.User, models.AuditTokenRevoked, nil)...)
	}
	return trail
}

// withVerified is the user with the factor as the verification leaves it.
func withVerified(user models.User, up models.StepUp, now time.Time) *models.User {
	user.Factors = slices.Clone(user.Factors)
	for i := range user.Factors {
		factor := &user.Factors[i]
		if factor.ID != up.FactorID {
			continue
		}
		factor.Status, factor.UpdatedAt = models.FactorVerified, now
		if use := up.WebAuthn; use != nil {
			factor.LastWebAuthnChallengeData = use.ChallengeData
			if use.FactorID == up.FactorID {
				factor.WebAuthnAAGUID = &use.AAGUID
			}
		}
	}
	return &user
}
