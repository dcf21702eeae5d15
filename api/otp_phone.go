package api

import (
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

// otpByPhone texts a code that signs a user in. Who has no account yet, or has
// not confirmed the number, signs up by it.
func (s *Server) otpByPhone(w http.ResponseWriter, r *http.Request, in *otpRequest) error {
	if err := s.checkPhoneOTP(in); err != nil {
		return err
	}
	user, err := models.FindUserByPhone(s.DB.Conn(r.Context()), in.Phone, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return s.signUpByText(w, r, in)
	case err != nil:
		return apierror.Failure("Database error finding user", err)
	case user.PhoneConfirmedAt == nil:
		return s.signUpByTextAgain(w, r, in, user)
	}
	return s.textLogin(w, r, in, user)
}

// checkPhoneOTP applies the project's rules and puts number and channel into
// their stored form.
func (s *Server) checkPhoneOTP(in *otpRequest) (err error) {
	if !s.Config.External.PhoneEnabled {
		return apierror.New(http.StatusBadRequest, apierror.PhoneProviderDisabled, "Unsupported phone provider")
	}
	if in.Phone, err = s.addresses.Phone(in.Phone); err != nil {
		return err
	}
	in.Channel, err = s.checkChannel(in.Channel)
	return err
}

// textLogin texts the code of a login.
func (s *Server) textLogin(w http.ResponseWriter, r *http.Request, in *otpRequest, user *models.User) error {
	text := s.textTo(onetime.SMSConfirmation, in.Phone, in.Channel, s.kit.Time(r))
	trail := s.audit.By(user, models.AuditRecoveryRequested, map[string]any{"channel": in.Channel})
	if err := s.sendCode(r, text, user, trail); err != nil {
		return err
	}
	return answerSent(w, text)
}

// signUpByText creates a user without a password that anybody knows. Where the
// project confirms numbers by itself, the user then gets the code of a login.
func (s *Server) signUpByText(w http.ResponseWriter, r *http.Request, in *otpRequest) error {
	if s.Config.DisableSignup {
		return errSignupDisabled()
	}
	now := s.kit.Time(r)
	fresh, err := accounts.SignUp{
		Phone: in.Phone, Data: in.Data, Aud: s.audience(r),
		Role: s.Config.JWT.DefaultGroupName, Confirmed: s.Config.SMS.Autoconfirm, Now: now,
	}.NewUser(s.ids)
	if err != nil {
		return err
	}
	if fresh.EncryptedPassword, err = s.Hasher.Unguessable(); err != nil {
		return err
	}
	if s.Config.SMS.Autoconfirm {
		user, err := s.createConfirmed(r, fresh, signInMethod{provider: accounts.ProviderPhone, channel: in.Channel})
		if err != nil {
			return err
		}
		return s.textLogin(w, r, in, user)
	}
	if _, err := s.createUnconfirmed(r, fresh, s.textTo(onetime.SMSConfirmation, in.Phone, in.Channel, now)); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}

// signUpByTextAgain goes on with a sign-up whose number is not confirmed.
func (s *Server) signUpByTextAgain(w http.ResponseWriter, r *http.Request, in *otpRequest, user *models.User) error {
	if s.Config.DisableSignup {
		return errSignupDisabled()
	}
	now := s.kit.Time(r)
	if s.Config.SMS.Autoconfirm {
		how := signInMethod{provider: accounts.ProviderPhone, channel: in.Channel}
		trail := s.audit.By(user, models.AuditUserSignedUp, how.traits())
		confirmed, err := models.UpdateUser(s.DB.Conn(r.Context()), user.ID, models.UserChanges{PhoneConfirmedAt: &now}, trail, now)
		if err != nil {
			return apierror.Failure("Database error updating user", err)
		}
		return s.textLogin(w, r, in, confirmed)
	}
	trail := s.audit.By(user, models.AuditConfirmationRequested, map[string]any{"provider": accounts.ProviderPhone})
	if err := s.sendCode(r, s.textTo(onetime.SMSConfirmation, in.Phone, in.Channel, now), user, trail); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}
