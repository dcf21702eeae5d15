package oauthserver

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// authorizeRequest is an authorization request whose client and redirect URI
// are known good: from here on errors go to the client.
type authorizeRequest struct {
	client      *models.OAuthClient
	redirectURI string
	params      oauth.Params
	scope       oauth.Scope
	login       oauth.LoginRequest
}

// GET and POST /oauth/authorize (RFC 6749 §3.1, §4.1.1; OpenID Connect Core
// §3.1.2.1) stores the request and sends the browser to the consent page.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) error {
	values, err := authorizeValues(r)
	if err != nil {
		return err
	}
	req, err := s.trustedTarget(r, values)
	if err != nil {
		return err
	}
	params, problem := oauth.ParseParams(values)
	req.params = params
	if problem == nil {
		problem = s.checkAuthorize(req)
	}
	if problem != nil {
		return s.redirectError(w, r, req.redirectURI, echoedState(values), problem)
	}
	handle, err := s.storeRequest(r, req)
	if err != nil {
		observability.EventFrom(r.Context()).Fail(err)
		return s.redirectError(w, r, req.redirectURI, params.Get("state"), toOAuthError(err))
	}
	return redirect(w, r, s.consentURL(handle))
}

// authorizeValues are the parameters as they were sent: in the query of a GET,
// in the form of a POST (OpenID Connect Core §3.1.2.1).
func authorizeValues(r *http.Request) (url.Values, error) {
	raw := r.URL.RawQuery
	if r.Method == http.MethodPost {
		body, err := web.Body(r)
		if err != nil {
			return nil, err
		}
		raw = string(body)
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, apierror.Validation("the request parameters are malformed")
	}
	return values, nil
}

// trustedTarget finds the client and the redirect URI. Its errors are for the
// person in front of the browser: an unproven redirect URI must not be used,
// not even to report that (RFC 6749 §4.1.2.1, RFC 9700 §4.11).
func (s *Server) trustedTarget(r *http.Request, values url.Values) (*authorizeRequest, error) {
	clientID, redirectURI := values.Get("client_id"), values.Get("redirect_uri")
	switch {
	case clientID == "":
		return nil, apierror.Validation("client_id is required")
	case redirectURI == "":
		return nil, apierror.Validation("redirect_uri is required")
	case len(values["client_id"]) > 1:
		return nil, apierror.Validation("client_id must not be repeated")
	case len(values["redirect_uri"]) > 1:
		return nil, apierror.Validation("redirect_uri must not be repeated")
	}
	id, err := uuid.FromString(clientID)
	if err != nil {
		return nil, apierror.New(http.StatusBadRequest, apierror.OAuthClientNotFound, "invalid client_id format")
	}
	client, err := models.FindOAuthClient(s.DB.Conn(r.Context()), id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, apierror.New(http.StatusBadRequest, apierror.OAuthClientNotFound, "invalid client_id")
	}
	if err != nil {
		return nil, fmt.Errorf("find client: %w", err)
	}
	observability.EventFrom(r.Context()).Set("client_id", client.ID)
	target, known := oauth.MatchRedirectURI(client.RedirectURIs, redirectURI)
	if !known {
		return nil, apierror.Validation("invalid redirect_uri")
	}
	return &authorizeRequest{client: client, redirectURI: target}, nil
}

// checkAuthorize runs after client_id and redirect_uri are known good, because
// only then may an error be sent to the redirect URI (RFC 6749 §4.1.2.1).
func (s *Server) checkAuthorize(req *authorizeRequest) *oauth.Error {
	return cmp.Or(
		s.checkConsentPage(),
		checkGrantType(req.client),       // RFC 6749 §4.1.2.1, unauthorized_client
		checkRequestObject(req.params),   // OpenID Connect Core §6
		checkResponseType(req.params),    // RFC 6749 §3.1.1
		checkResponseMode(req.params),    // OAuth 2.0 Multiple Response Types §2.1
		readLogin(req),                   // OpenID Connect Core §3.1.2.1
		s.resolveScope(req),              // RFC 6749 §3.3
		checkRequestResource(req.params), // RFC 8707 §2
		s.checkPKCE(req.params),          // RFC 7636 §4.3
		checkLength(req.params, "state", maxState),
		checkLength(req.params, "nonce", maxNonce),
	)
}

// The columns' limits, in bytes.
const (
	maxState = 4096
	maxNonce = 255
)

// maxEcho bounds the state that an error returns: as it was sent (RFC 6749
// §4.1.2.1), but not a header as large as a POST body can be.
const maxEcho = 16 << 10

func echoedState(values url.Values) string {
	if state := values.Get("state"); len(state) <= maxEcho {
		return state
	}
	return ""
}

func (s *Server) checkConsentPage() *oauth.Error {
	if s.cfg.AuthorizationPath == "" {
		return oauth.ServerError("oauth authorization path not configured")
	}
	return nil
}

func checkGrantType(client *models.OAuthClient) *oauth.Error {
	if !client.Allows(oauth.GrantAuthorizationCode) {
		return oauth.UnauthorizedClient("Client is not allowed to use grant type: " + oauth.GrantAuthorizationCode)
	}
	return nil
}

// checkRequestObject refuses requests that are wrapped in a JWT, rather than
// ignore what the client meant to protect.
func checkRequestObject(p oauth.Params) *oauth.Error {
	switch {
	case p.Has("request"):
		return oauth.RequestNotSupported("the request parameter is not supported")
	case p.Has("request_uri"):
		return oauth.RequestURINotSupported("the request_uri parameter is not supported")
	case p.Has("registration"):
		return oauth.RegistrationNotSupported("the registration parameter is not supported")
	}
	return nil
}

