package api

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/sms"
)

// judge says whether an answer is right and adds to up what it changes. The
// operator's hook hears of codes, right and wrong, and may reject either.
func (f *factors) judge(r *http.Request, in *verifyFactorRequest, account *models.Account, challenge *models.Verification,
	up *models.StepUp,
) error {
	var err error
	t := mfa.Type(up.FactorType)
	switch t {
	case mfa.TOTP:
		err = f.judgeTOTP(in, challenge, up, f.kit.Time(r))
	case mfa.Phone:
		err = f.judgePhone(r.Context(), in, challenge, f.kit.Time(r))
	default:
		return f.judgeWebAuthn(r, in, account, challenge, up)
	}
	wrong := errors.Is(err, errWrong) || errors.Is(err, sms.ErrCode)
	if err != nil && !wrong {
		return err
	}
	if !in.told {
		if rejected := f.askFactorHook(r, &account.User, up, !wrong); rejected != nil {
			return rejected
		}
		in.told = true
	}
	switch {
	case errors.Is(err, sms.ErrCode):
		return apierror.New(http.StatusForbidden, apierror.OTPExpired, "Token has expired or is invalid")
	case wrong:
		return errWrongCode(t)
	}
	return nil
}

// errWrong: the code is not the one that was asked for.
var errWrong = errors.New("wrong code")

// judgeTOTP checks the code of an authenticator app. A right code is spent, on
// this factor, for every other challenge too (RFC 6238 §5.2).
func (f *factors) judgeTOTP(in *verifyFactorRequest, challenge *models.Verification, up *models.StepUp, now time.Time) error {
	id := up.FactorID.String()
	secret, stale, err := f.Box.Open(id, challenge.Secret)
	if err != nil {
		return apierror.Failure("Database error verifying MFA TOTP secret", err)
	}
	step, ok, err := mfa.MatchCode(secret, in.Code, challenge.SpentStep, now)
	switch {
	case err != nil:
		return apierror.Failure("Database error verifying MFA TOTP secret", err)
	case !ok:
		return errWrong
	}
	up.Step = &step
	if stale {
		if up.Secret, err = f.Box.Seal(id, secret); err != nil {
			return fmt.Errorf("seal totp secret: %w", err)
		}
	}
	return nil
}

// judgePhone checks the code that was sent to a phone. The fixed code of a test
// phone counts as well, and where the provider makes the codes it is asked.
func (f *factors) judgePhone(ctx context.Context, in *verifyFactorRequest, challenge *models.Verification, now time.Time) error {
	if code, ok := sms.TestCode(f.Config.SMS, challenge.Phone, now); ok && sameCode(code, in.Code) {
		return nil
	}
	if verifier := f.phones.verifier(); verifier != nil {
		if in.approved {
			return nil
		}
		if err := verifier.Check(ctx, challenge.Phone, in.Code); err != nil {
			return fmt.Errorf("check phone code: %w", err)
		}
		in.approved = true
		return nil
	}
	code, _, err := f.Box.Open(challenge.ChallengeID.String(), challenge.Code)
	if err != nil {
		return fmt.Errorf("open phone code: %w", err)
	}
	if code == "" || !sameCode(code, in.Code) {
		return errWrong
	}
	return nil
}

func sameCode(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// judgeWebAuthn checks the answer of an authenticator. A verified factor only
// takes uses of a known credential: else whoever knows the password could
// register one of their own.
func (f *factors) judgeWebAuthn(r *http.Request, in *verifyFactorRequest, account *models.Account,
	challenge *models.Verification, up *models.StepUp,
) error {
	if in.WebAuthn.Type != ceremonyOf(&models.Factor{Status: challenge.Status}) {
		return apierror.Validation("WebAuthn type does not fit the factor")
	}
	user, known, err := f.webAuthnUser(r, &account.User)
	if err != nil {
		return err
	}
	proof, err := f.party.Finish(user, in.WebAuthn.Type, challenge.SessionData, in.WebAuthn.Response)
	switch {
	case errors.Is(err, mfa.ErrResponse):
		return apierror.Validation("Invalid credential_response")
	case err != nil && in.WebAuthn.Type == mfa.Request:
		return apierror.Failure("Failed to validate WebAuthn MFA response", err)
	case err != nil:
		return fmt.Errorf("register webauthn credential: %w", err)
	}
	use := &models.WebAuthnUse{FactorID: up.FactorID, Credential: proof.Credential, AAGUID: proof.AAGUID}
	if proof.Ceremony == mfa.Request {
		if use.FactorID, err = ownerOf(known, proof.CredentialID); err != nil {
			return err
		}
	}
	use.ChallengeData, err = challengeData(challenge, up.FactorID, proof)
	up.WebAuthn = use
	return err
}

// ownerOf finds the factor that a credential belongs to.
func ownerOf(known []models.WebAuthnFactor, credentialID []byte) (uuid.UUID, error) {
	for _, factor := range known {
		id, err := mfa.CredentialID(factor.Credential)
		if err != nil {
			return uuid.Nil, err
		}
		if bytes.Equal(id, credentialID) {
			return factor.ID, nil
		}
	}
	return uuid.Nil, errors.New("the credential that was used belongs to no factor")
}

// challengeData is what the factor remembers of its last ceremony, in GoTrue's
// form.
func challengeData(challenge *models.Verification, factorID uuid.UUID, proof *mfa.Proof) (json.RawMessage, error) {
	type answered struct {
		ID          uuid.UUID       `json:"challenge_id"`
		FactorID    uuid.UUID       `json:"factor_id"`
		CreatedAt   time.Time       `json:"created_at"`
		IP          string          `json:"ip_address"`
		SessionData json.RawMessage `json:"web_authn_session_data"`
	}
	raw, err := json.Marshal(struct {
		Challenge answered        `json:"challenge"`
		Type      mfa.Ceremony    `json:"type"`
		Response  json.RawMessage `json:"credential_response"`
	}{
		answered{challenge.ChallengeID, factorID, challenge.CreatedAt.UTC(), challenge.IP, challenge.SessionData},
		proof.Ceremony, proof.Response,
	})
	if err != nil {
		return nil, fmt.Errorf("encode challenge data: %w", err)
	}
	return raw, nil
}
