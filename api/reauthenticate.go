package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/sms"
	"github.com/truegrant/truegrant/storage"
)

// recentSession is the age up to which a session proves by itself that its
// user is at the keyboard.
const recentSession = 24 * time.Hour

// GET /reauthenticate sends the code that a change of password asks for: by
// mail, or by text to users without an e-mail address.
func (s *Server) reauthenticate(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	message := codeMail{kind: onetime.Reauthentication}
	switch {
	case caller.Email == "" && caller.Phone == "":
		return apierror.Validation("Reauthentication requires the user to have an email or a phone number")
	case caller.Email == "" && caller.PhoneConfirmedAt == nil:
		return apierror.New(http.StatusUnprocessableEntity, apierror.PhoneNotConfirmed, "Please verify your phone first.")
	case caller.Email == "":
		message = s.textTo(onetime.SMSReauthentication, caller.Phone, sms.ChannelSMS, s.kit.Time(r))
	case caller.EmailConfirmedAt == nil:
		return apierror.New(http.StatusUnprocessableEntity, apierror.EmailNotConfirmed, "Please verify your email first.")
	}
	trail := s.audit.By(&caller.User, models.AuditReauthenticateRequested, nil)
	if err := s.sendCode(r, message, &caller.User, trail); err != nil {
		return err
	}
	return answerSent(w, message)
}

// permitByNonce makes a change of password depend on the code that it needs, if
// it needs one. The statement that writes the password spends the code.
func (s *Server) permitByNonce(r *http.Request, changes *models.UserChanges, in *userUpdate, caller *web.Caller) error {
	now := s.kit.Time(r)
	recent := caller.Session != nil && now.Before(caller.Session.CreatedAt.Add(recentSession))
	if !s.Config.Security.UpdatePasswordRequireReauthentication || recent {
		return nil
	}
	if in.Nonce == "" {
		return apierror.New(http.StatusBadRequest, apierror.ReauthenticationNeeded, "Password update requires reauthentication")
	}
	if err := web.Admit(r, s.limits.nonce, caller.ID.String(), now); err != nil {
		return err
	}
	switch {
	case caller.Email != "":
		changes.NonceHash = secret.OneTimeHash(caller.Email, in.Nonce)
		return s.checkNonceAge(onetime.Reauthentication, caller, now)
	case caller.Phone != "":
		return s.permitByText(r, changes, in.Nonce, caller)
	}
	return apierror.New(http.StatusUnprocessableEntity, apierror.ReauthenticationNotValid,
		"Reauthentication requires an email or a phone number")
}

// permitByText is permitByNonce for a code that came by text. Where the
// provider makes the codes it is asked.
func (s *Server) permitByText(r *http.Request, changes *models.UserChanges, code string, caller *web.Caller) error {
	now := s.kit.Time(r)
	typed := typedCode{kind: onetime.SMSReauthentication, phone: caller.Phone, code: code}
	_, isTest := sms.TestCode(s.Config.SMS, caller.Phone, now)
	verifier := s.texts.verifier()
	switch {
	case verifier == nil || isTest:
		changes.NonceHash = typed.hash()
		return s.checkNonceAge(typed.kind, caller, now)
	case caller.ReauthenticationSentAt == nil:
		return errNonce()
	}
	changes.NonceChecked = true
	err := s.askProvider(r.Context(), verifier, typed)
	if errors.Is(err, sms.ErrCode) {
		return errOTPExpired(codeExpired)
	}
	return err
}

func (s *Server) checkNonceAge(kind onetime.Kind, caller *web.Caller, now time.Time) error {
	if !s.onetime.Fresh(kind, caller.ReauthenticationSentAt, now) {
		return errNonce()
	}
	return nil
}

// updateFailure maps a refused update of the caller's own row.
func updateFailure(changes models.UserChanges, err error) error {
	if (changes.NonceHash != "" || changes.NonceChecked) && errors.Is(err, storage.ErrNotFound) {
		return errNonce()
	}
	var tooSoon *onetime.TooSoonError
	var unsent *onetime.SendError
	switch {
	case errors.As(err, &tooSoon), errors.As(err, &unsent),
		errors.Is(err, onetime.ErrOverBudget), errors.Is(err, onetime.ErrOverTextBudget):
		return err
	case storage.IsUnique(err, "users_phone_key"):
		return errPhoneExists()
	case storage.IsUnique(err, "users_email_partial_key"):
		return errEmailExists()
	}
	return apierror.Failure("Error updating user", err)
}

func errNonce() error {
	return apierror.New(http.StatusUnprocessableEntity, apierror.ReauthenticationNotValid, "Nonce has expired or is invalid")
}
