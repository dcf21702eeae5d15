package api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

type resendRequest struct {
	Type  string `json:"type"`
	Email string `json:"email"`
	Phone string `json:"phone"`
	challengePair
	// challenge is what the pair says.
	challenge *flow.Challenge
}

// POST /resend sends the mails of a sign-up or of a change of address again. It
// answers the same whether or not there is anything to send.
func (s *Server) resend(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[resendRequest](r)
	if err != nil {
		return err
	}
	if err := s.checkResend(in); err != nil {
		return err
	}
	if in.Type == "email_change" {
		if err := s.resendEmailChange(r, in); err != nil {
			return err
		}
		return web.JSON(w, http.StatusOK, struct{}{})
	}
	user, err := models.FindUserByEmail(s.DB.Conn(r.Context()), in.Email, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && user.EmailConfirmedAt != nil:
		return web.JSON(w, http.StatusOK, struct{}{})
	case err != nil:
		return apierror.Failure("Unable to process request", err)
	}
	trail := s.audit.By(user, models.AuditConfirmationRequested, nil)
	if err := s.sendCode(r, confirmationMail(in.challenge, startedByResend), user, trail); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}

// checkResend puts address and challenge into their stored form.
func (s *Server) checkResend(in *resendRequest) (err error) {
	if in.challenge, err = in.parse(); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	switch {
	case in.Email == "" || in.Type == "phone_change":
		return apierror.New(http.StatusBadRequest, apierror.PhoneProviderDisabled, "Phone logins are disabled")
	case !s.Config.External.EmailEnabled:
		return apierror.New(http.StatusBadRequest, apierror.EmailProviderDisabled, "Email logins are disabled")
	}
	in.Email, err = s.addresses.Email(in.Email)
	return err
}

// check applies the rules on which members go together.
func (in *resendRequest) check() error {
	switch {
	case !slices.Contains([]string{"signup", "email_change", "sms", "phone_change"}, in.Type):
		return apierror.Validation("Missing one of these types: signup, email_change, sms, phone_change")
	case in.Type == "signup" && in.Email == "":
		return apierror.Validation("Type provided requires an email address")
	case in.Type == "sms" && in.Phone == "":
		return apierror.Validation("Type provided requires a phone number")
	case in.Email != "" && in.Phone != "":
		return apierror.Validation("Only an email address or phone number should be provided.")
	case in.Email == "" && in.Phone == "":
		return apierror.Validation("Missing email address or phone number")
	}
	return nil
}
