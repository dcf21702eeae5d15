package oauthserver_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// refusals sends good requests with one change each and demands the error.
// Nothing is stored.
func (b *bundle) refusals(c *apitest.Client, code string, changes map[string][]string) {
	b.t.Helper()
	b.writesNothing(func() {
		for name, change := range changes {
			b.run(name, func(b *bundle) {
				query := b.redirected(b.authorize(request(c, change...)), code)
				if request(c, change...).Has("state") {
					require.Equal(b.t, request(c, change...).Get("state"), query.Get("state"))
				}
				require.Equal(b.t, apitest.Issuer, query.Get("iss"))
			})
		}
	})
}

// RFC 6749 §4.1.2.1, server_error: without a consent page there is nothing to
// redirect to, and nothing to store.
func TestCheckConsentPage(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.OAuthServer.AuthorizationPath = "" })
	b.refusals(b.Client(t), "server_error", map[string][]string{"no consent path": nil})
}

// RFC 6749 §4.1.2.1, unauthorized_client.
func TestCheckGrantType(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t, metadata("grant_types", []string{"refresh_token"}))
	b.refusals(c, "unauthorized_client", map[string][]string{"no authorization_code": nil})
}

// OpenID Connect Core §6 and §7.2.1: what is not supported is not ignored.
func TestCheckRequestObject(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	b.refusals(c, "request_not_supported", map[string][]string{"request": {"request", "eyJ"}})
	b.refusals(c, "request_uri_not_supported", map[string][]string{"request_uri": {"request_uri", "urn:x"}})
	b.refusals(c, "registration_not_supported", map[string][]string{"registration": {"registration", "{}"}})
}

// RFC 6749 §3.1.1.
func TestCheckResponseType(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	b.refusals(c, "invalid_request", map[string][]string{"missing": {"response_type", ""}})
	b.refusals(c, "unsupported_response_type", map[string][]string{
		"token": {"response_type", "token"}, "hybrid": {"response_type", "code id_token"},
		"case": {"response_type", "CODE"}, "space": {"response_type", "code "},
	})
}

// OAuth 2.0 Multiple Response Type Encoding Practices §2.1.
func TestCheckResponseMode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	b.refusals(c, "invalid_request", map[string][]string{
		"fragment": {"response_mode", "fragment"}, "form_post": {"response_mode", "form_post"},
	})
	b.ask(c, "response_mode", "query")
}

// OpenID Connect Core §3.1.2.1: prompt=none forbids to ask.
func TestCheckPrompt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	b.refusals(c, "login_required", map[string][]string{
		"none": {"prompt", "none"},
	})
	b.ask(c, "prompt", "login consent")
}

// RFC 6749 §3.3: unknown scopes are dropped, and the client learns what it
// got; a request for nothing known is refused.
func TestResolveScope(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	for asked, granted := range map[string]string{
		"":                             "email", // the default
		"openid":                       "openid",
		"  phone   profile ":           "phone profile",
		"email openid email":           "email openid",
		"mcp:tools email unknown":      "email",
		"offline_access email OPENID":  "offline_access email",
		"openid profile email phone x": "openid profile email phone",
	} {
		b.run("asked "+asked, func(b *bundle) {
			handle := b.ask(c, "scope", asked)
			require.Equal(b.t, granted, b.Text(`select scope from oauth_authorizations where authorization_id = $1`, handle))
			code := b.response(b.decide(u, handle, "approve")).Query().Get("code")
			require.Equal(b.t, granted, b.exchange(c, code).OK()["scope"])
		})
	}
	b.refusals(c, "invalid_scope", map[string][]string{
		"only unknown": {"scope", "unknown"}, "case": {"scope", "EMAIL"}, "quote": {"scope", `email "x"`},
		"not ASCII": {"scope", "email é"}, "too long": {"scope", "email " + strings.Repeat("x", 4096)},
	})
	b.refusals(c, "invalid_request", map[string][]string{"control character": {"scope", "email\tprofile"}})
}

// Blank is not absent: there is no default scope for it.
func TestResolveScopeBlank(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.refusals(b.Client(t), "invalid_scope", map[string][]string{"blank": {"scope", "  "}})
}

