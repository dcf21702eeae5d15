package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// A request leaves one line that tells operators what happened and nobody's
// secrets or addresses.
func TestLog(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	app := apitest.New(t, mail.Configure, func(c *conf.Config) { c.Mailer.Autoconfirm = true })
	requests := 0
	var secrets []string
	count := func(n int) { requests += n }

	user := app.User(t)
	count(1)
	secrets = append(secrets, user.Email, user.AccessToken, user.RefreshToken, apitest.Password)
	client := app.Client(t)
	count(1)
	request := app.Authorize(t, client)
	code := app.Approve(t, user, request)
	count(3)
	got := app.Redeem(request, code).OK()
	count(1)
	secrets = append(secrets, client.Secret, request.ID, request.Verifier, code, got["access_token"].(string),
		got["id_token"].(string), got["refresh_token"].(string), app.ServiceKey())
	app.Redeem(request, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	app.Refresh(user.RefreshToken).OK()
	app.Refresh("abcdefghijkl").Refused(http.StatusBadRequest, "refresh_token_not_found")
	login(app, map[string]any{"email": user.Email, "password": "wrong secret"}).Refused(http.StatusBadRequest, "invalid_credentials")
	login(app, map[string]any{"phone": "4915112345678", "password": "wrong secret"})
	app.Do(http.MethodGet, "/verify?type=signup&token=hash-of-a-code", nil)
	app.Do(http.MethodPost, "/verify", map[string]any{"type": "email", "token_hash": "hash-of-a-code"})
	app.Do(http.MethodGet, "/unknown/secret-path", nil)
	count(8)
	secrets = append(secrets, "abcdefghijkl", "wrong secret", "4915112345678", "hash-of-a-code", "secret-path")

	app.Config.Mailer.Autoconfirm = false
	confirming := app.Replica(t)
	mail.Refuse(true)
	email := apitest.NewEmail()
	confirming.Do(http.MethodPost, "/signup", signUp(email, map[string]any{"full_name": "Ann Example"}))
	count(1)
	secrets = append(secrets, email, strings.Split(email, "@")[0], "Ann Example")

	lines := app.Log.Requests()
	require.Len(t, lines, requests, "one line a request")
	for _, line := range lines {
		for _, name := range []string{"request_id", "method", "route", "status", "duration_ms", "statements", "level", "time"} {
			require.Contains(t, line, name)
		}
	}
	text := app.Log.String()
	for _, secret := range secrets {
		require.NotContains(t, text, secret)
	}
	first, redeem, last := lines[0], lines[5], lines[len(lines)-1]
	require.Equal(t, "/signup", first["route"])
	require.InDelta(t, 200, first["status"], 0)
	require.Equal(t, "info", first["level"])
	require.Equal(t, "/oauth/token", redeem["route"])
	require.Equal(t, "authorization_code", redeem["grant_type"])
	require.Equal(t, client.ID, redeem["client_id"])
	require.Equal(t, user.ID, redeem["user_id"])
	require.NotEmpty(t, redeem["session_id"])
	require.Equal(t, "invalid_grant", lines[6]["error_code"])
	require.Equal(t, "error", last["level"])
	require.Equal(t, "unexpected_failure", last["error_code"])
	require.Contains(t, last["error"], "mail", "the cause is for the operator")
}

// The sign-ups and logins of the project's own app say whom they were for.
func TestLogNamesUserAndSession(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.SignIn(t, user.Email)
	app.Refresh(user.RefreshToken).OK()
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	for _, line := range app.Log.Requests() {
		require.Equal(t, user.ID, line["user_id"], line["route"])
		require.NotEmpty(t, line["session_id"], line["route"])
	}
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.API.RequestIDHeader = "X-Request-Id" })
	app.Do(http.MethodGet, "/settings", nil, apitest.Header("X-Request-Id", "from-the-gateway"))
	require.Equal(t, "from-the-gateway", app.Log.Requests()[0]["request_id"])

	mail := apitest.NewMail(t)
	mail.Refuse(true)
	failing := apitest.New(t, mail.Configure)
	got := failing.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil))
	require.Equal(t, failing.Log.Requests()[0]["request_id"], got.JSON()["error_id"], "the caller can quote it")
}

// A configured server over a real listener: the parts that recorders skip.
func TestOverTheNetwork(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	client := &http.Client{Timeout: 10 * time.Second}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, app.URL(t)+"/token?grant_type=refresh_token",
		strings.NewReader(`{"refresh_token":"`+user.RefreshToken+`"}`))
	require.NoError(t, err)
	answer, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "127.0.0.1", app.Text(`select host(ip) from sessions`))
}
