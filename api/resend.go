package api

import (
	"errors"
	"net/http"
	"slices"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/sms"
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

// POST /resend sends the messages of a sign-up or of a change of address again.
// It answers the same whether or not there is anything to send.
func (s *Server) resend(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[resendRequest](r)
	if err != nil {
		return err
	}
	if err := s.checkResend(in); err != nil {
		return err
	}
	user, err := s.findByPresentAddress(r, in)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return web.JSON(w, http.StatusOK, struct{}{})
	case err != nil:
		return apierror.Failure("Unable to process request", err)
	}
	message, err := s.sendAgain(r, in, user)
	if err != nil {
		return err
	}
	return answerSent(w, message)
}

func (s *Server) findByPresentAddress(r *http.Request, in *resendRequest) (*models.User, error) {
	if in.Phone != "" {
		return models.FindUserByPhone(s.DB.Conn(r.Context()), in.Phone, s.audience(r))
	}
	return models.FindUserByEmail(s.DB.Conn(r.Context()), in.Email, s.audience(r))
}

// sendAgain sends what a user still waits for; the zero value if there is
// nothing.
func (s *Server) sendAgain(r *http.Request, in *resendRequest, user *models.User) (message codeMail, err error) {
	now := s.kit.Time(r)
	var trail models.AuditTrail
	switch {
	case in.Type == "email_change":
		return message, s.resendEmailChange(r, in, user)
	case in.Type == "phone_change" && user.PhoneChange != "":
		message = s.textTo(onetime.SMSPhoneChange, user.PhoneChange, sms.ChannelSMS, now)
	case in.Type == "sms" && user.PhoneConfirmedAt == nil:
		message = s.textTo(onetime.SMSConfirmation, user.Phone, sms.ChannelSMS, now)
		trail = s.audit.By(user, models.AuditRecoveryRequested, nil)
	case in.Type == "signup" && user.EmailConfirmedAt == nil:
		message = confirmationMail(in.challenge, startedByResend)
		trail = s.audit.By(user, models.AuditConfirmationRequested, nil)
	default:
		return message, nil
	}
	return message, s.sendCode(r, message, user, trail)
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
	case in.Email != "" && !s.Config.External.EmailEnabled:
		return apierror.New(http.StatusBadRequest, apierror.EmailProviderDisabled, "Email logins are disabled")
	case in.Phone != "" && !s.Config.External.PhoneEnabled:
		return apierror.New(http.StatusBadRequest, apierror.PhoneProviderDisabled, "Phone logins are disabled")
	case in.Phone != "":
		in.Phone, err = s.addresses.Phone(in.Phone)
	default:
		in.Email, err = s.addresses.Email(in.Email)
	}
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
