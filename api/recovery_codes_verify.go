package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

type verifyRecoveryRequest struct {
	Code string `json:"code"`

	// told tells that the hook, which counts attempts, has heard of this one.
	told bool
}

// POST /factors/recovery-codes/verify
func (f *factors) verifyRecovery(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	in, err := web.Decode[verifyRecoveryRequest](r)
	if err != nil {
		return err
	}
	if !f.Config.MFA.RecoveryCodes.VerifyEnabled {
		return errRecoveryDisabled("verify")
	}
	return f.whileStale(w, r, &caller.Account, func(account *models.Account) (*view.Session, error) {
		return f.tryRecovery(r, in, account)
	})
}

// tryRecovery is tryVerify for a recovery code: read, judge, mint, and write on
// the condition that the code is still unspent and the session as it was.
func (f *factors) tryRecovery(r *http.Request, in *verifyRecoveryRequest, account *models.Account) (*view.Session, error) {
	now := f.kit.Time(r)
	set, err := f.findRecovery(r, account.ID)
	switch {
	case err != nil:
		return nil, err
	case set.Locked(now):
		return nil, errRecoveryLocked()
	}
	digest, err := f.judgeRecovery(r, in, account, set)
	if err != nil {
		return nil, err
	}

	user := account.User
	draft, err := f.Tokens.DraftStepUp(r.Context(), tokens.StepUp{
		User: &user, Session: account.Session, Method: mfa.RecoveryCode.Method(), Origin: f.origin(r), Now: now,
	})
	if err != nil {
		return nil, err
	}
	use := models.RecoveryUse{SessionStepUp: draft.Session, UserID: account.ID, Digest: digest}
	trail := f.stepUpTrail(r, account, draft, map[string]any{"factor_id": set.ID, "factor_type": mfa.RecoveryCode})
	err = f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		done, err := models.UseRecoveryCode(tx, use, trail, now)
		if err == nil && !done {
			return errStale
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("use recovery code: %w", err)
	}
	session := view.NewSession(draft.Issued, &user, now)
	return &session, nil
}

// judgeRecovery returns the digest of a right code. Wrong ones are counted. The
// operator's hook hears of both.
func (f *factors) judgeRecovery(r *http.Request, in *verifyRecoveryRequest, account *models.Account, set *models.RecoveryCodes) (string, error) {
	digest, right, err := mfa.MatchRecoveryCode(set.Salt, set.Unspent, in.Code)
	if err != nil {
		return "", err
	}
	if !right {
		lock := models.RecoveryLock{Attempts: mfa.RecoveryAttempts, Until: f.kit.Time(r).Add(mfa.RecoveryLock)}
		err := f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
			return models.RecordWrongRecoveryCode(tx, account.ID, lock)
		})
		if err != nil {
			return "", fmt.Errorf("count wrong recovery code: %w", err)
		}
	}
	attempted := &models.StepUp{FactorID: set.ID, FactorType: string(mfa.RecoveryCode)}
	if !in.told {
		if rejected := f.askFactorHook(r, &account.User, attempted, right); rejected != nil {
			return "", rejected
		}
		in.told = true
	}
	if !right {
		return "", errWrongCode(mfa.RecoveryCode)
	}
	return digest, nil
}

// whileStale verifies, and again as long as another request changed meanwhile
// what the verification was judged by.
func (f *factors) whileStale(w http.ResponseWriter, r *http.Request, account *models.Account,
	try func(*models.Account) (*view.Session, error),
) error {
	for range verifyAttempts {
		session, err := try(account)
		switch {
		case err == nil:
			return web.JSON(w, http.StatusOK, session)
		case !errors.Is(err, errStale):
			return err
		}
		if account, err = f.reread(r, account); err != nil {
			return err
		}
	}
	return tokens.ErrBusy
}
