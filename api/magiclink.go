package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

type magicLinkRequest struct {
	Email string         `json:"email"`
	Data  map[string]any `json:"data"`
	challengePair
}

// POST /magiclink
func (s *Server) magicLink(w http.ResponseWriter, r *http.Request) error {
	body, err := web.Body(r)
	if err != nil {
		return err
	}
	in := new(magicLinkRequest)
	if err := json.NewDecoder(bytes.NewReader(body)).Decode(in); err != nil { // a sentence of its own, as with GoTrue
		return apierror.New(http.StatusBadRequest, apierror.BadJSON, "Could not read verification params: "+err.Error())
	}
	return s.sendMagicLink(w, r, in)
}

// sendMagicLink mails a link or code that signs a user in. Who has no account
// yet, or has not confirmed it, gets the mail that confirms a sign-up instead.
func (s *Server) sendMagicLink(w http.ResponseWriter, r *http.Request, in *magicLinkRequest) error {
	challenge, err := s.checkMagicLink(in)
	if err != nil {
		return err
	}
	user, err := models.FindUserByEmail(s.DB.Conn(r.Context()), in.Email, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		err = s.signUpByMail(r, in, challenge)
	case err != nil:
		return apierror.Failure("Database error finding user", err)
	case user.EmailConfirmedAt == nil && !s.Config.Mailer.Autoconfirm:
		trail := s.audit.By(user, models.AuditConfirmationRequested, map[string]any{"provider": accounts.ProviderEmail})
		err = s.sendCode(r, confirmationMail(challenge, startedBySignUp), user, trail)
	default:
		err = s.sendCode(r, magicLinkMail(challenge), user, s.audit.By(user, models.AuditRecoveryRequested, nil))
	}
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}

// checkMagicLink applies the project's rules and puts the address into its
// stored form.
func (s *Server) checkMagicLink(in *magicLinkRequest) (*flow.Challenge, error) {
	disabled := func(message string) error {
		return apierror.New(http.StatusUnprocessableEntity, apierror.EmailProviderDisabled, message)
	}
	switch {
	case !s.Config.External.EmailEnabled:
		return nil, disabled("Email logins are disabled")
	case !s.Config.External.EmailMagicLinkEnabled:
		return nil, disabled("Login with magic link is disabled")
	case in.Email == "":
		return nil, apierror.New(http.StatusUnprocessableEntity, apierror.ValidationFailed, "Password recovery requires an email")
	}
	email, err := s.addresses.Email(in.Email)
	if err != nil {
		return nil, err
	}
	in.Email = email
	return in.parse()
}

// signUpByMail creates a user without a password that anybody knows. Where the
// project confirms addresses by itself, the user then gets a magic link.
func (s *Server) signUpByMail(r *http.Request, in *magicLinkRequest, challenge *flow.Challenge) error {
	if s.Config.DisableSignup {
		return errSignupDisabled()
	}
	now := s.kit.Time(r)
	fresh, err := accounts.SignUp{
		Email: in.Email, Data: in.Data, Aud: s.audience(r),
		Role: s.Config.JWT.DefaultGroupName, Confirmed: s.Config.Mailer.Autoconfirm, Now: now,
	}.NewUser(s.ids)
	if err != nil {
		return err
	}
	if fresh.EncryptedPassword, err = s.Hasher.Unguessable(); err != nil {
		return err
	}
	if !s.Config.Mailer.Autoconfirm {
		_, err := s.createUnconfirmed(r, fresh, confirmationMail(challenge, startedBySignUp))
		return err
	}
	user, err := s.createConfirmed(r, fresh, signInMethod{provider: accounts.ProviderEmail})
	if err != nil {
		return err
	}
	return s.sendCode(r, magicLinkMail(challenge), user, s.audit.By(user, models.AuditRecoveryRequested, nil))
}

// createConfirmed writes a new user whose address the project confirms by
// itself.
func (s *Server) createConfirmed(r *http.Request, fresh models.NewUser, how signInMethod) (*models.User, error) {
	permitted, err := s.permit(r, fresh)
	if err != nil {
		return nil, err
	}
	trail := s.audit.By(asUser(fresh), models.AuditUserSignedUp, how.traits())
	user, err := s.create(r, permitted, arrival{trail: trail})
	if err != nil {
		return nil, saveFailure(err)
	}
	return user, nil
}