// RFC 6749 §3.3: a strict project refuses unknown scopes.
func TestResolveScopeStrict(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.OAuthServer.StrictScopes = true })
	c := b.Client(t)
	b.refusals(c, "invalid_scope", map[string][]string{"unknown": {"scope", "email unknown"}})
	b.ask(c, "scope", "email profile")
}

// RFC 6749 §3.3: the default is the project's.
func TestResolveScopeDefault(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.OAuthServer.DefaultScope = "profile phone" })
	handle := b.ask(b.Client(t), "scope", "")
	require.Equal(t, "profile phone", b.Text(`select scope from oauth_authorizations where authorization_id = $1`, handle))
}

// OpenID Connect Core §10.1: a client cannot verify an ID token that is signed
// with the project's secret, so there is none.
func TestResolveScopeOpenIDNeedsAsymmetricKey(t *testing.T) {
	t.Parallel()
	b := setup(t, hs256)
	c, u := b.Client(t), b.User(t)
	b.refusals(c, "invalid_scope", map[string][]string{"openid": nil})
	answer := b.exchange(c, b.code(c, u, "scope", "email")).OK()
	require.NotContains(t, answer, "id_token")
	require.Equal(t, "email", answer["scope"])
}

// RFC 8707 §2.
func TestCheckRequestResource(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	b.refusals(c, "invalid_target", map[string][]string{
		"relative": {"resource", "/mcp"}, "fragment": {"resource", "https://api.test/#x"}, "empty fragment": {"resource", "https://api.test/#"},
		"query": {"resource", "https://api.test/?a=b"}, "no host": {"resource", "https:///mcp"}, "no URI": {"resource", "https://[::1"},
		"too long": {"resource", "https://api.test/" + strings.Repeat("x", 2048)},
	})
	params := request(c)
	params["resource"] = []string{"https://api.test/a", "https://api.test/b"}
	b.redirected(b.authorize(params), "invalid_target")
	handle := b.ask(c, "resource", "https://api.test/mcp")
	require.Equal(t, "https://api.test/mcp", b.Text(`select resource from oauth_authorizations where authorization_id = $1`, handle))
}

// RFC 7636 §4.3, RFC 9700 §2.1.1: PKCE is required, and S256 the method.
func TestCheckPKCE(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, c := range map[string]*apitest.Client{
		"confidential": b.Client(t), "public": b.Client(t, apitest.Public),
	} {
		b.run(name, func(b *bundle) {
			b.refusals(c, "invalid_request", map[string][]string{
				"nothing":      {"code_challenge", "", "code_challenge_method", ""},
				"no challenge": {"code_challenge", ""},
				"no method":    {"code_challenge_method", ""}, // would mean plain
				"plain":        {"code_challenge_method", "plain"},
				"case":         {"code_challenge_method", "s256"},
				"unknown":      {"code_challenge_method", "S512"},
				"short":        {"code_challenge", challenge[:42]},
				"long":         {"code_challenge", strings.Repeat("a", 129)},
				"alphabet":     {"code_challenge", challenge[:42] + "="},
				"not ASCII":    {"code_challenge", challenge[:42] + "é"},
			})
		})
	}
	handle := b.ask(b.Client(t))
	require.Equal(t, "s256 "+challenge,
		b.Text(`select code_challenge_method || ' ' || code_challenge from oauth_authorizations where authorization_id = $1`, handle))
}

// RFC 7636 §4.2: plain is for projects that ask for it.
func TestCheckPKCEPlainAllowed(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.OAuthServer.AllowPlainPKCE = true })
	c, u := b.Client(t), b.User(t)
	for method, sent := range map[string]string{"plain": verifier, "PLAIN": verifier, "S256": challenge, "s256": challenge} {
		b.run(method, func(b *bundle) {
			code := b.code(c, u, "code_challenge_method", method, "code_challenge", sent)
			b.exchange(c, code, "code_verifier", longText(43)).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
			b.exchange(c, code).OK()
		})
	}
	b.refusals(c, "invalid_request", map[string][]string{"no method": {"code_challenge_method", ""}})
}

// The columns' limits.
func TestCheckLength(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	b.refusals(c, "invalid_request", map[string][]string{
		"state": {"state", longText(4097)}, "nonce": {"nonce", longText(256)},
	})
	b.ask(c, "state", longText(4096), "nonce", longText(255))
}
