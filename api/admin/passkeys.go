package admin

import (
	"errors"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// passkeyView is a passkey as its owner and administrators see it.
type passkeyView struct {
	ID           uuid.UUID  `json:"id"`
	FriendlyName string     `json:"friendly_name,omitempty"`
	CreatedAt    time.Time  `json:"created_at"`
	LastUsedAt   *time.Time `json:"last_used_at,omitempty"`
}

// GET /admin/users/{user_id}/passkeys
func (s *Server) listPasskeys(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	passkeys, err := models.ListPasskeys(s.DB.Conn(r.Context()), user.ID)
	if err != nil {
		return apierror.Failure("Database error finding passkeys", err)
	}
	shown := make([]passkeyView, 0, len(passkeys))
	for _, p := range passkeys {
		shown = append(shown, passkeyView(p))
	}
	return web.JSON(w, http.StatusOK, shown)
}

// DELETE /admin/users/{user_id}/passkeys/{passkey_id}
func (s *Server) deletePasskey(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	notFound := apierror.New(http.StatusNotFound, apierror.ValidationFailed, "Passkey not found")
	id, err := uuid.FromString(chi.URLParam(r, "passkey_id"))
	if err != nil {
		return notFound
	}
	traits := map[string]any{"user_id": user.ID, "passkey_id": id}
	trail := s.Audit.ByAdmin(admin.Role, models.AuditPasskeyDeleted, traits).From(s.clientIP(r))
	err = models.DeletePasskey(s.DB.Conn(r.Context()), user.ID, id, trail, s.Kit.Time(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return notFound
	case err != nil:
		return apierror.Failure("Database error deleting passkey", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
