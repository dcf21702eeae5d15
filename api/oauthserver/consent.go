package oauthserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// authorizationDetails is what the consent page shows, as supabase-js reads
// it.
type authorizationDetails struct {
	AuthorizationID string        `json:"authorization_id"`
	RedirectURI     string        `json:"redirect_uri"`
	Client          clientSummary `json:"client"`
	User            userSummary   `json:"user"`
	Scope           string        `json:"scope"`

	// What GoTrue does not tell, and only where there is something to tell.
	Resource     string   `json:"resource,omitempty"`
	GrantedScope string   `json:"granted_scope,omitempty"`
	Requirements []string `json:"requirements,omitempty"`
	oauth.LoginRequest
}

type clientSummary struct {
	ID      uuid.UUID `json:"id"`
	Name    string    `json:"name,omitempty"`
	URI     string    `json:"uri,omitempty"`
	LogoURI string    `json:"logo_uri,omitempty"`
}

type userSummary struct {
	ID    uuid.UUID `json:"id"`
	Email string    `json:"email,omitempty"`
}

// redirectAnswer tells the consent page where to send the browser.
type redirectAnswer struct {
	RedirectURL string `json:"redirect_url"`
}

// GET /oauth/authorizations/{authorization_id} tells the consent page who asks
// for what. A request that an earlier consent covers is approved at once.
func (s *Server) getAuthorization(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	open, err := s.openAuthorization(r, caller)
	if err != nil {
		return err
	}
	if open.Authorization.Status != models.AuthorizationPending {
		return apierror.Validation("authorization request cannot be processed")
	}
	asked, err := loginRequest(&open.Authorization)
	if err != nil {
		return err
	}
	missing := s.missing(asked, &open.Authorization, caller, s.Kit.Time(r))
	if alreadyConsented(open) && len(missing) == 0 && !asked.Asks() {
		return s.approve(w, r, caller, open, "authorization request cannot be processed")
	}
	return web.JSON(w, http.StatusOK, newAuthorizationDetails(open, caller, asked, missing))
}

func newAuthorizationDetails(open *models.OpenAuthorization, caller *web.Caller, asked oauth.LoginRequest, missing []string) authorizationDetails {
	client, request := open.Client, open.Authorization
	return authorizationDetails{
		AuthorizationID: request.AuthorizationID, RedirectURI: request.RedirectURI,
		Client:   clientSummary{ID: client.ID, Name: client.Name, URI: client.URI, LogoURI: client.LogoURI},
		User:     userSummary{ID: caller.ID, Email: caller.Email},
		Scope:    request.Scope,
		Resource: request.Resource, GrantedScope: open.ConsentedScopes,
		Requirements: missing, LoginRequest: asked,
	}
}

// alreadyConsented reports whether the user need not be asked again.
func alreadyConsented(open *models.OpenAuthorization) bool {
	asked, problem := oauth.ParseScope(open.Authorization.Scope)
	granted, _ := oauth.ParseScope(open.ConsentedScopes)
	return problem == nil && open.ConsentedScopes != "" && asked.Subset(granted) &&
		oauth.IdentityAssured(open.Client.ClientType, open.Authorization.RedirectURI)
}

type decision struct {
	Action string `json:"action"`
}

// POST /oauth/authorizations/{authorization_id}/consent
func (s *Server) decide(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	if err := s.checkOrigin(r); err != nil {
		return err
	}
	in, err := decodeDecision(r)
	if err != nil {
		return err
	}
	open, err := s.openAuthorization(r, caller)
	if err != nil {
		return err
	}
	const tooLate = "authorization request is no longer pending"
	if open.Authorization.Status != models.AuthorizationPending {
		return apierror.Validation(tooLate)
	}
	if in.Action == "approve" {
		asked, err := loginRequest(&open.Authorization)
		if err != nil {
			return err
		}
		if err := checkLogin(s.missing(asked, &open.Authorization, caller, s.Kit.Time(r))); err != nil {
			return err
		}
		return s.approve(w, r, caller, open, tooLate)
	}
	denied, err := models.DenyAuthorization(s.DB.Conn(r.Context()), open.Authorization.ID, caller.ID, s.Kit.Time(r))
	switch {
	case err != nil:
		return fmt.Errorf("deny authorization: %w", err)
	case !denied:
		return apierror.Validation(tooLate)
	}
	return web.JSON(w, http.StatusOK, redirectAnswer{s.response(open.Authorization.RedirectURI, open.Authorization.State, url.Values{
		"error": {string(oauth.CodeAccessDenied)}, "error_description": {"User denied the request"},
	})})
}

