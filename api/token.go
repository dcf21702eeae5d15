package api

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// POST /token?grant_type=… serves the project's own apps. OAuth clients have
// an endpoint of their own, with the RFCs' rules.
func (s *Server) token(w http.ResponseWriter, r *http.Request) error {
	form, err := web.Form(r)
	if err != nil {
		return err
	}
	grant := form.Get("grant_type")
	if needsCaptcha(grant) {
		if err := s.requirePerson(r); err != nil {
			return err
		}
	}
	handlers := map[string]web.Handler{
		"password": s.grantPassword, "refresh_token": s.grantRefresh, "pkce": s.grantPKCE,
		"id_token": s.grantIDToken, "web3": s.grantWeb3,
	}
	handle, known := handlers[grant]
	if !known {
		return apierror.New(http.StatusBadRequest, apierror.InvalidCredentials, "unsupported_grant_type")
	}
	observability.EventFrom(r.Context()).Set("grant_type", grant)
	if err := s.admit(s.limits.token, r); err != nil {
		return err
	}
	return handle(w, r)
}

type passwordGrant struct {
	Email    string `json:"email"`
	Phone    string `json:"phone"`
	Password string `json:"password"`
}

func (s *Server) grantPassword(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[passwordGrant](r)
	if err != nil {
		return err
	}
	now := s.kit.Time(r)
	provider, user, err := s.findByAddress(r, in)
	if err != nil {
		return err
	}
	if user.Banned(now) {
		return apierror.New(http.StatusBadRequest, apierror.UserBanned, "User is banned")
	}
	if err := s.comparePassword(r, user, in.Password); err != nil {
		return err
	}
	if err := s.checkConfirmed(provider, user); err != nil {
		return err
	}

	weak := s.weakness(r, in.Password) // before the session: it may take seconds
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{User: user, Method: "password", Origin: s.origin(r), Now: now})
	if err != nil {
		return err
	}
	trail := s.audit.By(user, models.AuditLogin, map[string]any{"provider": provider})
	if err := models.StartSession(s.DB.Conn(r.Context()), draft.Session, trail, now); err != nil {
		return fmt.Errorf("start session: %w", err)
	}
	s.renewHash(r.Context(), user, in.Password)
	user.LastSignInAt, user.UpdatedAt = &now, now
	view.SetIssuedHeaders(w.Header(), draft.Issued)
	return web.JSON(w, http.StatusOK, view.PasswordSession{
		Session: view.NewSession(draft.Issued, user, now), WeakPassword: weak,
	})
}

// findByAddress finds the user who signs in with the address given.
func (s *Server) findByAddress(r *http.Request, in *passwordGrant) (provider string, user *models.User, err error) {
	conn, aud := s.DB.Conn(r.Context()), s.audience(r)
	switch {
	case in.Email != "" && in.Phone != "":
		return "", nil, apierror.Validation("Only an email address or phone number should be provided on login.")
	case in.Email != "":
		if !s.Config.External.EmailEnabled {
			return "", nil, apierror.New(http.StatusUnprocessableEntity, apierror.EmailProviderDisabled, "Email logins are disabled")
		}
		provider = accounts.ProviderEmail
		user, err = models.FindUserByEmail(conn, strings.ToLower(in.Email), aud)
	case in.Phone != "":
		if !s.Config.External.PhoneEnabled {
			return "", nil, apierror.New(http.StatusUnprocessableEntity, apierror.PhoneProviderDisabled, "Phone logins are disabled")
		}
		provider = accounts.ProviderPhone
		user, err = models.FindUserByPhone(conn, accounts.PhoneDigits(in.Phone), aud)
	default:
		return "", nil, apierror.Validation("missing email or phone")
	}
	switch {
	case errors.Is(err, storage.ErrNotFound):
		// As slow as a wrong password: the time must not tell who exists.
		if err := s.Hasher.CompareDummy(r.Context(), in.Password); !errors.Is(err, password.ErrMismatch) {
			return "", nil, err
		}
		return "", nil, errWrongLogin()
	case err != nil:
		return "", nil, apierror.Failure("Database error querying schema", err)
	}
	return provider, user, nil
}

// comparePassword checks the password against the stored hash. The operator's
// hook may reject the attempt, right or wrong.
func (s *Server) comparePassword(r *http.Request, user *models.User, plain string) error {
	hash, _, err := s.Box.Open(user.ID.String(), user.EncryptedPassword)
	if err != nil {
		return fmt.Errorf("open password hash: %w", err)
	}
	compared := s.Hasher.Compare(r.Context(), hash, plain)
	wrong := errors.Is(compared, password.ErrMismatch)
	switch {
	case errors.Is(compared, password.ErrNoPassword):
		return errWrongLogin()
	case compared != nil && !wrong:
		return fmt.Errorf("compare password: %w", compared)
	}
	if err := s.askPasswordHook(r, user, !wrong); err != nil {
		return err
	}
	if wrong {
		return errWrongLogin()
	}
	return nil
}

func (s *Server) checkConfirmed(provider string, user *models.User) error {
	switch {
	case provider == accounts.ProviderEmail && user.EmailConfirmedAt == nil && !s.Config.Mailer.AllowUnverifiedEmailSignIns:
		return apierror.New(http.StatusBadRequest, apierror.EmailNotConfirmed, "Email not confirmed")
	case provider == accounts.ProviderPhone && user.PhoneConfirmedAt == nil:
		return apierror.New(http.StatusBadRequest, apierror.PhoneNotConfirmed, "Phone not confirmed")
	}
	return nil
}

// weakness tells a user whose password is right that it would be refused today.
// Where that cannot be found out the user signs in all the same.
func (s *Server) weakness(r *http.Request, plain string) *view.WeakPassword {
	weak, err := s.passwords.Check(r.Context(), plain)
	if err != nil || weak == nil {
		return nil
	}
	return &view.WeakPassword{Message: weak.Message, Reasons: weak.Reasons}
}

type refreshGrant struct {
	RefreshToken string `json:"refresh_token"`
}

func (s *Server) grantRefresh(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[refreshGrant](r)
	if err != nil {
		return err
	}
	now := s.kit.Time(r)
	outcome, err := s.Tokens.Refresh(r.Context(), tokens.RefreshRequest{Token: in.RefreshToken, Origin: s.origin(r), Now: now})
	view.SetRefreshHeaders(w.Header(), outcome, err)
	if errors.Is(err, tokens.ErrClientRequired) {
		return web.JSON(w, http.StatusBadRequest, map[string]string{
			"error": "invalid_client", "error_description": "Client authentication required for OAuth session",
		})
	}
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, view.NewSession(outcome.Issued, outcome.User, now))
}

// answerSession answers a sign-in.
func (s *Server) answerSession(w http.ResponseWriter, issued tokens.Issued, user *models.User, now time.Time) error {
	view.SetIssuedHeaders(w.Header(), issued)
	return web.JSON(w, http.StatusOK, view.NewSession(issued, user, now))
}

func errWrongLogin() error {
	return apierror.New(http.StatusBadRequest, apierror.InvalidCredentials, "Invalid login credentials")
}
