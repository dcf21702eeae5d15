package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

// confirmsTwice reports whether the present address confirms a change too.
func (s *Server) confirmsTwice(user *models.User) bool {
	return s.Config.Mailer.SecureEmailChangeEnabled && user.Email != ""
}

// movesAtOnce reports whether a new address counts without a confirmation: that
// of an anonymous user, where the project confirms addresses by itself.
func (s *Server) movesAtOnce(caller *web.Caller) bool {
	return caller.IsAnonymous && s.Config.Mailer.Autoconfirm
}

// moveAtOnce makes an anonymous user a permanent one.
func (s *Server) moveAtOnce(changes *models.UserChanges, email string, caller *web.Caller, now time.Time) {
	permanent := false
	changes.Email, changes.EmailConfirmedAt, changes.IsAnonymous = &email, &now, &permanent
	changes.UserPatch.Set["email_verified"] = true
	changes.Identities = append(changes.Identities, accounts.EmailIdentity(s.ids.New(), caller.ID, email, true, nil))
}

// setEmailChange stores a new address that waits for its confirmations.
func (s *Server) setEmailChange(tx *storage.Conn, u *update, now time.Time) error {
	u.user.EmailChange = u.in.Email
	change, mails, err := s.draftEmailChange(u.user, u.in.challenge)
	if err != nil {
		return err
	}
	change.Throttled, change.LastSent = u.throttled(), u.caller.EmailChangeSentAt
	err = models.SetEmailChange(tx, change, nil, now)
	if errors.Is(err, storage.ErrNotFound) { // another request of the moment sends the mails
		return &onetime.TooSoonError{}
	}
	u.user.MarkSent(models.EmailChangeNewToken, now)
	u.mails = mails
	return err
}

// admitEmailChange reports whether the mails of a change may be sent now.
func (s *Server) admitEmailChange(r *http.Request, user *models.User, email string) error {
	request := onetime.Request{Kind: onetime.EmailChange, To: email, LastSent: user.EmailChangeSentAt, Now: s.kit.Time(r)}
	if s.confirmsTwice(user) {
		request.AlsoTo = user.Email
	}
	return s.onetime.Admit(r.Context(), request)
}

// draftEmailChange makes the codes of a change to user.EmailChange, and the
// mail that carries them: to the new address, with another to the present one
// where it confirms too.
func (s *Server) draftEmailChange(user *models.User, challenge *flow.Challenge) (models.NewEmailChange, []onetime.Mail, error) {
	change := models.NewEmailChange{UserID: user.ID, Email: user.EmailChange}
	if challenge != nil {
		begun := challenge.Begin(s.ids, user.ID, models.FlowEmailChange, models.FlowEmailChange)
		change.Flow = &begun
	}
	mail, err := s.draftEmailChangeMail(user, &change, true)
	if err == nil && s.confirmsTwice(user) {
		mail.Other, err = s.draftEmailChangeMail(user, &change, false)
	}
	if err != nil {
		return change, nil, err
	}
	return change, []onetime.Mail{*mail}, nil
}

// draftEmailChangeMail adds the code for one address to a change and makes the
// mail that carries it.
func (s *Server) draftEmailChangeMail(user *models.User, change *models.NewEmailChange, toNew bool) (*onetime.Mail, error) {
	code, token, err := s.draftEmailChangeToken(user, toNew)
	if err != nil {
		return nil, err
	}
	if change.Flow != nil {
		token = token.InFlow(*change.Flow)
	}
	change.Tokens = append(change.Tokens, token)
	before := *user
	return &onetime.Mail{Kind: onetime.EmailChange, User: &before, Code: code, Hash: token.Hash, ToNew: toNew}, nil
}

// draftEmailChangeToken makes the code for one address of a change.
func (s *Server) draftEmailChangeToken(user *models.User, toNew bool) (string, models.OneTimeToken, error) {
	if toNew {
		return s.onetime.Draft(onetime.EmailChange, user.ID, user.EmailChange)
	}
	code, token, err := s.onetime.Draft(onetime.EmailChange, user.ID, user.Email)
	token.Type = models.EmailChangeCurrentToken
	return code, token, err
}

// sendEmailChange hands the mails of a stored change over. When one of them
// fails, the user may ask again at once, and neither code works.
func (s *Server) sendEmailChange(r *http.Request, mails []onetime.Mail) error {
	for _, mail := range mails {
		for m := &mail; m != nil; m = m.Other {
			m.LinkBase, m.RedirectTo, m.IPAddress = s.linkBase(r), s.redirectTarget(r), s.clientIP.Of(r)
		}
		if err := s.onetime.Send(r.Context(), mail); err != nil {
			return err
		}
	}
	return nil
}

// resendEmailChange sends the mails of a pending change again, with new codes.
// No confirmation counts any more.
func (s *Server) resendEmailChange(r *http.Request, in *resendRequest, user *models.User) error {
	conn, now := s.DB.Conn(r.Context()), s.kit.Time(r)
	if user.EmailChange == "" {
		return nil
	}
	if err := s.admitEmailChange(r, user, user.EmailChange); err != nil {
		return err
	}
	change, mails, err := s.draftEmailChange(user, in.challenge)
	if err != nil {
		return err
	}
	change.OnlyPending, change.Throttled, change.LastSent = true, true, user.EmailChangeSentAt
	err = models.SetEmailChange(conn, change, nil, now)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil // a new password has ended it, or another request has sent the mails
	case err != nil:
		return apierror.Failure("Unable to process request", err)
	}
	return s.sendEmailChange(r, mails)
}

// issueEmailChange stores the code of one address of a change that an
// administrator begins or goes on with.
func (s *Server) issueEmailChange(r *http.Request, in *linkRequest) (*issuedCode, error) {
	conn, now, toNew := s.DB.Conn(r.Context()), s.kit.Time(r), in.Type == "email_change_new"
	user, err := models.FindUserByEmail(conn, in.Email, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, apierror.New(http.StatusNotFound, apierror.UserNotFound, "User with this email not found")
	case err != nil:
		return nil, apierror.Failure("Database error finding user", err)
	case !toNew && !s.Config.Mailer.SecureEmailChangeEnabled:
		return nil, apierror.Validation("Enable secure email change to generate link for current email")
	}
	if user.EmailChange, err = s.addresses.Email(in.NewEmail); err != nil {
		return nil, err
	}
	taken, err := models.EmailTaken(conn, user.EmailChange, s.audience(r), user.ID)
	switch {
	case err != nil:
		return nil, apierror.Failure("Database error checking email", err)
	case taken:
		return nil, errEmailExists()
	}
	code, token, err := s.draftEmailChangeToken(user, toNew)
	if err != nil {
		return nil, err
	}
	change := models.NewEmailChange{UserID: user.ID, Email: user.EmailChange, Tokens: []models.OneTimeToken{token}, KeepOther: true}
	if err := models.SetEmailChange(conn, change, nil, now); err != nil {
		return nil, apierror.Failure("Database error saving link", err)
	}
	before := *user
	user.MarkSent(token.Type, now)
	return &issuedCode{user, before, code, token}, nil
}
