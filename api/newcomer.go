package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/models"
)

// A newcomer is an account that may be created: the operator's hook, if there
// is one, has let it pass. Only permit makes a newcomer and only create writes
// one, so that no route can create an account the operator was not asked about.
// Administrators' POST /admin/users asks nobody and goes another way.
type newcomer struct{ models.NewUser }

// arrival is what is written in one statement with a newcomer.
type arrival struct {
	// session is the newcomer's first, nil for one who is not signed in.
	session *models.NewSession
	// flow is what the confirmation continues, nil outside the PKCE flow.
	flow  *models.NewFlow
	trail models.AuditTrail
}

// permit asks the operator whether an account may be created. It runs before
// anything is written, with no transaction open.
func (s *Server) permit(r *http.Request, fresh models.NewUser) (newcomer, error) {
	err := s.Hooks.BeforeUserCreated(r.Context(), view.NewUser(proposal(fresh)), s.clientIP.Of(r))
	return newcomer{fresh}, err
}

// proposal is a user as GoTrue shows it before it is created: with the metadata
// that was asked for, and without what only the writing gives it.
func proposal(n models.NewUser) *models.User {
	metadata := n.AskedMetadata
	if metadata == nil {
		metadata = n.UserMetadata
	}
	return &models.User{
		ID: n.ID, Aud: n.Aud, Email: n.Email, Phone: n.Phone, IsAnonymous: n.IsAnonymous,
		AppMetadata: n.AppMetadata, UserMetadata: metadata,
	}
}

// create writes a newcomer.
func (s *Server) create(r *http.Request, n newcomer, with arrival) (*models.User, error) {
	conn, now := s.DB.Conn(r.Context()), s.kit.Time(r)
	if with.session != nil {
		return models.CreateUserWithSession(conn, n.NewUser, *with.session, with.trail, now)
	}
	return models.CreateUserWithFlow(conn, n.NewUser, with.flow, with.trail, now)
}

// announce tells the operator of a user who was created or invited, after the
// commit. Its error cannot undo that. A caller that hangs up does not stop it,
// only the request's deadline does.
func (s *Server) announce(r *http.Request, user *models.User) error {
	ctx := context.WithoutCancel(r.Context())
	if deadline, limited := r.Context().Deadline(); limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	return s.Hooks.AfterUserCreated(ctx, view.NewUser(user), s.clientIP.Of(r))
}

// announceSignUp is announce for who signs up by an address; the caller learns
// only that it failed.
func (s *Server) announceSignUp(r *http.Request, user *models.User) error {
	if err := s.announce(r, user); err != nil {
		return apierror.Failure("Error invoking hook", err)
	}
	return nil
}

// mailNewcomer mails the code of a user who has just been created. When that
// fails the user is removed again, unless something has happened to the account
// meanwhile: nobody waits for a mail that will not come.
func (s *Server) mailNewcomer(r *http.Request, mail codeMail, issued *issuedCode) error {
	err := s.deliver(r, mail, issued)
	if err == nil {
		return nil
	}
	conn := s.DB.Conn(context.WithoutCancel(r.Context())) // the caller may have given up waiting
	return errors.Join(err, models.WithdrawUser(conn, issued.user, issued.token.Hash))
}
