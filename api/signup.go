package api

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

type signUpRequest struct {
	Email    string         `json:"email"`
	Phone    string         `json:"phone"`
	Password string         `json:"password"`
	Data     map[string]any `json:"data"`
	// Channel is how a text reaches the phone.
	Channel string `json:"channel"`
	challengePair
	// challenge is what the pair says.
	challenge *flow.Challenge
}

// provider is whose identity the sign-up makes.
func (in *signUpRequest) provider() string {
	if in.Phone != "" {
		return accounts.ProviderPhone
	}
	return accounts.ProviderEmail
}

// POST /signup
func (s *Server) signUp(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[signUpRequest](r)
	if err != nil {
		return err
	}
	if in.Email == "" && in.Phone == "" {
		return s.signUpAnonymously(w, r, in)
	}
	if err := s.admit(s.limits.signup, r); err != nil {
		return err
	}
	if err := s.checkSignUp(r, in); err != nil {
		return err
	}

	existing, err := s.findForSignUp(r, in)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return s.signUpNew(w, r, in)
	case err != nil:
		return apierror.Failure("Database error finding user", err)
	case confirmedAt(existing, in.provider()) != nil:
		return s.signUpRepeated(w, r, in, existing)
	case s.autoconfirms(in.provider()):
		return s.confirmExisting(w, r, in, existing)
	}
	return s.signUpPending(w, r, in, existing)
}

// findForSignUp finds the user whom a sign-up would collide with.
func (s *Server) findForSignUp(r *http.Request, in *signUpRequest) (*models.User, error) {
	if in.Phone != "" {
		return models.FindUserByPhone(s.DB.Conn(r.Context()), in.Phone, s.audience(r))
	}
	return models.FindUserForSignUp(s.DB.Conn(r.Context()), in.Email, s.audience(r))
}

// checkSignUp applies the project's rules and puts address and challenge into
// their stored form.
func (s *Server) checkSignUp(r *http.Request, in *signUpRequest) (err error) {
	if s.Config.DisableSignup {
		return errSignupDisabled()
	}
	if in.Password == "" {
		return apierror.Validation("Signup requires a valid password")
	}
	if err := s.checkPassword(r, in.Password); err != nil {
		return err
	}
	switch {
	case in.Email != "" && in.Phone != "":
		return apierror.Validation("Only an email address or phone number should be provided on signup.")
	case in.Phone != "":
		return s.checkSignUpByPhone(in)
	}
	if in.challenge, err = in.parse(); err != nil {
		return err
	}
	if !s.Config.External.EmailEnabled {
		return apierror.New(http.StatusBadRequest, apierror.EmailProviderDisabled, "Email signups are disabled")
	}
	in.Email, err = s.addresses.Email(in.Email)
	return err
}

// signUpNew creates the user: signed in at once where the project confirms
// addresses by itself, otherwise with a code that confirms.
func (s *Server) signUpNew(w http.ResponseWriter, r *http.Request, in *signUpRequest) error {
	now := s.kit.Time(r)
	confirmed := s.autoconfirms(in.provider())
	fresh, err := accounts.SignUp{
		Email: in.Email, Phone: in.Phone, Data: in.Data, Aud: s.audience(r),
		Role: s.Config.JWT.DefaultGroupName, Confirmed: confirmed, Now: now,
	}.NewUser(s.ids)
	if err != nil {
		return err
	}
	// Bare, as GoTrue leaves it at sign-up: the next change of password seals it.
	if fresh.EncryptedPassword, err = s.Hasher.Hash(r.Context(), in.Password); err != nil {
		return err
	}
	if confirmed {
		return s.createSignedIn(w, r, fresh, byPassword(in))
	}

	user, err := s.createUnconfirmed(r, fresh, s.confirmation(r, in))
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, view.NewUser(user))
}

