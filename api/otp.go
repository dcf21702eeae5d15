package api

import (
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

type otpRequest struct {
	magicLinkRequest
	Phone   string `json:"phone"`
	Channel string `json:"channel"`
	// CreateUser is true unless the app says otherwise.
	CreateUser *bool `json:"create_user"`
}

// POST /otp sends a code by which a user signs in or, unless the app forbids
// it, up.
func (s *Server) otp(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[otpRequest](r)
	if err != nil {
		return err
	}
	if err := s.checkOTP(r, in); err != nil {
		return err
	}
	if in.Phone != "" {
		return s.otpByPhone(w, r, in)
	}
	return s.sendMagicLink(w, r, &in.magicLinkRequest)
}

// checkOTP applies the rules on which members go together, and on users who
// must exist already.
func (s *Server) checkOTP(r *http.Request, in *otpRequest) error {
	switch {
	case in.Email != "" && in.Phone != "":
		return apierror.Validation("Only an email address or phone number should be provided")
	case in.Email != "" && in.Channel != "":
		return apierror.Validation("Channel should only be specified with Phone OTP")
	}
	if _, err := in.parse(); err != nil {
		return err
	}
	if in.CreateUser != nil && !*in.CreateUser {
		if err := s.checkExists(r, in); err != nil {
			return err
		}
	}
	if in.Email == "" && in.Phone == "" {
		return apierror.Validation("One of email or phone must be set")
	}
	return nil
}

// checkExists refuses an address that belongs to no user.
func (s *Server) checkExists(r *http.Request, in *otpRequest) error {
	refused := apierror.New(http.StatusUnprocessableEntity, apierror.OTPDisabled, "Signups not allowed for otp")
	_, err := s.findOTPUser(r, in)
	var malformed *accounts.InputError
	switch {
	case errors.As(err, &malformed):
		return refused
	case errors.Is(err, storage.ErrNotFound):
		return refused
	case err != nil:
		return apierror.Failure("Database error finding user", err)
	}
	return nil
}

// findOTPUser finds the user of the address in a request.
func (s *Server) findOTPUser(r *http.Request, in *otpRequest) (*models.User, error) {
	conn, aud := s.DB.Conn(r.Context()), s.audience(r)
	if in.Phone != "" {
		phone, err := s.addresses.Phone(in.Phone)
		if err != nil {
			return nil, err
		}
		return models.FindUserByPhone(conn, phone, aud)
	}
	email, err := s.addresses.Email(in.Email)
	if err != nil {
		return nil, err
	}
	return models.FindUserByEmail(conn, email, aud)
}
