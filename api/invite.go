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
	request := onetime.Request{Kind: onetime.Invite, To: in.Email, Now: s.kit.Time(r)}
	if err := s.onetime.Admit(r.Context(), request); err != nil {
		return err
	}
	invited, err := s.writeInvitation(r, admin, in)
	if err != nil {
		return err
	}
	if err := s.mailCode(r, onetime.Invite, invited.user, invited.code, invited.token.Hash); err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, view.NewUser(invited.user))
}

// issuedCode is a code that is stored for a user.
type issuedCode struct {
	user  *models.User
	code  string
	token models.OneTimeToken
}

// writeInvitation stores an invitation, for a new user or for one who has not
// confirmed the address.
func (s *Server) writeInvitation(r *http.Request, admin *web.Admin, in *inviteRequest) (*issuedCode, error) {
	trailOf := func(user *models.User) models.AuditTrail {
		return s.audit.ByAdmin(admin.Role, models.AuditUserInvited, map[string]any{
			"user_id": user.ID.String(), "user_email": user.Email,
		})
	}
	user, err := s.unconfirmedUser(r, in.Email)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return s.createInvited(r, in, trailOf)
	case err != nil:
		return nil, err
	}
	code, token, err := s.draft(invitationMail(), user)
	if err != nil {
		return nil, err
	}
	now := s.kit.Time(r)
	token.Invitation = true
	if err := models.SetOneTimeToken(s.DB.Conn(r.Context()), token, trailOf(user), now); err != nil {
		return nil, apierror.Failure("Error inviting user", err)
	}
	user.InvitedAt, user.ConfirmationSentAt, user.UpdatedAt = &now, &now, now
	return &issuedCode{user, code, token}, nil
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

func (s *Server) createInvited(r *http.Request, in *inviteRequest, trailOf func(*models.User) models.AuditTrail) (*issuedCode, error) {
	now := s.kit.Time(r)
	fresh, err := s.newUser(r, in.Email, in.Data)
	if err != nil {
		return nil, err
	}
	fresh.InvitedAt = &now
	return s.createWithCode(r, fresh, invitationMail(), trailOf(asUser(fresh)))
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
	return fresh, err
}

// createWithCode writes a new user together with the code that confirms the
// address.
func (s *Server) createWithCode(r *http.Request, fresh models.NewUser, mail codeMail, trail models.AuditTrail) (*issuedCode, error) {
	now := s.kit.Time(r)
	code, token, err := s.draft(mail, asUser(fresh))
	if err != nil {
		return nil, err
	}
	fresh.ConfirmationToken, fresh.ConfirmationTokenID, fresh.ConfirmationSentAt = token.Hash, &token.ID, &now
	user, err := models.CreateUserWithFlow(s.DB.Conn(r.Context()), fresh, token.Flow, trail, now)
	if err != nil {
		return nil, saveFailure(err)
	}
	return &issuedCode{user, code, token}, nil
}

func errEmailExists() error {
	return apierror.New(http.StatusUnprocessableEntity, apierror.EmailExists,
		"A user with this email address has already been registered")
}
