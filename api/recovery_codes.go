package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

const (
	// defaultRecoveryName is what newer SDKs expect of codes without a name.
	defaultRecoveryName = "Recovery codes"
	maxRecoveryName     = 120 // bytes
)

// recoveryRoutes registers the routes of recovery codes: those that newer
// Supabase SDKs call.
func (f *factors) recoveryRoutes(r chi.Router) {
	const path = "/factors/recovery-codes"
	f.both(r, http.MethodGet, path, f.guard(f.recoveryStatus))
	f.both(r, http.MethodPost, path, f.limit(f.limits.factorChallenge, f.guard(f.generateRecovery)))
	f.both(r, http.MethodDelete, path, f.guard(f.deleteRecovery))
	r.Post(path+"/regenerate", f.limit(f.limits.factorChallenge, f.guard(f.regenerateRecovery)))
	r.Post(path+"/verify", f.limit(f.limits.factorVerify, f.guard(f.verifyRecovery)))
}

// recoveryStatusResponse tells how many codes are left, never which.
type recoveryStatusResponse struct {
	ID        uuid.UUID `json:"id"`
	Type      mfa.Type  `json:"type"`
	Total     int       `json:"total"`
	Remaining int       `json:"remaining"`
}

// recoveryResponse shows new codes, the only time.
type recoveryResponse struct {
	ID           uuid.UUID `json:"id"`
	Type         mfa.Type  `json:"type"`
	FriendlyName string    `json:"friendly_name"`
	Total        int       `json:"total"`
	Codes        []string  `json:"codes"`
}

// GET /factors/recovery-codes
func (f *factors) recoveryStatus(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	set, err := f.findRecovery(r, caller.ID)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, recoveryStatusResponse{set.ID, mfa.RecoveryCode, set.Total, len(set.Unspent)})
}

func (f *factors) findRecovery(r *http.Request, user uuid.UUID) (*models.RecoveryCodes, error) {
	set, err := models.FindRecoveryCodes(f.DB.Conn(r.Context()), user)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, errFactorNotFound()
	case err != nil:
		return nil, fmt.Errorf("find recovery codes: %w", err)
	}
	return set, nil
}

type generateRecoveryRequest struct {
	FriendlyName string `json:"friendly_name"`
}

// POST /factors/recovery-codes
func (f *factors) generateRecovery(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	in, err := web.DecodeOptional[generateRecoveryRequest](r)
	if err != nil {
		return err
	}
	if in.FriendlyName == "" {
		in.FriendlyName = defaultRecoveryName
	}
	if err := f.checkGenerate(in, caller); err != nil {
		return err
	}
	fresh := models.NewRecoveryCodes{ID: f.ids.New(), UserID: caller.ID, FriendlyName: in.FriendlyName}
	codes, err := f.makeRecovery(&fresh)
	if err != nil {
		return err
	}
	trail := f.trail(r, caller, models.AuditRecoveryCodesGenerated, map[string]any{"factor_id": fresh.ID})
	err = f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		return models.CreateRecoveryCodes(tx, fresh, trail, f.kit.Time(r))
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return f.whyNotGenerated(r, caller)
	case err != nil:
		return fmt.Errorf("generate recovery codes: %w", err)
	}
	f.tell(r, onetime.FactorEnrolled(&caller.User, string(mfa.RecoveryCode)))
	return showRecovery(w, fresh, codes)
}

// checkGenerate lets in who could also do without the codes.
func (f *factors) checkGenerate(in *generateRecoveryRequest, caller *web.Caller) error {
	switch {
	case !f.Config.MFA.RecoveryCodes.EnrollEnabled:
		return errRecoveryDisabled("enroll")
	case len(in.FriendlyName) > maxRecoveryName:
		return apierror.Validation("friendly_name must be 120 characters or less")
	case !caller.HasVerifiedFactor():
		return errSoleFactor()
	case caller.Session.AAL != models.AAL2:
		return errAAL2ForRecovery()
	}
	for _, factor := range caller.Factors {
		if factor.FriendlyName == in.FriendlyName {
			return enrolError(mfa.ErrNameTaken, in.FriendlyName)
		}
	}
	return nil
}

// whyNotGenerated explains a set that was not written.
func (f *factors) whyNotGenerated(r *http.Request, caller *web.Caller) error {
	_, err := models.FindRecoveryCodes(f.DB.Conn(r.Context()), caller.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errSoleFactor() // the factor has gone meanwhile
	case err != nil:
		return fmt.Errorf("find recovery codes: %w", err)
	}
	return unprocessable(codeVerifiedFactorExists, "Recovery codes exist already, regenerate them to get new ones")
}

// POST /factors/recovery-codes/regenerate
func (f *factors) regenerateRecovery(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	switch {
	case !f.Config.MFA.RecoveryCodes.EnrollEnabled:
		return errRecoveryDisabled("enroll")
	case caller.Session.AAL != models.AAL2:
		return errAAL2ForRecovery()
	}
	set, err := f.findRecovery(r, caller.ID)
	if err != nil {
		return err
	}
	fresh := models.NewRecoveryCodes{ID: set.ID, UserID: caller.ID, FriendlyName: set.FriendlyName}
	codes, err := f.makeRecovery(&fresh)
	if err != nil {
		return err
	}
	trail := f.trail(r, caller, models.AuditRecoveryCodesRegenerated, map[string]any{"factor_id": set.ID})
	err = f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		return models.ReplaceRecoveryCodes(tx, fresh, trail, f.kit.Time(r))
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound() // removed meanwhile
	case err != nil:
		return fmt.Errorf("regenerate recovery codes: %w", err)
	}
	return showRecovery(w, fresh, codes)
}

// makeRecovery adds codes to a set and returns them as the user gets them.
func (f *factors) makeRecovery(into *models.NewRecoveryCodes) ([]string, error) {
	made, err := mfa.NewRecoverySet(f.Random)
	if err != nil {
		return nil, err
	}
	into.Salt, into.Digests = made.Salt, made.Digests
	return made.Codes, nil
}

func showRecovery(w http.ResponseWriter, set models.NewRecoveryCodes, codes []string) error {
	web.NoStore(w)
	return web.JSON(w, http.StatusOK, recoveryResponse{set.ID, mfa.RecoveryCode, set.FriendlyName, len(codes), codes})
}

// DELETE /factors/recovery-codes
func (f *factors) deleteRecovery(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	set, err := f.findRecovery(r, caller.ID)
	switch {
	case err != nil:
		return err
	case caller.Session.AAL != models.AAL2:
		return unprocessable(apierror.InsufficientAAL, "AAL2 required to remove recovery codes")
	}
	trail := f.trail(r, caller, models.AuditRecoveryCodesDeleted,
		map[string]any{"factor_id": set.ID, "session_id": caller.Session.ID})
	err = f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		return models.DeleteRecoveryCodes(tx, caller.ID, trail, f.kit.Time(r))
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound()
	case err != nil:
		return fmt.Errorf("remove recovery codes: %w", err)
	}
	f.tell(r, onetime.FactorUnenrolled(&caller.User, string(mfa.RecoveryCode)))
	return web.JSON(w, http.StatusOK, map[string]any{"id": set.ID})
}
