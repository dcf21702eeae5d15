package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/password"
)

// GET /user
func (s *Server) getUser(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	audience := r.Header.Get("X-JWT-AUD")
	if len(caller.Claims.Audience) == 0 || (audience != "" && audience != caller.Claims.Audience[0]) {
		return apierror.Validation("Token audience doesn't match request audience")
	}
	return web.JSON(w, http.StatusOK, view.NewUser(&caller.User))
}

type userUpdate struct {
	Email           string         `json:"email"`
	Phone           string         `json:"phone"`
	Password        *string        `json:"password"`
	CurrentPassword string         `json:"current_password"`
	Nonce           string         `json:"nonce"`
	Data            map[string]any `json:"data"`
	AppMetadata     map[string]any `json:"app_metadata"`
	challengePair
	// challenge is what the pair says, for a new address.
	challenge *flow.Challenge
}

// PUT /user
func (s *Server) updateUser(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	in, err := web.Decode[userUpdate](r)
	if err != nil {
		return err
	}
	if err := s.checkUpdate(r, in, caller); err != nil {
		return err
	}
	changes, trail, err := s.userChanges(r, in, caller)
	if err != nil {
		return err
	}
	trail = append(trail, s.audit.By(&caller.User, models.AuditUserModified, nil)...)
	user, mails, err := s.writeUpdate(r, in, caller, changes, trail)
	if err != nil {
		return updateFailure(changes, fmt.Errorf("update user %s: %w", caller.ID, err))
	}
	if err := s.sendEmailChange(r, mails); err != nil {
		return err
	}
	if changes.Email != nil {
		user.ConfirmedAt = nil // GoTrue answers with what it wrote, not with what the database generated
	}
	return web.JSON(w, http.StatusOK, view.NewUser(user))
}

// writeUpdate writes changes. The mails of a new address are still to be sent.
func (s *Server) writeUpdate(r *http.Request, in *userUpdate, caller *web.Caller, changes models.UserChanges, trail models.AuditTrail) (
	*models.User, []onetime.Mail, error,
) {
	if in.Email != "" && changes.Email == nil {
		return s.writeEmailChange(r, in, caller, changes, trail)
	}
	user, err := models.UpdateUser(s.DB.Conn(r.Context()), caller.ID, changes, trail, s.kit.Time(r))
	return user, nil, err
}

// checkUpdate says whether the caller may change what is asked, and whether
// the values are well formed.
func (s *Server) checkUpdate(r *http.Request, in *userUpdate, caller *web.Caller) error {
	if err := s.checkNewAddresses(in, caller); err != nil {
		return err
	}
	if in.Password != nil {
		if err := s.checkPassword(r, *in.Password); err != nil {
			return err
		}
	}
	if in.AppMetadata != nil && !s.mayWriteAppMetadata(caller) {
		return apierror.New(http.StatusForbidden, apierror.NotAdmin, "Updating app_metadata requires admin privileges")
	}
	if err := checkMayChangeLogin(in, caller); err != nil {
		return err
	}
	if in.Email != "" {
		taken, err := models.EmailTaken(s.DB.Conn(r.Context()), in.Email, s.audience(r), caller.ID)
		if err != nil {
			return apierror.Failure("Database error checking email", err)
		}
		if taken {
			return errEmailExists()
		}
	}
	return nil
}

// checkMayChangeLogin refuses callers whose password or address is not theirs
// to set now.
func checkMayChangeLogin(in *userUpdate, caller *web.Caller) error {
	changes := in.Password != nil || in.Email != ""
	switch {
	case changes && caller.HasVerifiedFactor() && (caller.Session == nil || caller.Session.AAL != models.AAL2):
		return apierror.New(http.StatusUnauthorized, apierror.InsufficientAAL,
			"AAL2 session is required to update email or password when MFA is enabled.")
	case in.Password != nil && caller.IsAnonymous && in.Email == "" && caller.Email == "" && caller.Phone == "":
		return apierror.New(http.StatusUnprocessableEntity, apierror.ValidationFailed,
			"Updating password of an anonymous user without an email or phone is not allowed")
	case (changes || in.Nonce != "") && caller.IsSSOUser:
		return apierror.New(http.StatusUnprocessableEntity, apierror.UserSSOManaged,
			"Updating email, phone, password of a SSO account only possible via SSO")
	}
	return nil
}

