package oauthserver_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// RFC 6749 §4.1.1: a good request is stored and leads to the consent page. It
// belongs to nobody yet.
func TestAuthorizeStoresTheRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) {
		cfg.SiteURL, cfg.OAuthServer.AuthorizationPath = "https://app.test/", "/oauth/consent"
	})
	c := b.Client(t)
	target := b.authorize(request(c, "resource", "https://api.test/mcp")).Location()
	handle := target.Query().Get("authorization_id")
	require.Regexp(t, `^[a-z2-7]{32}$`, handle)
	require.Equal(t, "https://app.test/oauth/consent?authorization_id="+handle, target.String())
	require.JSONEq(t, `{"redirect_uri":"`+c.RedirectURI+`","scope":"openid email","state":"a state","nonce":"a nonce",
		"resource":"https://api.test/mcp","status":"pending","user_id":null,"authorization_code":null,"response_type":"code"}`,
		b.Text(`select json_build_object('redirect_uri', redirect_uri, 'scope', scope, 'state', state, 'nonce', nonce,
			'resource', resource, 'status', status, 'user_id', user_id, 'authorization_code', authorization_code,
			'response_type', response_type)::text from oauth_authorizations`))
	require.Equal(t, "00:10:00", b.Text(`select (expires_at - created_at)::text from oauth_authorizations`))
}

// OpenID Connect Core §3.1.2.1: the parameters may come in a form. Those in
// the URL do not count then.
func TestAuthorizeByPost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	target := b.Do(http.MethodPost, "/oauth/authorize", request(c)).Location()
	require.NotEmpty(t, target.Query().Get("authorization_id"))
	b.redirected(b.Do(http.MethodPost, "/oauth/authorize", request(c, "response_type", "")), "invalid_request")
	b.writesNothing(func() {
		b.Do(http.MethodPost, "/oauth/authorize?"+request(c).Encode(), nil).Refused(http.StatusBadRequest, "validation_failed")
	})
}

// RFC 6749 §4.1.2 and §4.1.2.1: state comes back as it was sent, and not at
// all if it was not.
func TestStateComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	for _, state := range []string{"", "simple", `"quotes" & <tags> #?=+%20 é`} {
		b.run("state "+state, func(b *bundle) {
			for _, query := range []url.Values{
				b.redirected(b.authorize(request(c, "state", state, "response_type", "token")), "unsupported_response_type"),
				b.response(b.decide(u, b.ask(c, "state", state), "approve")).Query(),
				b.response(b.decide(u, b.ask(c, "state", state), "deny")).Query(),
			} {
				require.Equal(b.t, state != "", query.Has("state"))
				require.Equal(b.t, state, query.Get("state"))
			}
		})
	}
}

// RFC 9207 §2: every authorization response says who answers.
func TestIssuerIsInEveryResponse(t *testing.T) {
	t.Parallel()
	const path = "https://auth.test/auth/v1"
	b := setup(t, func(cfg *conf.Config) { cfg.JWT.Issuer = path })
	c, u := b.Client(t), b.User(t)
	for _, query := range []url.Values{
		b.redirected(b.authorize(request(c, "scope", "unknown")), "invalid_scope"),
		b.response(b.decide(u, b.ask(c), "approve")).Query(),
		b.response(b.decide(u, b.ask(c), "deny")).Query(),
	} {
		require.Equal(t, []string{path}, query["iss"])
	}
}

// RFC 6749 §3.1.2: the query of a redirect URI is retained. A parameter of the
// response wins over one of the same name: a registered ?code= or ?iss= must
// not stand in for ours.
func TestRedirectURIKeepsItsQuery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	redirect := "https://client.test/cb?tenant=a%20b&code=forged&iss=https%3A%2F%2Fevil.test&x=1&x=2"
	c := b.Client(t, metadata("redirect_uris", []string{redirect}))
	u := b.User(t)
	target := b.response(b.decide(u, b.ask(c), "approve"))
	query := target.Query()
	require.Equal(t, "a b", query.Get("tenant"))
	require.Equal(t, []string{"1", "2"}, query["x"])
	require.Equal(t, []string{apitest.Issuer}, query["iss"])
	require.Len(t, query["code"], 1)
	require.NotEqual(t, "forged", query.Get("code"))
	require.Equal(t, "/cb", target.Path)

	b.exchange(c, query.Get("code")).OK()

	query = b.authorize(request(c, "response_type", "token")).Location().Query()
	require.Equal(t, "a b", query.Get("tenant"))
	require.Equal(t, []string{"unsupported_response_type"}, query["error"])
	require.Equal(t, []string{apitest.Issuer}, query["iss"])
}

// RFC 9700 §4.2.4: neither caches nor Referer headers may keep a response.
func TestAuthorizeIsNotStoredNorReferred(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	for _, answer := range []*apitest.Response{
		b.authorize(request(c)), b.authorize(request(c, "response_type", "token")), b.Do(http.MethodPost, "/oauth/authorize", request(c)),
	} {
		require.Equal(t, http.StatusFound, answer.Status)
		b.noStore(answer)
		require.Equal(t, "no-referrer", answer.Header.Get("Referrer-Policy"))
	}
}

// RFC 9700 §2.6: no script may call the authorization endpoint, every other
// one.
func TestAuthorizeHasNoCORS(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	origin := apitest.Header("Origin", "https://spa.test")
	preflight := apitest.Header("Access-Control-Request-Method", http.MethodPost)
	const allowed = "Access-Control-Allow-Origin"
	path := "/oauth/authorize?" + request(c).Encode()
	require.Empty(t, b.Do(http.MethodGet, path, nil, origin).Header.Get(allowed))
	require.Empty(t, b.Do(http.MethodPost, "/oauth/authorize", request(c), origin).Header.Get(allowed))
	require.Empty(t, b.Do(http.MethodOptions, path, nil, origin, preflight).Header.Get(allowed))
	for _, path := range []string{
		"/oauth/token", "/oauth/userinfo", "/oauth/clients/register", "/oauth/authorizations/x/consent",
		"/.well-known/openid-configuration", "/.well-known/jwks.json",
	} {
		require.NotEmpty(t, b.Do(http.MethodOptions, path, nil, origin, preflight).Header.Get(allowed), path)
	}
	require.NotEmpty(t, b.Do(http.MethodPost, "/oauth/token", nil, origin).Header.Get(allowed))
}

// What the log keeps of a flow is who and what, never a secret of it.
func TestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	handle := b.ask(c)
	code := b.response(b.decide(u, handle, "approve")).Query().Get("code")
	b.exchange(c, code, "code_verifier", longText(43)).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	answer := b.exchange(c, code).OK()
	b.userInfo(answer["access_token"].(string)).OK()
	b.RefreshGrant(c, answer["refresh_token"].(string)).OK()
	log := b.Log.String()
	require.Contains(t, log, c.ID)
	require.Contains(t, log, `"grant_type":"authorization_code"`)
	require.Contains(t, log, `"error_code":"invalid_grant"`)
	for name, text := range map[string]string{
		"handle": handle, "code": code, "verifier": verifier, "client secret": c.Secret, "email": u.Email,
		"access token": answer["access_token"].(string), "refresh token": answer["refresh_token"].(string),
		"id token": answer["id_token"].(string), "state": "a state",
	} {
		require.NotContains(t, log, text, name)
	}
}
