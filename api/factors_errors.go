package api

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/mfa"
)

// The error codes of second factors.
const (
	codeFactorNotFound       apierror.Code = "mfa_factor_not_found"
	codeFactorNameConflict   apierror.Code = "mfa_factor_name_conflict"
	codeTooManyFactors       apierror.Code = "too_many_enrolled_mfa_factors"
	codeVerifiedFactorExists apierror.Code = "mfa_verified_factor_exists"
	codeFactorIPMismatch     apierror.Code = "mfa_ip_address_mismatch"
	codeChallengeExpired     apierror.Code = "mfa_challenge_expired"
	codeVerificationFailed   apierror.Code = "mfa_verification_failed"
	codeRecoveryLocked       apierror.Code = "mfa_recovery_codes_locked"
	codeRecoverySoleFactor   apierror.Code = "mfa_recovery_codes_sole_factor"
)

func unprocessable(code apierror.Code, message string) error {
	return apierror.New(http.StatusUnprocessableEntity, code, message)
}

func errFactorNotFound() error {
	return apierror.New(http.StatusNotFound, codeFactorNotFound, "Factor not found")
}

func errChallengeNotFound() error {
	return unprocessable(codeFactorNotFound, "MFA factor with the provided challenge ID not found")
}

func errChallengeExpired(id uuid.UUID) error {
	return unprocessable(codeChallengeExpired, "MFA challenge "+id.String()+
		" has expired, verify against another challenge or create a new challenge.")
}

// errChallengeMismatch answers from elsewhere, and to challenges that were
// answered already.
func errChallengeMismatch(t mfa.Type) error {
	const sentence = "Challenge and verify IP addresses mismatch"
	if t == mfa.Phone {
		return unprocessable(codeFactorIPMismatch, sentence)
	}
	return unprocessable(codeFactorIPMismatch, sentence+".")
}

func errWrongCode(t mfa.Type) error {
	switch t {
	case mfa.Phone:
		return unprocessable(codeVerificationFailed, "Invalid MFA Phone code entered")
	case mfa.RecoveryCode:
		return unprocessable(codeVerificationFailed, "Invalid recovery code entered")
	}
	return unprocessable(codeVerificationFailed, "Invalid TOTP code entered")
}

func errEnrollDisabled(t mfa.Type) error {
	return unprocessable(apierror.Code("mfa_"+string(t)+"_enroll_not_enabled"), "MFA enroll is disabled for "+t.Name())
}

func errVerifyDisabled(t mfa.Type) error {
	return unprocessable(apierror.Code("mfa_"+string(t)+"_verify_not_enabled"), "MFA verification is disabled for "+t.Name())
}

// errRecoveryDisabled answers "enroll" and "verify" where the project permits
// no recovery codes.
func errRecoveryDisabled(what string) error {
	sentence := map[string]string{"enroll": "MFA enroll", "verify": "MFA verification"}[what]
	return unprocessable(apierror.Code("mfa_recovery_codes_"+what+"_not_enabled"), sentence+" is disabled for recovery codes")
}

func errRecoveryLocked() error {
	return apierror.New(http.StatusTooManyRequests, codeRecoveryLocked,
		"Too many wrong recovery codes, try again later or use another factor")
}

func errSoleFactor() error {
	return unprocessable(codeRecoverySoleFactor, "Recovery codes need another verified factor beside them")
}

func errAAL2ForRecovery() error {
	return apierror.New(http.StatusForbidden, apierror.InsufficientAAL, "AAL2 required to generate recovery codes")
}

func errAAL2ToEnroll() error {
	return apierror.New(http.StatusForbidden, apierror.InsufficientAAL, "AAL2 required to enroll a new factor")
}

// enrolError maps the rules of package mfa.
func enrolError(err error, name string) error {
	switch {
	case errors.Is(err, mfa.ErrNameTaken):
		return unprocessable(codeFactorNameConflict,
			"A factor with the friendly name "+strconv.Quote(name)+" for this user already exists")
	case errors.Is(err, mfa.ErrTooMany):
		return unprocessable(codeTooManyFactors, "Maximum number of verified factors reached, unenroll to continue")
	case errors.Is(err, mfa.ErrPhoneVerified):
		return unprocessable(codeVerifiedFactorExists,
			"A verified phone factor already exists, unenroll the existing factor to continue")
	case errors.Is(err, mfa.ErrAAL2Required):
		return errAAL2ToEnroll()
	}
	return fmt.Errorf("enroll factor: %w", err)
}
