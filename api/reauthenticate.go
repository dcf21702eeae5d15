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
	"github.com/truegrant/truegrant/storage"
)

// recentSession is the age up to which a session proves by itself that its
// user is at the keyboard.
const recentSession = 24 * time.Hour

// GET /reauthenticate mails the code that a change of password asks for.
func (s *Server) reauthenticate(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	switch {
	case caller.Email == "":
		return apierror.Validation("Reauthentication requires the user to have an email or a phone number")
	case caller.EmailConfirmedAt == nil:
		return apierror.New(http.StatusUnprocessableEntity, apierror.EmailNotConfirmed, "Please verify your email first.")
	}
	trail := s.audit.By(&caller.User, models.AuditReauthenticateRequested, nil)
	if err := s.sendCode(r, codeMail{kind: onetime.Reauthentication}, &caller.User, trail); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, struct{}{})
}

// nonceHash is the hash of the code that a change of password needs, empty
// when it needs none. The statement that writes the password spends the code.
func (s *Server) nonceHash(r *http.Request, in *userUpdate, caller *web.Caller) (string, error) {
	now := s.kit.Time(r)
	recent := caller.Session != nil && now.Before(caller.Session.CreatedAt.Add(recentSession))
	if !s.Config.Security.UpdatePasswordRequireReauthentication || recent {
		return "", nil
	}
	if in.Nonce == "" {
		return "", apierror.New(http.StatusBadRequest, apierror.ReauthenticationNeeded, "Password update requires reauthentication")
	}
	if !s.onetime.Fresh(caller.ReauthenticationSentAt, now) {
		return "", errNonce()
	}
	return secret.OneTimeHash(caller.Email, in.Nonce), nil
}

// updateFailure maps a refused update of the caller's own row.
func updateFailure(changes models.UserChanges, err error) error {
	if changes.NonceHash != "" && errors.Is(err, storage.ErrNotFound) {
		return errNonce()
	}
	var tooSoon *onetime.TooSoonError
	var unsent *onetime.SendError
	switch {
	case errors.As(err, &tooSoon), errors.As(err, &unsent), errors.Is(err, onetime.ErrOverBudget):
		return err
	case storage.IsUnique(err, "users_email_partial_key"):
		return errEmailExists()
	}
	return apierror.Failure("Error updating user", err)
}

func errNonce() error {
	return apierror.New(http.StatusUnprocessableEntity, apierror.ReauthenticationNotValid, "Nonce has expired or is invalid")
}
