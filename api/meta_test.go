package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

func TestHealthAndReady(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	require.Equal(t, map[string]any{
		"version": "test", "name": "GoTrue", "description": "GoTrue is a user registration and authentication API",
	}, app.Do(http.MethodGet, "/health", nil).OK())
	require.Equal(t, map[string]any{"status": "ready"}, app.Do(http.MethodGet, "/health/ready", nil).OK())
	require.Empty(t, app.Log.Requests(), "health checks leave no line")
}

func TestSettings(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) {
		c.External.AnonymousUsersEnabled, c.DisableSignup = true, true
		c.External.Providers["github"] = conf.Provider{Enabled: true}
	})
	got := app.Do(http.MethodGet, "/settings", nil)
	body := got.OK()
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	external := body["external"].(map[string]any)
	require.Len(t, external, 26)
	require.Equal(t, true, external["github"])
	require.Equal(t, false, external["google"])
	require.Equal(t, true, external["anonymous_users"])
	require.Equal(t, true, body["disable_signup"])
	require.Equal(t, true, body["mailer_autoconfirm"])
	require.Equal(t, true, body["saml_private_key_next_configured"], "GoTrue's oddity")
	require.Len(t, body, 8)
}

func TestJWKS(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	got := app.Do(http.MethodGet, "/.well-known/jwks.json", nil)
	keys := got.OK()["keys"].([]any)
	require.Equal(t, "public, max-age=600", got.Header.Get("Cache-Control"))
	require.Len(t, keys, 1)
	key := keys[0].(map[string]any)
	require.Equal(t, "ES256", key["alg"])
	require.Equal(t, "sig", key["use"])
	require.NotContains(t, key, "d", "the private part stays here")

	symmetric := apitest.New(t, func(c *conf.Config) { c.JWT.Keys, c.JWT.ValidMethods = "", nil })
	require.Equal(t, []any{}, symmetric.Do(http.MethodGet, "/.well-known/jwks.json", nil).OK()["keys"])
}

func TestRouter(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	got := app.Do(http.MethodGet, "/unknown", nil)
	require.Equal(t, http.StatusNotFound, got.Status)
	require.Equal(t, "404 page not found\n", string(got.Body))
	got = app.Do(http.MethodGet, "/signup", nil)
	require.Equal(t, http.StatusMethodNotAllowed, got.Status)
	require.Empty(t, got.Body)
	require.Equal(t, http.MethodPost, got.Header.Get("Allow"))
	require.Equal(t, http.StatusNotFound, app.Do(http.MethodPost, "/token/", nil).Status)
	require.Equal(t, http.StatusBadRequest, app.Do(http.MethodPost, "/signup/", nil).Status)
}

func TestCORS(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.CORS.AllowedHeaders = []string{"X-Mine"} })
	origin := apitest.Header("Origin", "https://anywhere.test")
	got := app.Do(http.MethodGet, "/settings", nil, origin)
	require.Equal(t, "*", got.Header.Get("Access-Control-Allow-Origin"))
	got = app.Do(http.MethodOptions, "/user", nil, origin, apitest.Header("Access-Control-Request-Method", "PUT"),
		apitest.Header("Access-Control-Request-Headers", "authorization,x-mine"))
	require.Equal(t, http.StatusNoContent, got.Status)
	require.Equal(t, "PUT", got.Header.Get("Access-Control-Allow-Methods"))
	require.NotEmpty(t, got.Header.Get("Access-Control-Allow-Headers"))
	got = app.Do(http.MethodGet, "/unknown", nil, origin)
	require.Equal(t, "*", got.Header.Get("Access-Control-Allow-Origin"))
	got = app.Do(http.MethodGet, "/oauth/authorize", nil, origin)
	require.Empty(t, got.Header.Get("Access-Control-Allow-Origin"), "scripts have no business there")
}

// Both shapes of an error, chosen by the caller.
func TestErrorShapes(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	for version, newer := range map[string]bool{
		"": false, "2024-01-01": true, "2099-12-31": true, "2023-12-31": false, "yesterday": false,
	} {
		got := app.Do(http.MethodGet, "/user", nil, apitest.Header("X-Supabase-Api-Version", version))
		require.Equal(t, "no_authorization", got.Header.Get("X-Sb-Error-Code"))
		if newer {
			require.Equal(t, map[string]any{"code": "no_authorization", "message": "This endpoint requires a valid Bearer token"}, got.JSON())
			require.Equal(t, "2024-01-01", got.Header.Get("X-Supabase-Api-Version"))
			continue
		}
		require.Equal(t, map[string]any{
			"code": 401.0, "error_code": "no_authorization", "msg": "This endpoint requires a valid Bearer token",
		}, got.JSON())
		require.Empty(t, got.Header.Get("X-Supabase-Api-Version"))
	}
}

// What the operator's trigger raises for the client reaches the client.
func TestErrorsOfTheOperatorsTrigger(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	app.Exec(`create function refuse() returns trigger language plpgsql as $$ begin
		raise exception 'no % here', new.email using errcode = 'PT418', hint = 'go away'; end $$`)
	app.Exec(`create trigger refuse before insert on users for each row execute function refuse()`)
	email := apitest.NewEmail()
	got := app.Do(http.MethodPost, "/signup", signUp(email, nil))
	require.Equal(t, http.StatusTeapot, got.Status)
	require.Equal(t, map[string]any{"code": "PT418", "message": "no " + email + " here", "hint": "go away"}, got.JSON())
	require.Equal(t, "unexpected_failure", got.Header.Get("X-Sb-Error-Code"))
	got = app.Do(http.MethodPost, "/signup", signUp(email, nil), apitest.Header("X-Supabase-Api-Version", "2024-01-01"))
	require.Equal(t, http.StatusInternalServerError, got.Status)
	require.Equal(t, "Database error saving new user", got.JSON()["message"])
	require.Equal(t, 0, app.Count(`select count(*) from users`))
}
