package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

// update is a PUT /user on its way.
type update struct {
	in      *userUpdate
	caller  *web.Caller
	changes models.UserChanges
	trail   models.AuditTrail

	// user is what was written; mails, text and textCode are still to be sent.
	user     *models.User
	mails    []onetime.Mail
	text     codeMail
	textCode *issuedCode
}

// emailWaits reports whether a new address waits for its confirmations.
func (u *update) emailWaits() bool { return u.in.Email != "" && u.changes.Email == nil }

// phoneWaits reports whether a new number waits for its confirmation.
func (u *update) phoneWaits() bool { return u.in.Phone != "" && u.changes.Phone == nil }

// throttled reports whether codes depend on when the last ones were sent. A new
// password has just forgotten that.
func (u *update) throttled() bool { return !u.changes.ClearTokens }

// shown is the user as GoTrue answers: with what it wrote, not with what the
// database generated from that.
func (u *update) shown() *models.User {
	if u.changes.Email != nil || u.changes.Phone != nil {
		u.user.ConfirmedAt = u.caller.ConfirmedAt
	}
	return u.user
}

// moveAddresses makes new addresses the user's that need no confirmation. The
// project's metadata stay, as with GoTrue: the providers follow when an address
// is confirmed.
func (s *Server) moveAddresses(changes *models.UserChanges, in *userUpdate, caller *web.Caller, now time.Time) error {
	if in.Email != "" && s.movesAtOnce(caller) {
		s.moveAtOnce(changes, in.Email, caller, now)
	}
	if in.Phone == "" || !s.Config.SMS.Autoconfirm {
		return nil
	}
	return s.movePhoneAtOnce(changes, in.Phone, caller, now)
}

// writeUpdate writes changes together with new addresses that wait for their
// confirmations: all of them or nothing. The messages are still to be sent.
func (s *Server) writeUpdate(r *http.Request, u *update) (err error) {
	now := s.kit.Time(r)
	if !u.emailWaits() && !u.phoneWaits() {
		u.user, err = models.UpdateUser(s.DB.Conn(r.Context()), u.caller.ID, u.changes, u.trail, now)
		return err
	}
	if err := s.admitChanges(r, u); err != nil {
		return err
	}
	return s.DB.Tx(r.Context(), func(tx *storage.Conn) (err error) {
		if u.user, err = models.UpdateUser(tx, u.caller.ID, u.changes, u.trail, now); err != nil {
			return err
		}
		if u.emailWaits() {
			if err := s.setEmailChange(tx, u, now); err != nil {
				return err
			}
		}
		if u.phoneWaits() {
			return s.setPhoneChange(tx, u, now)
		}
		return nil
	})
}

// admitChanges reports whether the messages of new addresses may be sent now.
func (s *Server) admitChanges(r *http.Request, u *update) error {
	if u.emailWaits() {
		if err := s.admitEmailChange(r, &u.caller.User, u.in.Email); err != nil {
			return err
		}
	}
	if !u.phoneWaits() {
		return nil
	}
	now := s.kit.Time(r)
	request := s.textTo(onetime.SMSPhoneChange, u.in.Phone, u.in.Channel, now).request(&u.caller.User, now)
	return s.onetime.Admit(r.Context(), request)
}

// sendChanges sends the messages of new addresses, the text even if a mail could
// not be sent: its code is stored like one that is on its way.
func (s *Server) sendChanges(r *http.Request, u *update) error {
	err := s.sendEmailChange(r, u.mails)
	if u.textCode == nil {
		return err
	}
	return errors.Join(err, s.deliver(r, u.text, u.textCode))
}
