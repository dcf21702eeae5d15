package api

import (
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

type recoverRequest struct {
	Email string `json:"email"`
	challengePair
}

// POST /recover mails a link to a user who has forgotten the password. It
// answers the same whether or not there is such a user.
func (s *Server) recover(w http.ResponseWriter, r *http.Request) error {
	if !s.Config.External.EmailEnabled {
		return apierror.New(http.StatusBadRequest, apierror.EmailProviderDisabled, "Email logins are disabled")
	}
	in, err := web.Decode[recoverRequest](r)
	if err != nil {
		return err
	}
	if in.Email == "" {
		return apierror.Validation("Password recovery requires an email")
	}
	email, err := s.addresses.Email(in.Email)
	if err != nil {
		return err
	}
	challenge, err := in.parse()
	if err != nil {
		return err
	}
	user, err := models.FindUserByEmail(s.DB.Conn(r.Context()), email, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return web.JSON(w, http.StatusOK, struct{}{})
	case err != nil:
		return apierror.Failure("Unable to process request", err)
	}
	trail := s.audit.By(user, models.AuditRecoveryRequested, nil)
	if err := s.sendCode(r, recoveryMail(challenge), user, trail); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}
