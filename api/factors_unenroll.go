package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

// DELETE /factors/{factor_id}
func (f *factors) unenroll(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor) error {
	verified := factor.Status == models.FactorVerified
	if verified && caller.Session.AAL != models.AAL2 {
		return unprocessable(apierror.InsufficientAAL, "AAL2 required to unenroll verified factor")
	}
	trail := f.trail(r, caller, models.AuditFactorUnenrolled, map[string]any{
		"factor_id": factor.ID, "factor_status": factor.Status, "session_id": caller.Session.ID,
	})
	removal := models.Unenrolment{
		UserID: caller.ID, FactorID: factor.ID, Status: factor.Status, Method: mfa.Type(factor.FactorType).Method(),
	}
	err := f.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		return models.DeleteFactor(tx, removal, trail, f.kit.Time(r))
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound()
	case err != nil:
		return fmt.Errorf("unenroll factor: %w", err)
	}
	if verified {
		f.tell(r, onetime.FactorUnenrolled(&caller.User, factor.FactorType))
	}
	return web.JSON(w, http.StatusOK, map[string]any{"id": factor.ID})
}
