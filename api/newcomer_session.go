package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/tokens"
)

// createWithSession writes a newcomer and the first session.
func (s *Server) createWithSession(r *http.Request, n newcomer, how signInMethod) (tokens.Issued, *models.User, error) {
	write := s.createSession
	if s.Hooks.Enabled(hooks.PointCustomAccessToken) {
		write = s.createThenSignIn
	}
	issued, user, err := write(r, n, how)
	if err != nil {
		return issued, nil, err
	}
	if user.EmailConfirmedAt != nil {
		if err := user.MarkVerified(s.kit.Time(r)); err != nil {
			return issued, nil, err
		}
	}
	user.ConfirmedAt = nil // GoTrue answers with what it wrote, not with what the database generated
	return issued, user, nil
}

// createSession writes user and session in one statement.
func (s *Server) createSession(r *http.Request, n newcomer, how signInMethod) (issued tokens.Issued, user *models.User, err error) {
	now := s.kit.Time(r)
	n.LastSignInAt = &now
	actor := asUser(n.NewUser)
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: actor, Method: how.amr, Origin: s.origin(r), Now: now})
	if err != nil {
		return issued, nil, err
	}
	trail := append(s.signInTrail(actor, models.AuditUserSignedUp, how), s.signInTrail(actor, models.AuditLogin, how)...)
	if user, err = s.create(r, n, arrival{session: &draft.Session, trail: trail}); err != nil {
		return issued, nil, saveFailure(err)
	}
	return draft.Issued, user, nil
}

// createThenSignIn writes the user before the hook shapes the token: a hook
// looks up in the database what belongs to the user, and triggers of the project
// may have put it there. As with GoTrue the user stays when the hook refuses,
// and may sign in another time; nobody could sign in to an anonymous one.
func (s *Server) createThenSignIn(r *http.Request, n newcomer, how signInMethod) (issued tokens.Issued, user *models.User, err error) {
	now, actor := s.kit.Time(r), asUser(n.NewUser)
	user, err = s.create(r, n, arrival{trail: s.signInTrail(actor, models.AuditUserSignedUp, how)})
	if err != nil {
		return issued, nil, saveFailure(err)
	}
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: user, Method: how.amr, Origin: s.origin(r), Now: now})
	if err == nil {
		err = models.StartSession(s.DB.Conn(r.Context()), draft.Session, s.signInTrail(actor, models.AuditLogin, how), now)
	}
	if err != nil && user.IsAnonymous {
		conn := s.DB.Conn(context.WithoutCancel(r.Context())) // the caller may have given up waiting
		err = errors.Join(err, models.WithdrawUser(conn, user, ""))
	}
	if err != nil {
		return issued, nil, err
	}
	user.LastSignInAt, user.UpdatedAt = &now, now
	return draft.Issued, user, nil
}

// signInTrail is what the audit log has of a sign-up; nothing of an anonymous
// one.
func (s *Server) signInTrail(user *models.User, action models.AuditAction, how signInMethod) models.AuditTrail {
	if how.provider == "" {
		return nil
	}
	traits := how.traits()
	if action == models.AuditLogin {
		traits = map[string]any{"provider": how.provider}
	}
	return s.audit.By(user, action, traits)
}
