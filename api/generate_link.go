package api

import (
	"errors"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mailer"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/storage"
)

type linkRequest struct {
	Type       string         `json:"type"`
	Email      string         `json:"email"`
	NewEmail   string         `json:"new_email"`
	Password   string         `json:"password"`
	Data       map[string]any `json:"data"`
	RedirectTo string         `json:"redirect_to"`
}

// generatedLink is a user with the link that would have been mailed.
type generatedLink struct {
	view.User
	ActionLink       string `json:"action_link"`
	EmailOTP         string `json:"email_otp"`
	HashedToken      string `json:"hashed_token"`
	VerificationType string `json:"verification_type"`
	RedirectTo       string `json:"redirect_to"`
}

// POST /admin/generate_link makes the link of a mail for the project to send
// by itself. Nothing is mailed and nothing is throttled.
func (s *Server) generateLink(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	in, err := web.Decode[linkRequest](r)
	if err != nil {
		return err
	}
	if in.Email, err = s.addresses.Email(in.Email); err != nil {
		return err
	}
	issued, mail, err := s.issueLink(r, admin, in)
	if err != nil {
		return err
	}
	redirectTo := s.redirects.First(in.RedirectTo, s.redirectTarget(r))
	path, linkType := codeMails{paths: s.Config.Mailer.URLPaths}.link(mail.kind)
	verificationType := linkType
	if mail.kind == onetime.EmailChange { // the answer tells the two links apart, the links do not
		verificationType = in.Type
	}
	return web.JSON(w, http.StatusOK, generatedLink{
		User:       view.NewUser(issued.user),
		ActionLink: mailer.ConfirmationURL(s.linkBase(r), path, issued.token.Hash, linkType, redirectTo),
		EmailOTP:   issued.code, HashedToken: issued.token.Hash, VerificationType: verificationType, RedirectTo: redirectTo,
	})
}

// issueLink stores the code of a link of the type asked for.
func (s *Server) issueLink(r *http.Request, admin *web.Admin, in *linkRequest) (*issuedCode, codeMail, error) {
	switch in.Type {
	case "signup":
		issued, err := s.issueSignUp(r, in)
		return issued, confirmationMail(nil, ""), err
	case "invite":
		issued, err := s.issueInvitation(r, admin, &inviteRequest{Email: in.Email, Data: in.Data})
		return issued, invitationMail(), err
	case "recovery":
		issued, err := s.issueRecovery(r, in, recoveryMail(nil))
		if errors.Is(err, storage.ErrNotFound) {
			err = apierror.New(http.StatusNotFound, apierror.UserNotFound, "User with this email not found")
		}
		return issued, recoveryMail(nil), err
	case "magiclink":
		issued, err := s.issueRecovery(r, in, magicLinkMail(nil))
		if errors.Is(err, storage.ErrNotFound) {
			issued, err := s.createForLink(r, in)
			return issued, confirmationMail(nil, ""), err
		}
		return issued, magicLinkMail(nil), err
	case "email_change_current", "email_change_new":
		issued, err := s.issueEmailChange(r, in)
		return issued, codeMail{kind: onetime.EmailChange}, err
	}
	return nil, codeMail{}, apierror.Validation("Invalid email action link type requested: " + in.Type)
}

// issueSignUp creates a user with a password, or makes another link for one
// who has not confirmed the address: then the password is ignored.
func (s *Server) issueSignUp(r *http.Request, in *linkRequest) (*issuedCode, error) {
	user, err := s.unconfirmedUser(r, in.Email)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		if in.Password == "" {
			return nil, apierror.Validation("Signup requires a valid password")
		}
		if err := s.checkPassword(r, in.Password); err != nil {
			return nil, err
		}
		return s.createForLink(r, in)
	case err != nil:
		return nil, err
	}
	now := s.kit.Time(r)
	if in.Data != nil {
		changes := models.UserChanges{UserPatch: models.NewMetadataPatch(in.Data)}
		if user, err = models.UpdateUser(s.DB.Conn(r.Context()), user.ID, changes, nil, now); err != nil {
			return nil, apierror.Failure("Error updating user", err)
		}
	}
	return s.issueCode(r, confirmationMail(nil, ""), user, nil)
}

// issueInvitation is an invitation that is not mailed. The operator hears of it
// only if it creates a user.
func (s *Server) issueInvitation(r *http.Request, admin *web.Admin, in *inviteRequest) (*issuedCode, error) {
	guest, err := s.findGuest(r, in)
	if err != nil {
		return nil, err
	}
	issued, err := s.writeInvitation(r, admin, guest)
	if err != nil || guest.user != nil {
		return issued, err
	}
	return issued, s.announce(r, issued.user)
}

// createForLink creates a user with the password given, or one that nobody
// knows.
func (s *Server) createForLink(r *http.Request, in *linkRequest) (*issuedCode, error) {
	fresh, err := s.newUser(r, in.Email, in.Data)
	if err != nil {
		return nil, err
	}
	permitted, err := s.permit(r, fresh)
	if err != nil {
		return nil, err
	}
	if in.Password == "" {
		permitted.EncryptedPassword, err = s.Hasher.Unguessable()
	} else {
		permitted.EncryptedPassword, err = s.Hasher.Hash(r.Context(), in.Password)
	}
	if err != nil {
		return nil, err
	}
	issued, err := s.createWithCode(r, permitted, confirmationMail(nil, ""), nil)
	if err != nil {
		return nil, err
	}
	return issued, s.announce(r, issued.user)
}

// issueRecovery stores a code that signs an existing user in. ErrNotFound when
// there is no such user.
func (s *Server) issueRecovery(r *http.Request, in *linkRequest, mail codeMail) (*issuedCode, error) {
	user, err := models.FindUserByEmail(s.DB.Conn(r.Context()), in.Email, s.audience(r))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, err
	case err != nil:
		return nil, apierror.Failure("Database error finding user", err)
	}
	return s.issueCode(r, mail, user, s.audit.By(user, models.AuditRecoveryRequested, nil))
}
