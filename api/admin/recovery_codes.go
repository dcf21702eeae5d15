package admin

import (
	"errors"
	"net/http"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// recoveryCodes tell how many codes a user has left, never which.
type recoveryCodes struct {
	ID           uuid.UUID `json:"id"`
	Type         mfa.Type  `json:"type"`
	FriendlyName string    `json:"friendly_name"`
	Total        int       `json:"total"`
	Remaining    int       `json:"remaining"`
}

// GET /admin/users/{user_id}/factors/recovery-codes
func (s *Server) getRecoveryCodes(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	shown, err := s.findRecoveryCodes(r, user)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, shown)
}

// DELETE /admin/users/{user_id}/factors/recovery-codes
func (s *Server) deleteRecoveryCodes(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	shown, err := s.findRecoveryCodes(r, user)
	if err != nil {
		return err
	}
	trail := s.Audit.ByAdmin(admin.Role, models.AuditRecoveryCodesDeleted,
		map[string]any{"user_id": user.ID, "factor_id": shown.ID}).From(s.clientIP(r))
	err = s.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		return models.DeleteRecoveryCodes(tx, user.ID, trail, s.Kit.Time(r))
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound()
	case err != nil:
		return apierror.Failure("Database error deleting recovery codes", err)
	}
	return web.JSON(w, http.StatusOK, shown)
}

func (s *Server) findRecoveryCodes(r *http.Request, user *models.User) (*recoveryCodes, error) {
	set, err := models.FindRecoveryCodes(s.DB.Conn(r.Context()), user.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, errFactorNotFound()
	case err != nil:
		return nil, apierror.Failure("Database error loading recovery codes", err)
	}
	return &recoveryCodes{set.ID, mfa.RecoveryCode, set.FriendlyName, set.Total, len(set.Unspent)}, nil
}
