package api

import (
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
)

// GET /user
func (s *Server) getUser(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	if !sameAudience(r, caller) {
		return apierror.Validation(wrongAudience)
	}
	return web.JSON(w, http.StatusOK, view.NewUser(&caller.User))
}

const wrongAudience = "Token audience doesn't match request audience"

// sameAudience reports whether the caller's token is for the audience that the
// request is about.
func sameAudience(r *http.Request, caller *web.Caller) bool {
	audience := r.Header.Get("X-JWT-AUD")
	return len(caller.Claims.Audience) > 0 && (audience == "" || audience == caller.Claims.Audience[0])
}

type userUpdate struct {
	Email           string         `json:"email"`
	Phone           string         `json:"phone"`
	Channel         string         `json:"channel"`
	Password        *string        `json:"password"`
	CurrentPassword string         `json:"current_password"`
	Nonce           string         `json:"nonce"`
	Data            map[string]any `json:"data"`
	AppMetadata     map[string]any `json:"app_metadata"`
	challengePair
	// challenge is what the pair says, for a new address.
	challenge *flow.Challenge
}

// newAddress reports whether another address or number is asked for.
func (in *userUpdate) newAddress() bool { return in.Email != "" || in.Phone != "" }

// PUT /user
func (s *Server) updateUser(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	in, err := web.Decode[userUpdate](r)
	if err != nil {
		return err
	}
	if err := s.checkUpdate(r, in, caller); err != nil {
		return err
	}
	u := &update{in: in, caller: caller}
	if u.changes, u.trail, err = s.userChanges(r, in, caller); err != nil {
		return err
	}
	u.trail = append(u.trail, s.audit.By(&caller.User, models.AuditUserModified, nil)...)
	if err := s.writeUpdate(r, u); err != nil {
		return updateFailure(u.changes, fmt.Errorf("update user %s: %w", caller.ID, err))
	}
	s.tellOfUpdate(r, u)
	if err := s.sendChanges(r, u); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, view.NewUser(u.shown()))
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
	return s.checkFree(r, in, caller)
}

// checkFree refuses new addresses that are somebody's.
func (s *Server) checkFree(r *http.Request, in *userUpdate, caller *web.Caller) error {
	if in.Email != "" {
		taken, err := models.EmailTaken(s.DB.Conn(r.Context()), in.Email, s.audience(r), caller.ID)
		if err != nil {
			return apierror.Failure("Database error checking email", err)
		}
		if taken {
			return errEmailExists()
		}
	}
	if in.Phone == "" {
		return nil
	}
	return s.checkNewPhone(r, in.Phone)
}

// checkMayChangeLogin refuses callers whose password or address is not theirs
// to set now.
func checkMayChangeLogin(in *userUpdate, caller *web.Caller) error {
	changes := in.Password != nil || in.newAddress()
	hasAddress := in.newAddress() || caller.Email != "" || caller.Phone != ""
	switch {
	case changes && owesAAL2(caller):
		return apierror.New(http.StatusUnauthorized, apierror.InsufficientAAL,
			"AAL2 session is required to update email or password when MFA is enabled.")
	case in.Password != nil && caller.IsAnonymous && !hasAddress:
		return apierror.New(http.StatusUnprocessableEntity, apierror.ValidationFailed,
			"Updating password of an anonymous user without an email or phone is not allowed")
	case (changes || in.Nonce != "") && caller.IsSSOUser:
		return apierror.New(http.StatusUnprocessableEntity, apierror.UserSSOManaged,
			"Updating email, phone, password of a SSO account only possible via SSO")
	}
	return nil
}

// owesAAL2 reports whether a caller who has a second factor came without it.
func owesAAL2(caller *web.Caller) bool {
	return caller.HasVerifiedFactor() && (caller.Session == nil || caller.Session.AAL != models.AAL2)
}

// checkNewAddresses lets a caller repeat the present addresses: they are left in
// the request, in their stored form, only if they are others.
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
	if in.Phone == "" {
		return nil
	}
	if in.Phone, err = s.addresses.Phone(in.Phone); err != nil {
		return err
	}
	if in.Channel, err = s.checkChannel(in.Channel); err != nil {
		return err
	}
	if in.Phone == caller.Phone {
		in.Phone = ""
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
	if err := s.moveAddresses(&changes, in, caller, s.kit.Time(r)); err != nil {
		return changes, nil, err
	}
	if in.Password == nil {
		return changes, nil, nil
	}
	var err error
	if err = s.permitByNonce(r, &changes, in, caller); err != nil {
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