// checkNewAddresses lets a caller repeat the present addresses: an e-mail
// address is left in the request, in its stored form, only if it is another one.
func (s *Server) checkNewAddresses(in *userUpdate, caller *web.Caller) (err error) {
	if in.Email != "" {
		if in.Email, err = s.addresses.Email(in.Email); err != nil {
			return err
		}
		if in.Email == caller.Email {
			in.Email = ""
		} else if in.challenge, err = in.parse(); err != nil {
			return err
		}
	}
	if in.Phone != "" {
		phone, err := s.addresses.Phone(in.Phone)
		if err != nil {
			return err
		}
		if phone != caller.Phone {
			return apierror.Validation("Changing the phone number is not available on this server")
		}
	}
	return nil
}

func (s *Server) mayWriteAppMetadata(caller *web.Caller) bool {
	return caller.Aud == s.Config.JWT.Aud && caller.Role == s.Config.JWT.AdminGroupName
}

// userChanges turns a request into the columns to write. A new password ends
// every other session and every code that is still pending.
func (s *Server) userChanges(r *http.Request, in *userUpdate, caller *web.Caller) (models.UserChanges, models.AuditTrail, error) {
	changes := models.UserChanges{
		AppPatch: models.NewMetadataPatch(in.AppMetadata), UserPatch: models.NewMetadataPatch(in.Data),
	}
	if in.Email != "" && s.movesAtOnce(caller) {
		s.moveAtOnce(&changes, in.Email, caller, s.kit.Time(r))
	}
	if in.Password == nil {
		return changes, nil, nil
	}
	var err error
	if changes.NonceHash, err = s.nonceHash(r, in, caller); err != nil {
		return changes, nil, err
	}
	if err := s.checkPasswordChange(r, in, caller); err != nil {
		return changes, nil, err
	}
	hash, err := s.sealedHash(r, caller.ID.String(), *in.Password)
	if err != nil {
		return changes, nil, err
	}
	changes.EncryptedPassword, changes.ClearTokens = &hash, true
	changes.EndSessions, changes.KeepSession = true, caller.SessionID()
	return changes, s.audit.By(&caller.User, models.AuditUserUpdatedPassword, nil), nil
}

// checkPasswordChange asks for the present password where the project wants
// it, and refuses the same password again.
func (s *Server) checkPasswordChange(r *http.Request, in *userUpdate, caller *web.Caller) error {
	hash, _, err := s.Box.Open(caller.ID.String(), caller.EncryptedPassword)
	if err != nil {
		return fmt.Errorf("open password hash: %w", err)
	}
	if hash == "" {
		return nil
	}
	if s.Config.Security.UpdatePasswordRequireCurrentPassword && !signedInByCode(caller) {
		if err := s.checkCurrentPassword(r, hash, in.CurrentPassword); err != nil {
			return err
		}
	}
	err = s.Hasher.Compare(r.Context(), hash, *in.Password)
	switch {
	case err == nil:
		return apierror.New(http.StatusUnprocessableEntity, apierror.SamePassword,
			"New password should be different from the old password.")
	case errors.Is(err, password.ErrMismatch), errors.Is(err, password.ErrUnsupported):
		return nil
	}
	return fmt.Errorf("compare password: %w", err)
}

func (s *Server) checkCurrentPassword(r *http.Request, hash, current string) error {
	const message = "Current password required when setting new password."
	if current == "" {
		return apierror.New(http.StatusBadRequest, apierror.CurrentPasswordRequired, message)
	}
	err := s.Hasher.Compare(r.Context(), hash, current)
	// A stored hash of an unknown form matches no password.
	if errors.Is(err, password.ErrMismatch) || errors.Is(err, password.ErrUnsupported) {
		return apierror.New(http.StatusBadRequest, apierror.CurrentPasswordInvalid, message)
	}
	return err
}

// signedInByCode reports whether the session began with a mailed code or link:
// such a user may have forgotten the password.
func signedInByCode(caller *web.Caller) bool {
	if caller.Session == nil {
		return false
	}
	for _, claim := range caller.Session.AMR {
		switch claim.Method {
		case methodOTP, "magiclink", "recovery":
			return true
		}
	}
	return false
}

// sealedHash hashes a password for a user's row.
func (s *Server) sealedHash(r *http.Request, userID, plain string) (string, error) {
	hash, err := s.Hasher.Hash(r.Context(), plain)
	if err != nil {
		return "", err
	}
	return s.Box.Seal(userID, hash)
}