// createUnconfirmed writes a new user together with the code that confirms the
// address, and sends it.
func (s *Server) createUnconfirmed(r *http.Request, fresh models.NewUser, mail codeMail) (*models.User, error) {
	permitted, err := s.permit(r, fresh)
	if err != nil {
		return nil, err
	}
	if err := s.onetime.Admit(r.Context(), mail.request(asUser(fresh), s.kit.Time(r))); err != nil {
		return nil, err
	}
	trail := s.audit.By(asUser(fresh), models.AuditConfirmationRequested, map[string]any{"provider": fresh.Identities[0].Provider})
	issued, err := s.createWithCode(r, permitted, mail, trail)
	if err != nil {
		return nil, err
	}
	if err := s.mailNewcomer(r, mail, issued); err != nil {
		return nil, err
	}
	return issued.user, s.announceSignUp(r, issued.user)
}

// createSignedIn writes a new user together with its first session.
func (s *Server) createSignedIn(w http.ResponseWriter, r *http.Request, fresh models.NewUser, how signInMethod) error {
	permitted, err := s.permit(r, fresh)
	if err != nil {
		return err
	}
	issued, user, err := s.createWithSession(r, permitted, how)
	if err != nil {
		return err
	}
	return s.answerSession(w, issued, user, s.kit.Time(r))
}

// signUpAnonymously creates a user without any address.
func (s *Server) signUpAnonymously(w http.ResponseWriter, r *http.Request, in *signUpRequest) error {
	if !s.Config.External.AnonymousUsersEnabled {
		return apierror.New(http.StatusUnprocessableEntity, apierror.AnonymousProviderDisabled, "Anonymous sign-ins are disabled")
	}
	if err := s.admit(s.limits.anonymous, r); err != nil {
		return err
	}
	if s.Config.DisableSignup {
		return errSignupDisabled()
	}
	data, err := accounts.Encode(accounts.Merge(nil, in.Data))
	if err != nil {
		return err
	}
	fresh := models.NewUser{
		ID: s.ids.New(), Aud: s.audience(r), Role: s.Config.JWT.DefaultGroupName, IsAnonymous: true,
		AppMetadata: []byte("{}"), UserMetadata: data, Identities: []models.NewIdentity{},
	}
	permitted, err := s.permit(r, fresh)
	if err != nil {
		return err
	}
	issued, user, err := s.createWithSession(r, permitted, signInMethod{amr: "anonymous"})
	if err != nil {
		return apierror.Failure("Database error creating anonymous user", err)
	}
	if err := s.announce(r, user); err != nil {
		return err
	}
	return s.answerSession(w, issued, user, s.kit.Time(r))
}

// signUpPending sends another confirmation to a user who has not confirmed
// yet. The new password and data are ignored: whoever asks now may be another
// person than the one who will read the mail.
func (s *Server) signUpPending(w http.ResponseWriter, r *http.Request, in *signUpRequest, user *models.User) error {
	now := s.kit.Time(r)
	trail := s.audit.By(user, models.AuditConfirmationRequested, map[string]any{"provider": in.provider()})
	if err := s.sendCode(r, s.confirmation(r, in), user, trail); err != nil {
		return err
	}
	user.ConfirmationSentAt, user.UpdatedAt = &now, now
	shown := view.NewUser(user)
	if user.InvitedAt != nil {
		shown.UserMetadata, shown.Identities = []byte("{}"), []view.Identity{}
	}
	return web.JSON(w, http.StatusOK, shown)
}

// signUpRepeated answers for an address that has a confirmed user: like a
// fresh sign-up that waits for its confirmation, so that nobody learns who has
// an account. Where addresses are not confirmed by mail that cannot be hidden.
func (s *Server) signUpRepeated(w http.ResponseWriter, r *http.Request, in *signUpRequest, user *models.User) error {
	now := s.kit.Time(r)
	trail := s.audit.By(user, models.AuditUserRepeatedSignUp, map[string]any{"provider": in.provider()})
	if err := models.RecordAudit(s.DB.Conn(r.Context()), trail, now); err != nil {
		return fmt.Errorf("record repeated sign-up: %w", err)
	}
	if s.Config.Mailer.Autoconfirm || s.Config.SMS.Autoconfirm {
		return apierror.New(http.StatusUnprocessableEntity, apierror.UserAlreadyExists, "User already registered")
	}
	invented, err := s.inventedUser(r, in, now)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, invented)
}

