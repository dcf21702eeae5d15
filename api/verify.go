package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// methodOTP is the amr method of everything that is verified by a mailed code.
const methodOTP = "otp"

type verifyRequest struct {
	Type       string `json:"type"`
	Token      string `json:"token"`
	TokenHash  string `json:"token_hash"`
	Email      string `json:"email"`
	Phone      string `json:"phone"`
	RedirectTo string `json:"redirect_to"`
}

// POST /verify
func (s *Server) verifyCode(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[verifyRequest](r)
	if err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	var user *models.User
	var hashes []string
	if in.TokenHash != "" {
		user, hashes, err = s.findByLink(r, in.TokenHash, "Email link is invalid or has expired")
	} else {
		user, hashes, err = s.findByCode(r, in)
	}
	if err != nil {
		return err
	}
	issued, err := s.redeemConfirmation(r, user, hashes)
	if errors.Is(err, onetime.ErrExpired) {
		return errOTPExpired("Token has expired or is invalid")
	}
	if err != nil {
		return err
	}
	return s.answerSession(w, *issued, user, s.kit.Time(r))
}

// check applies the rules on which members go together.
func (in *verifyRequest) check() error {
	switch {
	case in.Type == "":
		return apierror.Validation("Verify requires a verification type")
	case (in.Token == "") == (in.TokenHash == ""):
		return apierror.Validation("Verify requires either a token or a token hash")
	case in.Token != "" && (in.Email == "") == (in.Phone == ""):
		return apierror.Validation("Only an email address or phone number should be provided on verify")
	case in.TokenHash != "" && (in.Email != "" || in.Phone != "" || in.RedirectTo != ""):
		return apierror.Validation("Only the token_hash and type should be provided")
	case in.TokenHash != "" && !confirms(in.Type):
		return apierror.Validation("Invalid email verification type")
	}
	return nil
}

// confirms reports whether a verification type redeems a confirmation.
func confirms(verificationType string) bool {
	return verificationType == "signup" || verificationType == "invite" || verificationType == "email"
}

// findByLink finds whom a link was sent to.
func (s *Server) findByLink(r *http.Request, hash, message string) (*models.User, []string, error) {
	user, err := models.FindUserByConfirmation(s.DB.Conn(r.Context()), hash)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil, errOTPExpired(message)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find confirmation: %w", err)
	}
	if err := s.checkPending(r, user, message); err != nil {
		return nil, nil, err
	}
	return user, []string{hash}, nil
}

// findByCode finds the user of an address. Whether the code is right is
// decided by the statement that spends it.
func (s *Server) findByCode(r *http.Request, in *verifyRequest) (*models.User, []string, error) {
	const message = "Token has expired or is invalid"
	if in.Phone != "" {
		if _, err := s.addresses.Phone(in.Phone); err != nil {
			return nil, nil, err
		}
		return nil, nil, errOTPExpired(message)
	}
	email, err := s.addresses.Email(in.Email)
	if err != nil {
		return nil, nil, apierror.New(http.StatusUnprocessableEntity, apierror.ValidationFailed, "Invalid email format")
	}
	user, err := models.FindUserByEmail(s.DB.Conn(r.Context()), email, s.audience(r))
	if errors.Is(err, storage.ErrNotFound) || (err == nil && !confirms(in.Type)) {
		return nil, nil, errOTPExpired(message)
	}
	if err != nil {
		return nil, nil, apierror.Failure("Database error finding user", err)
	}
	if err := s.checkPending(r, user, message); err != nil {
		return nil, nil, err
	}
	return user, onetime.Hashes(email, in.Token), nil
}

func (s *Server) checkPending(r *http.Request, user *models.User, message string) error {
	now := s.kit.Time(r)
	switch {
	case user.Banned(now):
		return apierror.New(http.StatusForbidden, apierror.UserBanned, "User is banned")
	case !s.onetime.Fresh(user.ConfirmationSentAt, now):
		return errOTPExpired(message)
	}
	return nil
}

// redeemConfirmation confirms the user's address and signs the user in.
func (s *Server) redeemConfirmation(r *http.Request, user *models.User, hashes []string) (*tokens.Issued, error) {
	now := s.kit.Time(r)
	conn := s.DB.Conn(r.Context())
	// The hook must not run, and no token be minted, for a wrong guess.
	holds, err := models.HoldsConfirmation(conn, user.ID, hashes)
	if err != nil {
		return nil, fmt.Errorf("check confirmation: %w", err)
	}
	if !holds {
		return nil, onetime.ErrExpired
	}
	if err := user.Confirm(now); err != nil {
		return nil, err
	}
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: user, Method: methodOTP, Origin: s.origin(r), Now: now})
	if err != nil {
		return nil, err
	}
	trail := s.audit.By(user, models.AuditUserSignedUp, map[string]any{"provider": "email"})
	redeemed, err := models.RedeemConfirmation(conn, user, hashes, draft.Session, trail, now)
	if err != nil {
		return nil, fmt.Errorf("redeem confirmation: %w", err)
	}
	if !redeemed {
		return nil, onetime.ErrExpired
	}
	return &draft.Issued, nil
}

func errOTPExpired(message string) error {
	return apierror.New(http.StatusForbidden, apierror.OTPExpired, message)
}
