package oauthserver

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/tokens"
)

// tokenResponse is the answer to a successful token request (RFC 6749 §5.1).
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope"`
}

// tokenRequest is a token request (RFC 6749 §3.2) whose parameters have been
// read; the client is not authenticated yet.
type tokenRequest struct {
	params      oauth.Params
	credentials oauth.ClientCredentials
	clientID    uuid.UUID
}

// POST /oauth/token
func (s *Server) token(w http.ResponseWriter, r *http.Request) error {
	web.NoStore(w)
	response, err := s.answerToken(w, r)
	if err != nil {
		return s.fail(w, r, err)
	}
	return web.JSON(w, http.StatusOK, response)
}

func (s *Server) answerToken(w http.ResponseWriter, r *http.Request) (*tokenResponse, error) {
	req, err := readTokenRequest(r)
	if err != nil {
		return nil, err
	}
	event := observability.EventFrom(r.Context())
	event.Set("client_id", req.clientID)
	grant := req.params.Get("grant_type")
	event.Set("grant_type", grant)
	switch grant {
	case oauth.GrantAuthorizationCode:
		return s.grantCode(w, r, req)
	case oauth.GrantRefreshToken:
		return s.grantRefresh(w, r, req)
	}
	return nil, s.refuseGrant(r, req, grant)
}

// readTokenRequest reads parameters and client credentials.
func readTokenRequest(r *http.Request) (*tokenRequest, error) {
	params, err := readParams(r)
	if err != nil {
		return nil, err
	}
	credentials, problem := oauth.Credentials(r.Header.Get("Authorization"), params)
	if problem != nil {
		return nil, problem
	}
	clientID, err := uuid.FromString(credentials.ID)
	if err != nil {
		return nil, oauth.InvalidClient("Invalid client credentials")
	}
	return &tokenRequest{params: params, credentials: credentials, clientID: clientID}, nil
}

// readParams reads the parameters of a request that a client makes itself.
func readParams(r *http.Request) (oauth.Params, error) {
	values, err := tokenValues(r)
	if err != nil {
		return oauth.Params{}, err
	}
	params, problem := oauth.ParseParams(values)
	if problem != nil {
		return oauth.Params{}, problem
	}
	return params, nil
}

// tokenValues reads the body: a form (RFC 6749 §3.2), or a JSON object of
// strings as GoTrue accepts it. Parameters in the URL, where proxies would log
// them, are refused (RFC 6749 §2.3.1).
func tokenValues(r *http.Request) (url.Values, error) {
	if r.URL.RawQuery != "" {
		return nil, oauth.InvalidRequest("parameters must be sent in the request body")
	}
	body, err := web.Body(r)
	if err != nil {
		return nil, err
	}
	contentType := r.Header.Get("Content-Type")
	mediaType, _, _ := mime.ParseMediaType(contentType)
	switch {
	case mediaType == "application/json":
		return jsonValues(body)
	case mediaType == "application/x-www-form-urlencoded", contentType == "":
		values, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, oauth.InvalidRequest("the request body is not a valid form")
		}
		return values, nil
	}
	return nil, oauth.InvalidRequest("the request body must be application/x-www-form-urlencoded")
}

func jsonValues(body []byte) (url.Values, error) {
	members := map[string]string{}
	if err := json.Unmarshal(body, &members); err != nil {
		return nil, oauth.InvalidRequest("the request body is not a JSON object of strings")
	}
	// Once more, member by member: the map has the last of repeated ones only.
	values := make(url.Values, len(members))
	decoder := json.NewDecoder(bytes.NewReader(body))
	_, _ = decoder.Token()
	for decoder.More() {
		name, _ := decoder.Token()
		value, _ := decoder.Token()
		key, _ := name.(string)
		text, _ := value.(string)
		values.Add(key, text)
	}
	return values, nil
}

// authenticate checks the credentials of a client (RFC 6749 §2.3, §3.2.1).
func (req *tokenRequest) authenticate(client *models.OAuthClient) *oauth.Error {
	given := req.credentials
	if given.Method != client.TokenEndpointAuthMethod {
		return oauth.InvalidClient(fmt.Sprintf("invalid authentication method: client is registered for '%s' but '%s' was used",
			client.TokenEndpointAuthMethod, given.Method))
	}
	if given.Method != oauth.AuthNone && !secret.DigestMatches(client.SecretHash, given.Secret) {
		return oauth.InvalidClient("invalid client credentials")
	}
	return nil
}

// allow checks that the client is registered for a grant type.
func allow(client *models.OAuthClient, grant string) *oauth.Error {
	if !client.Allows(grant) {
		return oauth.UnauthorizedClient("Client is not allowed to use grant type: " + grant)
	}
	return nil
}

// refuseGrant answers a grant type that this server does not know, once the
// client is authenticated.
func (s *Server) refuseGrant(r *http.Request, req *tokenRequest, grant string) error {
	if _, err := s.authenticatedClient(r, req); err != nil {
		return err
	}
	if grant == "" {
		return oauth.InvalidRequest("grant_type is required")
	}
	return oauth.UnsupportedGrantType("Client is not allowed to use grant type: " + grant)
}

// authenticatedClient finds and authenticates the client of a request.
func (s *Server) authenticatedClient(r *http.Request, req *tokenRequest) (*models.OAuthClient, error) {
	client, err := models.FindOAuthClient(s.DB.Conn(r.Context()), req.clientID)
	if err != nil {
		return nil, clientProblem(err)
	}
	if problem := req.authenticate(client); problem != nil {
		return nil, problem
	}
	return client, nil
}

// respond builds the answer from issued tokens and announces the session.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, issued tokens.Issued, client *models.OAuthClient, scope string) *tokenResponse {
	view.SetIssuedHeaders(w.Header(), issued)
	event := observability.EventFrom(r.Context())
	event.Set("user_id", issued.UserID)
	event.Set("session_id", issued.SessionID)
	response := &tokenResponse{
		AccessToken: issued.AccessToken, TokenType: "bearer", Scope: scope,
		ExpiresIn: view.ExpiresIn(issued, s.Kit.Time(r)),
	}
	if slices.Contains(client.GrantTypes, oauth.GrantRefreshToken) {
		response.RefreshToken = issued.RefreshToken
	}
	return response
}
