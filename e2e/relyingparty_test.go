package e2e_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/stretchr/testify/require"
	"golang.org/x/oauth2"

	"github.com/truegrant/truegrant/api/apitest"
)

// relyingParty is an application with golang.org/x/oauth2 and go-oidc.
type relyingParty struct {
	oauth2.Config
	provider *oidc.Provider
}

// discover makes a relying party from the issuer's address and the client's
// credentials alone.
func (p *project) discover(t *testing.T, client *apitest.Client, style oauth2.AuthStyle) *relyingParty {
	t.Helper()
	provider, err := oidc.NewProvider(t.Context(), p.issuer)
	require.NoError(t, err)
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = style
	return &relyingParty{
		Config: oauth2.Config{
			ClientID: client.ID, ClientSecret: client.Secret, RedirectURL: client.RedirectURI,
			Endpoint: endpoint, Scopes: []string{oidc.ScopeOpenID, "email"},
		},
		provider: provider,
	}
}

// login sends the user to the server and returns the code and its verifier.
func (rp *relyingParty) login(t *testing.T, p *project, user *apitest.User, nonce string) (code, verifier string) {
	t.Helper()
	verifier = oauth2.GenerateVerifier()
	address := rp.AuthCodeURL("state-1", oidc.Nonce(nonce), oauth2.S256ChallengeOption(verifier))
	response := p.visit(t, user, address)
	require.Equal(t, "state-1", response.Get("state"))
	require.Equal(t, p.issuer, response.Get("iss")) // RFC 9207 §2.4
	require.NotEmpty(t, response.Get("code"))
	return response.Get("code"), verifier
}

func TestRelyingParty(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	for name, c := range map[string]struct {
		method string
		style  oauth2.AuthStyle
	}{
		"basic":          {"client_secret_basic", oauth2.AuthStyleInHeader},
		"post":           {"client_secret_post", oauth2.AuthStyleInParams},
		"public":         {"none", oauth2.AuthStyleInParams},
		"basic, guessed": {"client_secret_basic", oauth2.AuthStyleAutoDetect},
		// The library tries Basic first: the refusal must not spend the code.
		"post, guessed":   {"client_secret_post", oauth2.AuthStyleAutoDetect},
		"public, guessed": {"none", oauth2.AuthStyleAutoDetect},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := p.app.User(t)
			rp := p.discover(t, p.app.Client(t, authMethod(c.method)), c.style)
			code, verifier := rp.login(t, p, user, "nonce-1")
			token, err := rp.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
			require.NoError(t, err)
			rp.requireLogin(t, token, user)
			rp.requireRefresh(t, token, user)
		})
	}
}

// requireLogin checks what the client learns about the user.
func (rp *relyingParty) requireLogin(t *testing.T, token *oauth2.Token, user *apitest.User) {
	t.Helper()
	raw, ok := token.Extra("id_token").(string)
	require.True(t, ok, "no ID token")
	id, err := rp.provider.Verifier(&oidc.Config{ClientID: rp.ClientID}).Verify(t.Context(), raw)
	require.NoError(t, err)
	require.NoError(t, id.VerifyAccessToken(token.AccessToken))
	require.Equal(t, user.ID, id.Subject)
	require.Equal(t, "nonce-1", id.Nonce)
	require.Equal(t, "openid email", token.Extra("scope"))

	info, err := rp.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	require.NoError(t, err)
	require.Equal(t, user.ID, info.Subject)
	require.Equal(t, user.Email, info.Email)
	require.True(t, info.EmailVerified)
}

// requireRefresh lets the token source find the token expired.
func (rp *relyingParty) requireRefresh(t *testing.T, token *oauth2.Token, user *apitest.User) {
	t.Helper()
	expired := *token
	expired.Expiry = time.Unix(1, 0)
	renewed, err := rp.TokenSource(t.Context(), &expired).Token()
	require.NoError(t, err)
	require.NotEqual(t, token.RefreshToken, renewed.RefreshToken)
	require.Equal(t, rp.ClientID, apitest.Claims(t, renewed.AccessToken)["client_id"])
	info, err := rp.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(renewed))
	require.NoError(t, err)
	require.Equal(t, user.ID, info.Subject)
}

func TestRelyingPartyIsRefused(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	for name, c := range map[string]struct {
		change func(rp *relyingParty, verifier *string)
		status int
		code   string
	}{
		"wrong verifier": {func(_ *relyingParty, verifier *string) { *verifier = oauth2.GenerateVerifier() },
			http.StatusBadRequest, "invalid_grant"},
		"wrong secret": {func(rp *relyingParty, _ *string) { rp.ClientSecret = "not-the-secret" },
			http.StatusUnauthorized, "invalid_client"},
		"other redirect URI": {func(rp *relyingParty, _ *string) { rp.RedirectURL = "https://evil.test/" },
			http.StatusBadRequest, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rp := p.discover(t, p.app.Client(t), oauth2.AuthStyleInHeader)
			code, verifier := rp.login(t, p, p.app.User(t), "nonce-1")
			c.change(rp, &verifier)
			_, err := rp.Exchange(t.Context(), code, oauth2.VerifierOption(verifier))
			requireRetrieveError(t, err, c.status, c.code)
		})
	}
}

// RFC 6749 §4.1.2: a code is used once, and what a replayed one gave is revoked.
func TestRelyingPartyReplaysCode(t *testing.T) {
	t.Parallel()
	p := newProject(t)
	rp := p.discover(t, p.app.Client(t), oauth2.AuthStyleInHeader)
	code, verifier := rp.login(t, p, p.app.User(t), "nonce-1")
	exchange := func(ctx context.Context) (*oauth2.Token, error) {
		return rp.Exchange(ctx, code, oauth2.VerifierOption(verifier))
	}
	token, err := exchange(t.Context())
	require.NoError(t, err)
	_, err = rp.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	require.NoError(t, err)

	_, err = exchange(t.Context())
	requireRetrieveError(t, err, http.StatusBadRequest, "invalid_grant")
	_, err = rp.provider.UserInfo(t.Context(), oauth2.StaticTokenSource(token))
	require.ErrorContains(t, err, "401")
	expired := *token
	expired.Expiry = time.Unix(1, 0)
	_, err = rp.TokenSource(t.Context(), &expired).Token()
	requireRetrieveError(t, err, http.StatusBadRequest, "invalid_grant")
}

func requireRetrieveError(t *testing.T, err error, status int, code string) {
	t.Helper()
	var answer *oauth2.RetrieveError
	require.ErrorAs(t, err, &answer)
	require.Equal(t, status, answer.Response.StatusCode)
	require.Equal(t, code, answer.ErrorCode)
}
