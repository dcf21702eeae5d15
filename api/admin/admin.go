package admin

import (
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// Deps are the parts that the routes are wired from.
type Deps struct {
	Config *conf.Config
	DB     *storage.DB
	Kit    *web.Kit
	Hasher *password.Hasher
	// Box encrypts the passwords that updates set.
	Box   *secret.Box
	IDs   models.IDs
	Audit models.Auditor
	// Passwords judges the passwords that updates set; creation takes any.
	Passwords password.Checker
	Addresses *accounts.Addresses
}

// Server answers the routes under /admin.
type Server struct{ Deps }

// New wires the routes.
func New(deps Deps) *Server { return &Server{deps} }

// Routes registers the routes on a router that is mounted at /admin. Each of
// them demands a service-role token.
func (s *Server) Routes(r chi.Router) {
	for _, slash := range []string{"", "/"} {
		r.Get("/users"+slash, s.Kit.Admin(s.listUsers))
		r.Post("/users"+slash, s.Kit.Admin(s.createUser))
		r.Get("/users/{user_id}"+slash, s.Kit.Admin(s.getUser))
		r.Put("/users/{user_id}"+slash, s.Kit.Admin(s.updateUser))
		r.Delete("/users/{user_id}"+slash, s.Kit.Admin(s.deleteUser))
		r.Get("/users/{user_id}/factors"+slash, s.Kit.Admin(s.listFactors))
		r.Get("/users/{user_id}/factors/recovery-codes"+slash, s.Kit.Admin(s.getRecoveryCodes))
		r.Delete("/users/{user_id}/factors/recovery-codes"+slash, s.Kit.Admin(s.deleteRecoveryCodes))
		r.Put("/users/{user_id}/factors/{factor_id}"+slash, s.Kit.Admin(s.updateFactor))
		r.Delete("/users/{user_id}/factors/{factor_id}"+slash, s.Kit.Admin(s.deleteFactor))
		r.Get("/users/{user_id}/passkeys"+slash, s.Kit.Admin(s.listPasskeys))
		r.Delete("/users/{user_id}/passkeys/{passkey_id}"+slash, s.Kit.Admin(s.deletePasskey))
		r.Get("/audit"+slash, s.Kit.Admin(s.listAudit))
	}
}

// audience is that of a request. The token's own does not count: it is the
// administrator's, not the users'.
func (s *Server) audience(r *http.Request) string {
	if aud := r.Header.Get("X-JWT-AUD"); aud != "" {
		return aud
	}
	return s.Config.JWT.Aud
}

// pathUser finds the user whom the path names.
func (s *Server) pathUser(r *http.Request) (*models.User, error) {
	id, err := uuid.FromString(chi.URLParam(r, "user_id"))
	if err != nil {
		return nil, apierror.New(http.StatusNotFound, apierror.ValidationFailed, "user_id must be an UUID")
	}
	user, err := models.FindUser(s.DB.Conn(r.Context()), id)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, errUserNotFound()
	case err != nil:
		return nil, apierror.Failure("Database error loading user", err)
	}
	return user, nil
}

func errUserNotFound() error {
	return apierror.New(http.StatusNotFound, apierror.UserNotFound, "User not found")
}

// traits tell an audit entry about the user whom an administrator changed.
func traits(id uuid.UUID, email, phone string) map[string]any {
	return map[string]any{"user_id": id, "user_email": email, "user_phone": phone}
}
