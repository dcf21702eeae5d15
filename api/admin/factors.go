package admin

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// The error codes of second factors.
const (
	codeFactorNotFound     apierror.Code = "mfa_factor_not_found"
	codeFactorNameConflict apierror.Code = "mfa_factor_name_conflict"
	codeFactorPhoneExists  apierror.Code = "mfa_verified_factor_exists"
)

// GET /admin/users/{user_id}/factors
func (s *Server) listFactors(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	shown := make([]view.Factor, 0, len(user.Factors))
	for _, factor := range user.Factors {
		shown = append(shown, view.NewFactor(factor))
	}
	return web.JSON(w, http.StatusOK, shown)
}

// factorInput is the body of PUT; empty members change nothing.
type factorInput struct {
	FriendlyName string `json:"friendly_name"`
	// Phone counts for phone factors only.
	Phone string `json:"phone"`
}

// PUT /admin/users/{user_id}/factors/{factor_id}
func (s *Server) updateFactor(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	user, factor, err := s.pathFactor(r)
	if err != nil {
		return err
	}
	in, err := web.Decode[factorInput](r)
	if err != nil {
		return err
	}
	change := models.FactorChange{UserID: user.ID, FactorID: factor.ID, FriendlyName: in.FriendlyName}
	if in.Phone != "" && factor.FactorType == string(mfa.Phone) {
		if change.Phone, err = s.Addresses.Phone(in.Phone); err != nil {
			return err
		}
	}
	trail := s.Audit.ByAdmin(admin.Role, models.AuditFactorUpdated, factorTraits(user, factor)).From(s.clientIP(r))
	changed, err := models.UpdateFactor(s.DB.Conn(r.Context()), change, trail, s.Kit.Time(r))
	if err != nil {
		return updateFactorError(err, in.FriendlyName)
	}
	return web.JSON(w, http.StatusOK, view.NewFactor(*changed))
}

func updateFactorError(err error, name string) error {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound() // removed meanwhile
	case models.IsFactorNameTaken(err):
		return apierror.New(http.StatusUnprocessableEntity, codeFactorNameConflict,
			"A factor with the friendly name "+strconv.Quote(name)+" for this user already exists")
	case models.IsFactorPhoneTaken(err):
		return apierror.New(http.StatusUnprocessableEntity, codeFactorPhoneExists,
			"A phone factor with this number already exists for this user")
	}
	return apierror.Failure("Database error updating factor", err)
}

// DELETE /admin/users/{user_id}/factors/{factor_id}
func (s *Server) deleteFactor(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	user, factor, err := s.pathFactor(r)
	if err != nil {
		return err
	}
	// The entry names the user, not the administrator, as GoTrue's does.
	trail := s.Audit.By(user, models.AuditFactorDeleted, factorTraits(user, factor)).From(s.clientIP(r))
	removal := models.Unenrolment{
		UserID: user.ID, FactorID: factor.ID, Status: factor.Status, Method: mfa.Type(factor.FactorType).Method(),
	}
	err = s.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		err := models.DeleteFactor(tx, removal, trail, s.Kit.Time(r))
		if errors.Is(err, storage.ErrNotFound) && removal.Status != models.FactorVerified {
			// Verified since it was read? There is no way back, so that one more
			// attempt decides.
			removal.Status = models.FactorVerified
			err = models.DeleteFactor(tx, removal, trail, s.Kit.Time(r))
		}
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errFactorNotFound()
	case err != nil:
		return apierror.Failure("Database error deleting factor", err)
	}
	return web.JSON(w, http.StatusOK, view.NewFactor(*factor))
}

// pathFactor finds the user whom the path names, and the factor among theirs.
func (s *Server) pathFactor(r *http.Request) (*models.User, *models.Factor, error) {
	user, err := s.pathUser(r)
	if err != nil {
		return nil, nil, err
	}
	id, err := uuid.FromString(chi.URLParam(r, "factor_id"))
	if err != nil {
		return nil, nil, apierror.New(http.StatusNotFound, apierror.ValidationFailed, "factor_id must be an UUID")
	}
	for i := range user.Factors {
		if user.Factors[i].ID == id {
			return user, &user.Factors[i], nil
		}
	}
	return nil, nil, errFactorNotFound()
}

func errFactorNotFound() error {
	return apierror.New(http.StatusNotFound, codeFactorNotFound, "Factor not found")
}

// factorTraits tell an audit entry about the factor that was changed.
func factorTraits(user *models.User, factor *models.Factor) map[string]any {
	return map[string]any{"user_id": user.ID, "factor_id": factor.ID, "factor_type": factor.FactorType}
}

// clientIP is the address that audit entries about factors record.
func (s *Server) clientIP(r *http.Request) string {
	return web.ClientIP{TrustSBForwardedFor: s.Config.Security.SBForwardedForEnabled}.Of(r)
}