// inventedUser looks like the user that a fresh sign-up would have created.
func (s *Server) inventedUser(r *http.Request, in *signUpRequest, now time.Time) (*view.User, error) {
	appMetadata, err := accounts.Encode(accounts.AppMetadata(in.provider()))
	if err != nil {
		return nil, err
	}
	data := map[string]any{}
	maps.Copy(data, in.Data)
	userMetadata, err := accounts.Encode(data)
	if err != nil {
		return nil, err
	}
	return &view.User{
		ID: s.ids.New(), Aud: s.audience(r), Email: in.Email, Phone: in.Phone, ConfirmationSentAt: &now,
		AppMetadata: appMetadata, UserMetadata: userMetadata, Identities: []view.Identity{},
		CreatedAt: now, UpdatedAt: now,
	}, nil
}

// confirmExisting confirms and signs in a user who had been waiting for a
// code when the project began to confirm addresses by itself.
func (s *Server) confirmExisting(w http.ResponseWriter, r *http.Request, in *signUpRequest, user *models.User) error {
	now, how := s.kit.Time(r), byPassword(in)
	changes := models.UserChanges{ClearTokens: true}
	if in.Phone != "" {
		user.PhoneConfirmedAt, changes.PhoneConfirmedAt = &now, &now
	} else {
		user.EmailConfirmedAt, changes.EmailConfirmedAt = &now, &now
	}
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: user, Method: how.amr, Origin: s.origin(r), Now: now})
	if err != nil {
		return err
	}
	err = s.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		trail := s.audit.By(user, models.AuditUserSignedUp, how.traits())
		confirmed, err := models.UpdateUser(tx, user.ID, changes, trail, now)
		if err != nil {
			return err
		}
		user = confirmed
		login := s.audit.By(user, models.AuditLogin, map[string]any{"provider": how.provider})
		return models.StartSession(tx, draft.Session, login, now)
	})
	if err != nil {
		return saveFailure(err)
	}
	user.LastSignInAt = &now
	return s.answerSession(w, draft.Issued, user, now)
}

// checkPassword applies the length limit and the project's policy.
func (s *Server) checkPassword(r *http.Request, plain string) error {
	return web.CheckPassword(r.Context(), s.passwords, plain)
}

// signInMethod is how a user came in: the amr method, and for the audit log the
// provider and the channel of a phone.
type signInMethod struct{ amr, provider, channel string }

// byPassword is a sign-up with an address and a password.
func byPassword(in *signUpRequest) signInMethod {
	return signInMethod{amr: "password", provider: in.provider(), channel: in.Channel}
}

// traits are those of a sign-up that is confirmed at once.
func (m signInMethod) traits() map[string]any {
	traits := map[string]any{"provider": m.provider}
	if m.provider == accounts.ProviderPhone {
		traits["channel"] = m.channel
	}
	return traits
}

// asUser is a user who is about to be written, for tokens and audit entries.
func asUser(n models.NewUser) *models.User {
	return &models.User{
		ID: n.ID, Aud: n.Aud, Role: n.Role, Email: n.Email, Phone: n.Phone, IsAnonymous: n.IsAnonymous,
		AppMetadata: n.AppMetadata, UserMetadata: n.UserMetadata,
	}
}

func errSignupDisabled() error {
	return apierror.New(http.StatusUnprocessableEntity, apierror.SignupDisabled, "Signups not allowed for this instance")
}

// saveFailure maps a refused insert: another request took the address first.
func saveFailure(err error) error {
	if storage.IsUnique(err, "users_email_partial_key", "users_phone_key", "identities_provider_id_provider_unique") {
		return apierror.New(http.StatusUnprocessableEntity, apierror.UserAlreadyExists, "User already registered")
	}
	return apierror.Failure("Database error saving new user", err)
}