func decodeDecision(r *http.Request) (*decision, error) {
	body, err := web.Body(r)
	if err != nil {
		return nil, err
	}
	in := new(decision)
	if err := json.Unmarshal(body, in); err != nil {
		return nil, apierror.New(http.StatusBadRequest, apierror.BadJSON, "invalid JSON body")
	}
	if in.Action != "approve" && in.Action != "deny" {
		return nil, apierror.Validation("action must be 'approve' or 'deny'")
	}
	return in, nil
}

// openAuthorization finds the request that a consent page is about.
func (s *Server) openAuthorization(r *http.Request, caller *web.Caller) (*models.OpenAuthorization, error) {
	if err := s.checkOrigin(r); err != nil {
		return nil, err
	}
	conn, now := s.DB.Conn(r.Context()), s.Kit.Time(r)
	open, err := models.FindOpenAuthorization(conn, chi.URLParam(r, "authorization_id"), caller.ID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, errAuthorizationNotFound()
	case err != nil:
		return nil, fmt.Errorf("find authorization: %w", err)
	}
	observability.EventFrom(r.Context()).Set("client_id", open.Client.ID)
	if now.After(open.Authorization.ExpiresAt) {
		if err := models.ExpireAuthorization(conn, open.Authorization.ID, now); err != nil {
			return nil, fmt.Errorf("expire authorization: %w", err)
		}
		return nil, errAuthorizationNotFound()
	}
	return open, nil
}

// checkOrigin keeps scripts of foreign sites from answering for the user.
func (s *Server) checkOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" || s.Redirects.Allows(origin) {
		return nil
	}
	return apierror.Validation("unauthorized request origin")
}

// approve stores a code for the request and the consent, and answers with the
// redirect that carries the code.
func (s *Server) approve(w http.ResponseWriter, r *http.Request, caller *web.Caller, open *models.OpenAuthorization, tooLate string) error {
	code, err := newCode(s.Random)
	if err != nil {
		return err
	}
	scopes, err := mergedConsent(open)
	if err != nil {
		return err
	}
	now := s.Kit.Time(r)
	approved, err := models.ApproveAuthorization(s.DB.Conn(r.Context()), models.Approval{
		AuthorizationID: open.Authorization.ID, UserID: caller.ID, ClientID: open.Client.ID,
		CodeDigest: secret.Digest(code), CodeExpiresAt: now.Add(s.cfg.CodeTTL),
		ConsentID: s.IDs.New(), Scopes: scopes, Authentication: authenticationOf(caller, now),
	}, nil, now)
	switch {
	case err != nil:
		return fmt.Errorf("approve authorization: %w", err)
	case !approved:
		return apierror.Validation(tooLate)
	}
	web.NoStore(w)
	return web.JSON(w, http.StatusOK, redirectAnswer{
		s.response(open.Authorization.RedirectURI, open.Authorization.State, url.Values{"code": {code}}),
	})
}

// mergedConsent is what the user has granted the client after this approval:
// earlier scopes are kept, so that two apps of one client do not take turns in
// asking. Empty when nothing changes.
func mergedConsent(open *models.OpenAuthorization) (string, error) {
	asked, problem := oauth.ParseScope(open.Authorization.Scope)
	if problem != nil {
		return "", problem
	}
	if open.ConsentedScopes == "" {
		return asked.String(), nil
	}
	granted, problem := oauth.ParseScope(open.ConsentedScopes)
	if problem != nil {
		return "", problem
	}
	if asked.Subset(granted) {
		return "", nil
	}
	return granted.Union(asked).String(), nil
}

func errAuthorizationNotFound() error {
	return apierror.New(http.StatusNotFound, apierror.OAuthAuthorizationNotFound, "authorization not found")
}
