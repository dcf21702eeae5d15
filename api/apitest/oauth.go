package apitest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// RedirectURI is where every Client is called back, unless it says otherwise.
const RedirectURI = "https://client.test/callback"

// Client is a registered OAuth client. Secret is empty for a public one.
type Client struct{ ID, Secret, RedirectURI string }

// Public makes a client of Client a public one.
func Public(metadata map[string]any) { metadata["token_endpoint_auth_method"] = "none" }

// Client registers an OAuth client, confidential with client_secret_basic
// unless an edit of its metadata says otherwise.
func (a *App) Client(t testing.TB, edits ...func(metadata map[string]any)) *Client {
	t.Helper()
	metadata := map[string]any{"client_name": "Test client", "redirect_uris": []string{RedirectURI}}
	for _, edit := range edits {
		edit(metadata)
	}
	answer := a.For(t).Do(http.MethodPost, "/admin/oauth/clients", metadata, Bearer(a.ServiceKey()))
	var body struct {
		ID           string   `json:"client_id"`
		Secret       string   `json:"client_secret"`
		RedirectURIs []string `json:"redirect_uris"`
	}
	require.Equal(t, http.StatusCreated, answer.Status, "%s", answer.Body)
	answer.Into(&body)
	return &Client{ID: body.ID, Secret: body.Secret, RedirectURI: body.RedirectURIs[0]}
}

// Authorization is a request that waits for the user's consent.
type Authorization struct {
	// ID is the handle that the consent page gets.
	ID string
	// Verifier proves the code's holder (RFC 7636 §4.1).
	Verifier string
	Client   *Client
}

// AuthorizeParams are the parameters of a good authorization request, for the
// scopes openid and email, with the verifier of its challenge.
func AuthorizeParams(client *Client) (params url.Values, verifier string) {
	verifier = rand.Text() + rand.Text()
	digest := sha256.Sum256([]byte(verifier))
	return url.Values{
		"response_type": {"code"}, "client_id": {client.ID}, "redirect_uri": {client.RedirectURI},
		"scope": {"openid email"}, "state": {"state-1"},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(digest[:])},
		"code_challenge_method": {"S256"},
	}, verifier
}

// Authorize starts an authorization request; edits change its parameters.
func (a *App) Authorize(t testing.TB, client *Client, edits ...func(params url.Values)) *Authorization {
	t.Helper()
	params, verifier := AuthorizeParams(client)
	for _, edit := range edits {
		edit(params)
	}
	target := a.For(t).Do(http.MethodGet, "/oauth/authorize?"+params.Encode(), nil).Location()
	id := target.Query().Get("authorization_id")
	require.NotEmpty(t, id, "redirected to %s", target)
	return &Authorization{ID: id, Verifier: verifier, Client: client}
}

// Approve lets a user consent and returns the code. An earlier consent that
// covers the request is used, as a consent page does.
func (a *App) Approve(t testing.TB, user *User, request *Authorization) (code string) {
	t.Helper()
	path := "/oauth/authorizations/" + request.ID
	answer := a.For(t).Do(http.MethodGet, path, nil, Bearer(user.AccessToken)).OK()
	if answer["redirect_url"] == nil {
		answer = a.For(t).Do(http.MethodPost, path+"/consent", map[string]string{"action": "approve"},
			Bearer(user.AccessToken)).OK()
	}
	link, _ := answer["redirect_url"].(string)
	target, err := url.Parse(link)
	require.NoError(t, err)
	code = target.Query().Get("code")
	require.NotEmpty(t, code, "redirected to %s", target)
	return code
}

// Redeem exchanges a code for tokens; edits change the form.
func (a *App) Redeem(request *Authorization, code string, edits ...func(form url.Values)) *Response {
	a.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {request.Verifier},
		"redirect_uri": {request.Client.RedirectURI},
	}
	for _, edit := range edits {
		edit(form)
	}
	return a.Token(request.Client, form)
}

// Token sends a token request as a client, which authenticates with Basic, or
// only names itself when it is public.
func (a *App) Token(client *Client, form url.Values) *Response {
	a.t.Helper()
	if client.Secret == "" {
		form.Set("client_id", client.ID)
		return a.Do(http.MethodPost, "/oauth/token", form)
	}
	return a.Do(http.MethodPost, "/oauth/token", form, Basic(client.ID, client.Secret))
}

// Tokens are what a client holds after a grant.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
	IDToken      string `json:"id_token"`
	Scope        string `json:"scope"`
	ExpiresIn    int64  `json:"expires_in"`
	// SessionID is the session of the grant.
	SessionID string `json:"-"`
}

// Grant runs the whole flow: authorize, approve, redeem.
func (a *App) Grant(t testing.TB, user *User, client *Client, edits ...func(params url.Values)) *Tokens {
	t.Helper()
	request := a.Authorize(t, client, edits...)
	answer := a.For(t).Redeem(request, a.Approve(t, user, request))
	require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
	tokens := new(Tokens)
	answer.Into(tokens)
	tokens.SessionID = answer.Header.Get("Sb-Auth-Session-Id")
	return tokens
}

// RefreshGrant exchanges a client's refresh token.
func (a *App) RefreshGrant(client *Client, refreshToken string) *Response {
	a.t.Helper()
	return a.Token(client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}})
}
