package apitest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
)

// logged is a log with one line that says something.
func logged(t *testing.T, said string) *Log {
	t.Helper()
	line, err := json.Marshal(map[string]any{"level": "error", "time": "2026-01-01T00:00:00.123456789Z", "duration_ms": 0.424242, "error": said})
	require.NoError(t, err)
	log := new(Log)
	_, err = log.Write(append(line, '\n'))
	require.NoError(t, err)
	return log
}

// What passes through a test is known to be secret, whichever way it passes.
func TestLeaksAreNoticed(t *testing.T) {
	t.Parallel()
	mail := NewMail(t)
	app := New(t, mail.Configure, func(cfg *conf.Config) { cfg.MFA.TOTP.EnrollEnabled = true })
	user, client := app.User(t), app.Client(t)
	request := app.Authorize(t, client)
	code := app.Approve(t, user, request)
	granted := app.Redeem(request, code).OK()
	enrolled := app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "totp"}, Bearer(user.AccessToken)).OK()
	invited, apiKey := NewEmail(), app.ServiceKey()
	app.Do(http.MethodGet, "/admin/users", nil, Bearer(apiKey)).OK()
	app.Do(http.MethodPost, "/signup", map[string]any{"email": invited, "password": Password + "2"}).OK()
	letter := mail.Last(invited)
	for _, each := range mail.All() {
		app.secrets.rememberLetter(each)
	}
	app.rememberStored(t)

	for name, value := range map[string]string{
		"password": Password, "bearer": user.AccessToken, "refresh token": user.RefreshToken, "address": user.Email,
		"client secret": client.Secret, "authorization handle": request.ID, "code": code, "verifier": request.Verifier,
		"id token": granted["id_token"].(string), "TOTP secret": enrolled["totp"].(map[string]any)["secret"].(string),
		"mailed code": letter.Subject, "mailed link": letter.Link(t).Query().Get("token"), "recipient": invited,
		"API key": apiKey, "password hash": app.Text(`select encrypted_password from users where email = $1`, invited),
		"session key": app.Text(`select refresh_token_hmac_key from sessions limit 1`),
	} {
		require.NotEmpty(t, value, name)
		require.NotEmpty(t, app.secrets.leaks(logged(t, fmt.Sprintf("cannot do %q now", value))), name)
		require.NotEmpty(t, app.secrets.leaks(logged(t, "GET /x?y="+url.QueryEscape(value))), name)
	}
	require.Empty(t, app.secrets.leaks(app.Log))
	require.NotEmpty(t, app.Log.said())
}

func TestWhatIsNoLeak(t *testing.T) {
	t.Parallel()
	known := new(secrets)
	for _, value := range []string{"424242", "abc", "authorization_code", "123456", ""} {
		known.remember(value, "a test")
	}
	require.Empty(t, known.leaks(logged(t, "authorization abc 9424242 1424242f request 123456f0-0000")), "part of another word")
	require.NotEmpty(t, known.leaks(logged(t, "9424242 code=424242.")))
	require.NotEmpty(t, known.leaks(logged(t, "authorization_code")), "long enough to be meant")

	answer := &Response{Status: http.StatusBadRequest, Body: []byte(`{"code": "bad_json_1", "password": "of an error"}`), Header: http.Header{}}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/x?token=in-the-query-1", nil)
	require.NoError(t, err)
	known.rememberExchange(r, []byte("client_secret=in-a-form-1&state=public-1234"), answer)
	require.Empty(t, known.leaks(logged(t, "bad_json_1 public-1234")))
	require.Len(t, known.leaks(logged(t, "in-the-query-1 in-a-form-1")), 2)
}
