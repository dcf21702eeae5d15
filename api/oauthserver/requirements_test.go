package oauthserver_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// requirements is what the consent page is told of the caller's login.
func (b *bundle) requirements(u *apitest.User, handle string) any {
	b.t.Helper()
	body := b.details(u, handle).OK()
	require.NotContains(b.t, body, "redirect_url")
	return body["requirements"]
}

// OpenID Connect Core §3.1.2.1, prompt=login: whoever was logged in before the
// request logs in again, also where everything was granted before.
func TestPromptLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.grant(c, u)
	b.Clock.Advance(time.Minute)
	handle := b.ask(c, "prompt", "login")
	b.writesNothing(func() {
		require.Equal(t, []any{"login"}, b.requirements(u, handle))
		b.decide(u, handle, "approve").Refused(http.StatusForbidden, "oauth_login_required")
	})
	b.Clock.Advance(time.Minute)
	again := b.SignIn(t, u.Email)
	code := b.response(b.details(again, handle)).Query().Get("code")
	tokens := new(apitest.Tokens)
	b.exchange(c, code).Into(tokens)
	require.InDelta(t, b.UnixIn(0), apitest.Claims(t, tokens.IDToken)["auth_time"], 5)
}

// OpenID Connect Core §3.1.2.1, max_age: counted from the request, so that a
// user may think about it.
func TestMaxAge(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.grant(c, u)
	b.Clock.Advance(2 * time.Minute)
	require.Equal(t, []any{"login"}, b.requirements(u, b.ask(c, "max_age", "60")))
	young := b.ask(c, "max_age", "180")
	b.Clock.Advance(5 * time.Minute)
	require.NotEmpty(t, b.response(b.details(u, young)).Query().Get("code"))

	handle := b.ask(c, "max_age", "1")
	again := b.SignIn(t, u.Email)
	require.NotEmpty(t, b.response(b.decide(again, handle, "approve")).Query().Get("code"))
	b.redirected(b.authorize(request(c, "max_age", "soon")), "invalid_request")
}

// OpenID Connect Core §3.1.2.1, prompt=consent and select_account: the page is
// shown, whatever was granted before.
func TestPromptsThatShowThePage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.grant(c, u)
	for _, prompt := range []string{"consent", "select_account"} {
		handle := b.ask(c, "prompt", prompt, "login_hint", "ann@app.test", "ui_locales", "de en", "display", "popup")
		body := b.details(u, handle).OK()
		require.Equal(t, []any{prompt}, body["prompt"])
		require.Equal(t, "ann@app.test", body["login_hint"])
		require.Equal(t, []any{"de", "en"}, body["ui_locales"])
		require.Equal(t, "popup", body["display"])
		require.Equal(t, "openid email", body["granted_scope"])
		require.NotContains(t, body, "requirements")
		require.NotEmpty(t, b.response(b.decide(u, handle, "approve")).Query().Get("code"))
	}
	require.NotEmpty(t, b.response(b.details(u, b.ask(c, "login_hint", u.Email))).Query().Get("code"))
	b.redirected(b.authorize(request(c, "prompt", "none login")), "invalid_request")
	b.redirected(b.authorize(request(c, "prompt", "magic")), "invalid_request")
}

// OpenID Connect Core §3.1.2.1, acr_values: a user with a second factor uses
// it; one without goes on, and the ID token tells.
func TestACRValues(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	require.Equal(t, "aal1", apitest.Claims(t, b.grant(c, u, "acr_values", "aal2").IDToken)["acr"])

	b.Exec(`insert into mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
		values (gen_random_uuid(), $1, 'totp', 'verified', now(), now())`, u.ID)
	handle := b.ask(c, "acr_values", "aal2")
	require.Equal(t, []any{"aal2"}, b.requirements(u, handle))
	b.decide(u, handle, "approve").Refused(http.StatusForbidden, "insufficient_aal")
	b.Exec(`update sessions set aal = 'aal2' where id = $1`, apitest.Claims(t, u.AccessToken)["session_id"])
	code := b.response(b.details(u, handle)).Query().Get("code")
	require.Equal(t, "aal2", apitest.Claims(t, b.exchange(c, code).OK()["id_token"].(string))["acr"])
}

// Whatever is required, the user may say no.
func TestDenialNeedsNoLogin(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.Clock.Advance(time.Minute)
	answer := b.response(b.decide(u, b.ask(c, "prompt", "login"), "deny"))
	require.Equal(t, "access_denied", answer.Query().Get("error"))
}
