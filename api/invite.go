package api

import (
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

type inviteRequest struct {
	Email string         `json:"email"`
	Data  map[string]any `json:"data"`
}

// POST /invite creates a user who has no password yet and mails the link that
// accepts the invitation. A user who has not accepted is invited again.
func (s *Server) invite(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	in, err := web.Decode[inviteRequest](r)
	if err != nil {
		return err
	}
	if in.Email, err = s.addresses.Email(in.Email); err != nil {
		return err
	}
	guest, err := s.findGuest(r, in)
	if err != nil {
		return err
	}
	request := onetime.Request{Kind: onetime.Invite, To: in.Email, Now: s.kit.Time(r)}
	if err := s.onetime.Admit(r.Context(), request); err != nil {
		return err
	}
	invited, err := s.writeInvitation(r, admin, guest)
	if err != nil {
		return err
	}
	if guest.user == nil {
		err = s.mailNewcomer(r, invitationMail(), invited)
	} else {
		err = s.mailCode(r, onetime.Invite, invited)
	}
	if err != nil {
		return err
	}
	if err := s.announce(r, invited.user); err != nil { // who is invited again, too
		return err
	}
	return web.JSON(w, http.StatusOK, view.NewUser(invited.user))
}

// guest is who is invited: a user who has not confirmed the address or, where
// user is nil, a newcomer.
type guest struct {
	user     *models.User
	newcomer newcomer
}

// findGuest finds the owner of the address, or makes a newcomer.
func (s *Server) findGuest(r *http.Request, in *inviteRequest) (guest, error) {
	user, err := s.unconfirmedUser(r, in.Email)
	if !errors.Is(err, storage.ErrNotFound) {
		return guest{user: user}, err
	}
	fresh, err := s.newUser(r, in.Email, in.Data)
	if err != nil {
		return guest{}, err
	}
	now := s.kit.Time(r)
	fresh.InvitedAt = &now
	permitted, err := s.permit(r, fresh)
	return guest{newcomer: permitted}, err
}

// writeInvitation stores an invitation.
func (s *Server) writeInvitation(r *http.Request, admin *web.Admin, g guest) (*issuedCode, error) {
	trailOf := func(user *models.User) models.AuditTrail {
		return s.audit.ByAdmin(admin.Role, models.AuditUserInvited, map[string]any{
			"user_id": user.ID.String(), "user_email": user.Email,
		})
	}
	if g.user == nil {
		return s.createWithCode(r, g.newcomer, invitationMail(), trailOf(asUser(g.newcomer.NewUser)))
	}
	code, token, err := s.draft(invitationMail(), g.user)
	if err != nil {
		return nil, err
	}
	now := s.kit.Time(r)
	token.Invitation = true
	if err := models.SetOneTimeToken(s.DB.Conn(r.Context()), token, trailOf(g.user), now); err != nil {
		return nil, apierror.Failure("Error inviting user", err)
	}
	before := *g.user
	g.user.InvitedAt, g.user.ConfirmationSentAt, g.user.UpdatedAt = &now, &now, now
	return &issuedCode{g.user, before, code, token}, nil
}

// unconfirmedUser finds the owner of an address who has not confirmed it.
// ErrNotFound when nobody owns it.
func (s *Server) unconfirmedUser(r *http.Request, email string) (*models.User, error) {
	user, err := models.FindUserForSignUp(s.DB.Conn(r.Context()), email, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, err
	case err != nil:
		return nil, apierror.Failure("Database error finding user", err)
	case user.EmailConfirmedAt != nil:
		return nil, errEmailExists()
	}
	return user, nil
}

// newUser is a user whom an administrator brings in: without a password, and
// with only the metadata that was given.
func (s *Server) newUser(r *http.Request, email string, data map[string]any) (models.NewUser, error) {
	fresh, err := accounts.SignUp{
		Email: email, Aud: s.audience(r), Role: s.Config.JWT.DefaultGroupName, Now: s.kit.Time(r),
	}.NewUser(s.ids)
	if err != nil {
		return fresh, err
	}
	fresh.UserMetadata, err = accounts.Encode(accounts.Merge(nil, data))
	fresh.AskedMetadata = nil // the same
	return fresh, err
}

// createWithCode writes a newcomer together with the code that confirms the
// address.
func (s *Server) createWithCode(r *http.Request, n newcomer, mail codeMail, trail models.AuditTrail) (*issuedCode, error) {
	now := s.kit.Time(r)
	code, token, err := s.draft(mail, asUser(n.NewUser))
	if err != nil {
		return nil, err
	}
	n.ConfirmationToken, n.ConfirmationTokenID, n.ConfirmationSentAt = token.Hash, &token.ID, &now
	user, err := s.create(r, n, arrival{flow: token.Flow, trail: trail})
	if err != nil {
		return nil, saveFailure(err)
	}
	before := *user
	before.ConfirmationSentAt, before.InvitedAt = nil, nil
	return &issuedCode{user, before, code, token}, nil
}

func errEmailExists() error {
	return apierror.New(http.StatusUnprocessableEntity, apierror.EmailExists,
		"A user with this email address has already been registered")
}
