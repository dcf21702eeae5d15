package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

func login(app *apitest.App, body map[string]any) *apitest.Response {
	return app.Do(http.MethodPost, "/token?grant_type=password", body)
}

func TestPasswordGrant(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.Exec(`delete from audit_log_entries`)
	got := login(app, map[string]any{"email": strings.ToUpper(user.Email), "password": apitest.Password})
	body := got.OK()
	require.Contains(t, body, "weak_password")
	require.Nil(t, body["weak_password"])
	require.Equal(t, "bearer", body["token_type"])
	require.InDelta(t, 3600, body["expires_in"], 1)
	require.InDelta(t, app.UnixIn(0)+3600, body["expires_at"], 5)
	claims := apitest.Claims(t, body["access_token"].(string))
	require.Equal(t, user.ID, claims["sub"])
	require.Equal(t, "authenticated", claims["aud"])
	require.Equal(t, "aal1", claims["aal"])
	require.Equal(t, apitest.Issuer, claims["iss"])
	require.NotContains(t, claims, "client_id")
	require.NotContains(t, claims, "jti")
	require.Equal(t, []string{"login"}, actions(app))
	require.Equal(t, 2, app.Count(`select count(*) from sessions`), "a login ends no other session")
	require.Equal(t, got.Header.Get("Sb-Auth-Session-Id"), claims["session_id"])
}

// The order of the checks is part of the contract: a ban shows before the
// password is looked at, a missing confirmation only after it.
func TestPasswordGrantRefused(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.External.PhoneEnabled = true })
	make := func(sql string) string {
		user := app.User(t)
		app.Exec(`update users set `+sql+` where id = $1`, user.ID)
		return user.Email
	}
	good := app.User(t).Email
	banned := make(`banned_until = now() + interval '1 hour'`)
	expired := make(`banned_until = now() - interval '1 hour'`)
	unconfirmed := make(`email_confirmed_at = null`)
	noPassword := make(`encrypted_password = null`)
	emptyPassword := make(`encrypted_password = ''`)
	sso := make(`is_sso_user = true`)
	strange := make(`encrypted_password = '$9$unknown'`)
	make(`phone = '4912345678'`)
	before := app.Count(`select count(*) from sessions`)

	for _, test := range []struct {
		name, email, password string
		code                  string
	}{
		{"unknown", apitest.NewEmail(), apitest.Password, "invalid_credentials"},
		{"not an address", "no address", apitest.Password, "invalid_credentials"},
		{"wrong", good, "wrong password", "invalid_credentials"},
		{"empty", good, "", "invalid_credentials"},
		{"longer than bcrypt reads", good, apitest.Password + strings.Repeat("x", 100), "invalid_credentials"},
		{"banned, right", banned, apitest.Password, "user_banned"},
		{"banned, wrong", banned, "wrong password", "user_banned"},
		{"unconfirmed, right", unconfirmed, apitest.Password, "email_not_confirmed"},
		{"unconfirmed, wrong", unconfirmed, "wrong password", "invalid_credentials"},
		{"no password", noPassword, apitest.Password, "invalid_credentials"},
		{"no password, none given", noPassword, "", "invalid_credentials"},
		{"empty password", emptyPassword, "", "invalid_credentials"},
		{"SSO user", sso, apitest.Password, "invalid_credentials"},
	} {
		got := login(app, map[string]any{"email": test.email, "password": test.password})
		require.Equal(t, http.StatusBadRequest, got.Status, "%s: %s", test.name, got.Body)
		got.Refused(http.StatusBadRequest, test.code)
	}
	require.Less(t, login(app, map[string]any{"email": strange, "password": "x"}).Status, 600, "a hash nobody can read is no crash")
	login(app, map[string]any{"email": expired, "password": apitest.Password}).OK()

	phone := map[string]any{"phone": "+49 1234 5678", "password": apitest.Password}
	login(app, phone).Refused(http.StatusBadRequest, "phone_not_confirmed")
	app.Exec(`update users set phone_confirmed_at = now() where phone = '4912345678'`)
	login(app, phone).OK()
	login(app, map[string]any{"email": good, "phone": "1"}).Refused(http.StatusBadRequest, "validation_failed")
	require.Equal(t, "missing email or phone", login(app, map[string]any{}).Refused(http.StatusBadRequest, "validation_failed"))
	require.Equal(t, before+2, app.Count(`select count(*) from sessions`))
}