func checkResponseType(p oauth.Params) *oauth.Error {
	switch p.Get("response_type") {
	case oauth.ResponseTypeCode:
		return nil
	case "":
		return oauth.InvalidRequest("response_type is required")
	}
	return oauth.UnsupportedResponseType("only response_type=code is supported")
}

func checkResponseMode(p oauth.Params) *oauth.Error {
	if mode := p.Get("response_mode"); mode != "" && mode != "query" {
		return oauth.InvalidRequest("only response_mode=query is supported")
	}
	return nil
}

// readLogin keeps what is asked of the user's login for the consent page.
func readLogin(req *authorizeRequest) (problem *oauth.Error) {
	req.login, problem = oauth.ParseLoginRequest(req.params)
	return problem
}

// resolveScope decides which scopes are asked for: the default ones when the
// client names none. Unknown ones are dropped, as RFC 6749 §3.3 permits, or
// refused where the project is strict.
func (s *Server) resolveScope(req *authorizeRequest) *oauth.Error {
	text := req.params.Get("scope")
	if text == "" {
		text = s.cfg.DefaultScope
	}
	asked, problem := oauth.ParseScope(text)
	if problem != nil {
		return problem
	}
	if len(asked) == 0 { // a grant of nothing could be neither shown nor revoked
		return oauth.InvalidScope("scope parameter cannot be empty")
	}
	if asked.Has(oauth.ScopeOpenID) && !s.Tokens.CanSignIDTokens() {
		return oauth.InvalidScope("the scope openid needs an asymmetric signing key on the server")
	}
	known, unknown := oauth.Supported(asked)
	if len(unknown) > 0 && (s.cfg.StrictScopes || len(known) == 0) {
		return oauth.InvalidScope("unsupported scope: " + unknown[0])
	}
	req.scope = known
	return nil
}

func checkRequestResource(p oauth.Params) *oauth.Error {
	resources := p.All("resource")
	if len(resources) > 1 {
		return oauth.InvalidTarget("only one resource can be requested")
	}
	for _, resource := range resources {
		if problem := oauth.CheckResource(resource); problem != nil {
			return problem
		}
	}
	return nil
}

func (s *Server) checkPKCE(p oauth.Params) *oauth.Error {
	return oauth.CheckChallenge(p.Get("code_challenge"), p.Get("code_challenge_method"), s.cfg.AllowPlainPKCE)
}

func checkLength(p oauth.Params, name string, limit int) *oauth.Error {
	if len(p.Get(name)) > limit {
		return oauth.InvalidRequest(fmt.Sprintf("%s must not be longer than %d bytes", name, limit))
	}
	return nil
}

// storeRequest stores the pending request and returns its public handle.
func (s *Server) storeRequest(r *http.Request, req *authorizeRequest) (string, error) {
	handle, err := secret.ID(s.Random)
	if err != nil {
		return "", err
	}
	login, err := storedLogin(req.login)
	if err != nil {
		return "", err
	}
	now := s.Kit.Time(r)
	err = models.InsertOAuthAuthorization(s.DB.Conn(r.Context()), &models.OAuthAuthorization{
		ID: s.IDs.New(), AuthorizationID: handle, ClientID: req.client.ID,
		RedirectURI: req.redirectURI, Scope: req.scope.String(), State: req.params.Get("state"),
		Resource: req.params.Get("resource"), Nonce: req.params.Get("nonce"),
		CodeChallenge:       req.params.Get("code_challenge"),
		CodeChallengeMethod: strings.ToLower(req.params.Get("code_challenge_method")),
		LoginRequest:        login,
		CreatedAt:           now, ExpiresAt: now.Add(s.cfg.AuthorizationTTL),
	})
	if err != nil {
		return "", fmt.Errorf("store authorization: %w", err)
	}
	return handle, nil
}

// storedLogin is what the row of a request keeps about the login: nothing, as a
// rule.
func storedLogin(login oauth.LoginRequest) (json.RawMessage, error) {
	if login.SaysNothing() {
		return nil, nil
	}
	return json.Marshal(login)
}

// consentURL is the page of the project's front end that asks the user.
func (s *Server) consentURL(handle string) string {
	return strings.TrimRight(s.Config.SiteURL, "/") + "/" + strings.TrimLeft(s.cfg.AuthorizationPath, "/") +
		"?authorization_id=" + url.QueryEscape(handle)
}

// redirectError reports a problem to the client (RFC 6749 §4.1.2.1).
func (s *Server) redirectError(w http.ResponseWriter, r *http.Request, redirectURI, state string, problem *oauth.Error) error {
	observability.EventFrom(r.Context()).Set("error_code", problem.Code)
	return redirect(w, r, s.response(redirectURI, state, url.Values{
		"error": {string(problem.Code)}, "error_description": {problem.Description},
	}))
}

// response builds an authorization response: the parameters given, the state
// as it was sent, and who is answering (RFC 9207 §2).
func (s *Server) response(redirectURI, state string, params url.Values) string {
	if state != "" {
		params.Set("state", state)
	}
	params.Set("iss", s.issuer)
	return oauth.AuthorizationResponse(redirectURI, params)
}

// redirect sends the browser on. The URL may hold a code, which must not leak
// in a Referer header (RFC 9700 §4.2.4).
func redirect(w http.ResponseWriter, r *http.Request, target string) error {
	web.NoStore(w)
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, target, http.StatusFound)
	return nil
}
