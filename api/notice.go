package api

import (
	"context"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
)

// noticeTimeout bounds the sending of a notice.
const noticeTimeout = 10 * time.Second

// tellOfUpdate tells a user of what an update has changed already.
func (s *Server) tellOfUpdate(r *http.Request, u *update) {
	if u.changes.EncryptedPassword != nil {
		s.tell(r, onetime.PasswordChanged(u.user))
	}
	if u.changes.Phone != nil {
		s.tellOfPhone(r, u.user, u.caller.Phone)
	}
}

// tellOfPhone tells a user of a new number. The first one is a new way to sign
// in rather than a change.
func (s *Server) tellOfPhone(r *http.Request, user *models.User, old string) {
	if old == "" {
		s.tell(r, onetime.IdentityLinked(user, accounts.ProviderPhone))
		return
	}
	s.tell(r, onetime.PhoneChanged(user, old))
}

// tellOfEmail is tellOfPhone for an address. The old one is told.
func (s *Server) tellOfEmail(r *http.Request, user *models.User, old string) {
	if old == "" {
		s.tell(r, onetime.IdentityLinked(user, accounts.ProviderEmail))
		return
	}
	s.tell(r, onetime.EmailChanged(user, old))
}

// tell sends the owner of an account a notice of a change that is committed. A
// failure is only logged. A caller that hangs up does not stop it: whoever took
// an account over would do just that.
func (s *Server) tell(r *http.Request, notice onetime.Mail) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), noticeTimeout)
	defer cancel()
	notice.IPAddress = s.clientIP.Of(r)
	err := s.onetime.Notify(ctx, notice, s.kit.Time(r))
	if err == nil {
		return
	}
	log := s.Log.WithField("user_id", notice.User.ID).WithField("mail", notice.Kind)
	if known := toAPIError(err); known.Status < http.StatusInternalServerError {
		// Its sentence may name the address, so only the code is told.
		log = log.WithField("error_code", known.Code)
	} else {
		log = log.WithError(err)
	}
	log.Warn("a notice could not be mailed")
}
