package api

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// checkNewPhone refuses a number that is somebody's.
func (s *Server) checkNewPhone(r *http.Request, phone string) error {
	taken, err := models.FindTakenAddresses(s.DB.Conn(r.Context()), "", phone, s.audience(r))
	switch {
	case err != nil:
		return apierror.Failure("Database error checking phone", err)
	case taken.Phone:
		return errPhoneExists()
	}
	return nil
}

// movePhoneAtOnce makes a new number the user's without a confirmation, as the
// project wants it. An anonymous user becomes a permanent one.
func (s *Server) movePhoneAtOnce(changes *models.UserChanges, phone string, caller *web.Caller, now time.Time) error {
	identity, permanent := accounts.PhoneIdentity(s.ids.New(), caller.ID, phone, true), false
	if old := caller.Identities.Of(accounts.ProviderPhone); old != nil {
		data, err := old.Data()
		if err != nil {
			return err
		}
		data["phone"], data["phone_verified"] = phone, true
		identity.IdentityData = data
	}
	changes.Phone, changes.PhoneConfirmedAt, changes.IsAnonymous = &phone, &now, &permanent
	changes.Identities = append(changes.Identities, identity)
	return nil
}

// phoneChangeEnd is the end of a change that is still to be confirmed.
func (s *Server) phoneChangeEnd(user *models.User, phone string) models.PhoneChangeEnd {
	return models.PhoneChangeEnd{
		UserID: user.ID, Was: user.Phone, Phone: phone,
		Identity: accounts.PhoneIdentity(s.ids.New(), user.ID, phone, true),
		AppData:  providersWith(user.Identities, accounts.ProviderPhone),
	}
}

// setPhoneChange stores a new number that waits for its confirmation.
func (s *Server) setPhoneChange(tx *storage.Conn, u *update, now time.Time) error {
	u.user.PhoneChange = u.in.Phone
	u.text = s.textTo(onetime.SMSPhoneChange, u.in.Phone, u.in.Channel, now)
	code, token, err := s.draft(u.text, u.user)
	if err != nil {
		return err
	}
	token.Throttled, token.LastSent = u.throttled(), u.caller.PhoneChangeSentAt
	err = models.SetOneTimeToken(tx, token, nil, now)
	if errors.Is(err, storage.ErrNotFound) { // another request of the moment sends the text
		return &onetime.TooSoonError{Text: true}
	}
	before := *u.user
	u.user.MarkSent(token.Type, now)
	u.textCode = &issuedCode{u.user, before, code, token}
	return err
}

// finishPhoneChange moves the number and signs the user in. With
// movePhoneAtOnce it is where a change of number ends.
func (s *Server) finishPhoneChange(r *http.Request, pending *models.PhoneCode, fixed bool) (*tokens.Issued, error) {
	now, user := s.kit.Time(r), &pending.User
	end := s.phoneChangeEnd(user, user.PhoneChange)
	end.Hash, end.Fixed = pending.Hash, fixed
	trail := s.audit.By(user, models.AuditUserModified, nil)
	if err := end.Apply(user, now); err != nil {
		return nil, err
	}
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: user, Method: methodOTP, Origin: s.origin(r), Now: now})
	if err != nil {
		return nil, err
	}
	finished, err := models.FinishPhoneChange(s.DB.Conn(r.Context()), end, draft.Session, trail, now)
	switch {
	case storage.IsUnique(err, "users_phone_key"): // another user took the number first
		return nil, errPhoneExists()
	case err != nil:
		return nil, fmt.Errorf("finish phone change: %w", err)
	case !finished:
		return nil, onetime.ErrExpired
	}
	s.tellOfPhone(r, user, end.Was)
	return &draft.Issued, nil
}

func errPhoneExists() error {
	return apierror.New(http.StatusUnprocessableEntity, apierror.PhoneExists,
		"A user with this phone number has already been registered")
}
