package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

// The error codes of identities.
const (
	codeManualLinkingDisabled apierror.Code = "manual_linking_disabled"
	codeUnexpectedAudience    apierror.Code = "unexpected_audience"
	codeSingleIdentity        apierror.Code = "single_identity_not_deletable"
	codeIdentityNotFound      apierror.Code = "identity_not_found"
	codeEmailConflict         apierror.Code = "email_conflict_identity_not_deletable"
)

// identityRoutes registers the routes by which users link and unlink
// identities themselves, where the project lets them.
func (s *Server) identityRoutes(r chi.Router) {
	r.Get("/user/identities/authorize", s.manualLinking(func(w http.ResponseWriter, r *http.Request, _ *web.Caller) error {
		return s.authorizeAtProvider(w, r)
	}))
	r.Delete("/user/identities/{identity_id}", s.manualLinking(s.unlinkIdentity))
}

func (s *Server) manualLinking(h web.UserHandler) http.HandlerFunc {
	return s.kit.FirstParty(func(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
		if !s.Config.Security.ManualLinkingEnabled {
			return apierror.New(http.StatusNotFound, codeManualLinkingDisabled, "Manual linking is disabled")
		}
		return h(w, r, caller)
	})
}

// DELETE /user/identities/{identity_id}
//
// The decision is made on the identities that the user has while nobody else
// changes them: of two requests at once, one may find only one left.
func (s *Server) unlinkIdentity(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	id, err := uuid.FromString(chi.URLParam(r, "identity_id"))
	switch {
	case err != nil:
		return apierror.New(http.StatusNotFound, apierror.ValidationFailed, "identity_id must be an UUID")
	case !sameAudience(r, caller):
		return apierror.New(http.StatusForbidden, codeUnexpectedAudience, wrongAudience)
	}
	var plan models.Unlinking
	var user *models.LinkedUser
	err = s.DB.Tx(r.Context(), func(tx *storage.Conn) (err error) {
		if user, err = models.LockLinkedUser(tx, caller.ID); err != nil {
			return err
		}
		if plan, err = accounts.Unlink(user, id, s.Config.Mailer.Autoconfirm); err != nil {
			return err
		}
		trail := s.audit.By(&user.User, models.AuditIdentityUnlinked, map[string]any{
			"identity_id": id, "provider": plan.Identity.Provider, "provider_id": plan.Identity.ProviderID,
		}).From(s.clientIP.Of(r))
		return models.UnlinkIdentity(tx, plan, trail, s.kit.Time(r))
	})
	if err != nil {
		return unlinkError(err)
	}
	s.tell(r, onetime.IdentityUnlinked(&user.User, plan.Identity.Provider))
	return web.JSON(w, http.StatusOK, struct{}{})
}

// unlinkError maps the rules of package accounts.
func unlinkError(err error) error {
	switch {
	case errors.Is(err, accounts.ErrLastIdentity):
		return unprocessable(codeSingleIdentity, "User must have at least 1 identity after unlinking")
	case errors.Is(err, accounts.ErrNoSuchIdentity):
		return unprocessable(codeIdentityNotFound, "Identity doesn't exist")
	case errors.Is(err, accounts.ErrEmailConflict), storage.IsUnique(err, "users_email_partial_key"):
		return unprocessable(codeEmailConflict, "Unable to unlink identity due to email conflict")
	}
	return fmt.Errorf("unlink identity: %w", err)
}
