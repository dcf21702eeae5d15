package admin

import (
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

type userDeletion struct {
	ShouldSoftDelete bool `json:"should_soft_delete"`
}

// DELETE /admin/users/{user_id}
func (s *Server) deleteUser(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	// A mistake in the body must not turn a soft deletion into a hard one.
	in, err := web.DecodeOptional[userDeletion](r)
	if err != nil {
		return err
	}
	conn, now := s.DB.Conn(r.Context()), s.Kit.Time(r)
	trail := s.Audit.ByAdmin(admin.Role, models.AuditUserDeleted, traits(user.ID, user.Email, user.Phone))
	if in.ShouldSoftDelete {
		if err := models.SoftDeleteUser(conn, user.ID, trail, now); err != nil {
			return apierror.Failure("Error soft deleting user", err)
		}
		return web.JSON(w, http.StatusOK, struct{}{})
	}
	switch err := models.DeleteUser(conn, user.ID, trail, now); {
	case errors.Is(err, storage.ErrNotFound):
		return errUserNotFound() // another request was faster
	case err != nil:
		return apierror.Failure("Database error deleting user", err)
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}