func TestPasswordGrantSwitchedOff(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.External.EmailEnabled = false })
	require.Equal(t, "Email logins are disabled",
		login(app, map[string]any{"email": "a@b", "password": "x"}).Refused(http.StatusUnprocessableEntity, "email_provider_disabled"))
	require.Equal(t, "Phone logins are disabled",
		login(app, map[string]any{"phone": "1", "password": "x"}).Refused(http.StatusUnprocessableEntity, "phone_provider_disabled"))
}

func TestPasswordGrantTellsWeakness(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.Config.Password.MinLength = 40
	strict := app.Replica(t)
	weak := login(strict, map[string]any{"email": user.Email, "password": apitest.Password}).OK()["weak_password"].(map[string]any)
	require.Equal(t, []any{"length"}, weak["reasons"])
}

func TestPasswordGrantBeforeConfirmation(t *testing.T) {
	t.Parallel()
	app, _ := confirming(t, func(c *conf.Config) { c.Mailer.AllowUnverifiedEmailSignIns = true })
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	app.SignIn(t, email)
}

// An address belongs to an audience: the header chooses among them.
func TestPasswordGrantAudience(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	email := apitest.NewEmail()
	other := apitest.Header("X-JWT-AUD", "other")
	body := app.Do(http.MethodPost, "/signup", signUp(email, nil), other).OK()
	token := body["access_token"].(string)
	require.Equal(t, "other", apitest.Claims(t, token)["aud"])
	login(app, signUp(email, nil)).Refused(http.StatusBadRequest, "invalid_credentials")
	app.Do(http.MethodPost, "/token?grant_type=password", signUp(email, nil), other).OK()

	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(token)).OK()
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(token), apitest.Header("X-JWT-AUD", "authenticated")).
		Refused(http.StatusBadRequest, "validation_failed")
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).Refused(http.StatusUnprocessableEntity, "user_already_exists")
}

func TestUnknownGrantType(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	for _, path := range []string{"/token", "/token?grant_type=", "/token?grant_type=implicit"} {
		require.Equal(t, "unsupported_grant_type",
			app.Do(http.MethodPost, path, map[string]any{}).Refused(http.StatusBadRequest, "invalid_credentials"))
	}
}

// With column encryption on, a changed password is sealed. That of a sign-up is
// left bare, as GoTrue leaves it. Both work, and go on to when it is off again.
func TestPasswordsAreSealedWhereConfigured(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, sealed)
	user := app.User(t)
	require.Contains(t, app.Text(`select encrypted_password from users where id = $1`, user.ID), "$2a$")
	change := map[string]any{"password": "another password"}
	app.Do(http.MethodPut, "/user", change, apitest.Bearer(user.AccessToken)).OK()
	change["password"] = apitest.Password
	app.Do(http.MethodPut, "/user", change, apitest.Bearer(user.AccessToken)).OK()
	stored := app.Text(`select encrypted_password from users where id = $1`, user.ID)
	require.Contains(t, stored, `"key_id"`)
	require.NotContains(t, stored, "$2a$")
	app.SignIn(t, user.Email)
	require.Equal(t, stored, app.Text(`select encrypted_password from users where id = $1`, user.ID))

	app.Config.Security.DBEncryption.Encrypt = false
	app.Replica(t).SignIn(t, user.Email)
}

// sealed is an option that encrypts secret columns.
func sealed(c *conf.Config) {
	const key = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
	c.Security.DBEncryption = conf.DBEncryption{
		Encrypt: true, EncryptionKeyID: "k1", EncryptionKey: key, DecryptionKeys: map[string]string{"k1": key},
	}
}
