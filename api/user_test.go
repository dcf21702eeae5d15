package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

func putUser(app *apitest.App, user *apitest.User, body map[string]any) *apitest.Response {
	return app.Do(http.MethodPut, "/user", body, apitest.Bearer(user.AccessToken))
}

func TestGetUser(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	addFactor(app, user.ID, "verified")
	for _, path := range []string{"/user", "/user/"} {
		body := app.Do(http.MethodGet, path, nil, apitest.Bearer(user.AccessToken)).OK()
		require.Equal(t, user.ID, body["id"])
		require.Equal(t, body["email_confirmed_at"], body["confirmed_at"])
		require.Equal(t, "", body["phone"])
		require.Len(t, body["factors"], 1)
		require.NotContains(t, body["factors"].([]any)[0], "secret")
		require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$`, body["created_at"])
		require.NotContains(t, body, "encrypted_password")
	}
	got := app.Do(http.MethodGet, "/user/unknown", nil, apitest.Bearer(user.AccessToken))
	require.Equal(t, http.StatusNotFound, got.Status)
	app.Do(http.MethodGet, "/user/unknown", nil).Refused(http.StatusUnauthorized, "no_authorization")
}

func TestPutUserData(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.Exec(`delete from audit_log_entries`)
	putUser(app, user, map[string]any{"data": map[string]any{"a": 1, "b": map[string]any{"c": 2}}}).OK()
	body := putUser(app, user, map[string]any{"data": map[string]any{"a": nil, "b": "x", "d": []int{1}}}).OK()
	metadata := body["user_metadata"].(map[string]any)
	require.NotContains(t, metadata, "a", "null deletes")
	require.Equal(t, "x", metadata["b"], "the merge is shallow")
	require.Equal(t, []any{1.0}, metadata["d"])
	require.Equal(t, user.Email, metadata["email"], "what was there stays")
	require.Equal(t, []string{"user_modified", "user_modified"}, actions(app))
	require.Equal(t, metadata, app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()["user_metadata"])

	require.Equal(t, user.ID, putUser(app, user, map[string]any{}).OK()["id"], "nothing to change is no error")
	require.Equal(t, user.Email, putUser(app, user, map[string]any{"email": strings.ToUpper(user.Email)}).OK()["email"])
}

func TestPutUserAppMetadata(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, admin := app.User(t), app.User(t)
	body := map[string]any{"app_metadata": map[string]any{"plan": "gold"}}
	putUser(app, user, body).Refused(http.StatusForbidden, "not_admin")
	app.Exec(`update users set role = 'admin' where id = $1`, admin.ID)
	got := putUser(app, admin, body).OK()["app_metadata"].(map[string]any)
	require.Equal(t, "gold", got["plan"])
	require.Equal(t, "email", got["provider"])
	require.Empty(t, app.Text(`select raw_app_meta_data->>'plan' from users where id = $1`, user.ID))
}

func TestPutUserPassword(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	other := app.SignIn(t, user.Email)
	app.Exec(`update users set recovery_token = 'pending', recovery_sent_at = now() where id = $1`, user.ID)
	app.Exec(`insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to)
		values (gen_random_uuid(), $1, 'recovery_token', 'pending', 'x')`, user.ID)
	app.Exec(`delete from audit_log_entries`)

	putUser(app, user, map[string]any{"password": apitest.Password}).Refused(http.StatusUnprocessableEntity, "same_password")
	putUser(app, user, map[string]any{"password": ""}).Refused(http.StatusUnprocessableEntity, "weak_password")
	putUser(app, user, map[string]any{"password": strings.Repeat("x", 73)}).Refused(http.StatusBadRequest, "validation_failed")
	require.Equal(t, 2, app.Count(`select count(*) from sessions`))

	putUser(app, user, map[string]any{"password": "another password"}).OK()
	require.ElementsMatch(t, []string{"user_updated_password", "user_modified"}, actions(app))
	require.Equal(t, []string{user.SessionID}, app.Texts(`select id::text from sessions`), "all other sessions end")
	app.Refresh(other.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_not_found")
	refreshed(t, app, user.RefreshToken)
	require.Equal(t, 0, app.Count(`select count(*) from one_time_tokens`), "links that are under way die")
	require.Empty(t, app.Text(`select recovery_token || coalesce(recovery_sent_at::text, '') from users`))
	login(app, map[string]any{"email": user.Email, "password": apitest.Password}).Refused(http.StatusBadRequest, "invalid_credentials")
	login(app, map[string]any{"email": user.Email, "password": "another password"}).OK()
}

func TestPutUserCurrentPassword(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.Security.UpdatePasswordRequireCurrentPassword = true })
	user := app.User(t)
	change := map[string]any{"password": "another password"}
	putUser(app, user, change).Refused(http.StatusBadRequest, "current_password_required")
	change["current_password"] = "wrong"
	putUser(app, user, change).Refused(http.StatusBadRequest, "current_password_invalid")
	hash := app.Text(`select encrypted_password from users`)
	app.Exec(`update users set encrypted_password = 'a hash of another system'`)
	putUser(app, user, change).Refused(http.StatusBadRequest, "current_password_invalid")
	app.Exec(`update users set encrypted_password = $1`, hash)
	change["current_password"] = apitest.Password
	putUser(app, user, change).OK()

	app.Exec(`update mfa_amr_claims set authentication_method = 'otp'`)
	putUser(app, user, map[string]any{"password": "one more password"}).OK()
}

func TestPutUserSecondFactor(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	addFactor(app, user.ID, "verified")
	putUser(app, user, map[string]any{"password": "another password"}).Refused(http.StatusUnauthorized, "insufficient_aal")
	putUser(app, user, map[string]any{"data": map[string]any{"a": 1}}).OK()
	app.Exec(`update sessions set aal = 'aal2'`)
	putUser(app, user, map[string]any{"password": "another password"}).OK()
}

func TestPutUserManagedElsewhere(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.Exec(`update users set is_sso_user = true`)
	putUser(app, user, map[string]any{"password": "another password"}).Refused(http.StatusUnprocessableEntity, "user_sso_managed")
}

func TestLogout(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		scope string
		left  []int // which of three sessions remain; the second logs out
	}{
		{"", nil}, {"?scope=global", nil}, {"?scope=", nil}, {"?scope=local", []int{0, 2}}, {"?scope=others", []int{1}},
	} {
		t.Run("scope"+test.scope, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t)
			stranger, first := app.User(t), app.User(t)
			sessions := []*apitest.User{first, app.SignIn(t, first.Email), app.SignIn(t, first.Email)}
			got := app.Do(http.MethodPost, "/logout"+test.scope, nil, apitest.Bearer(sessions[1].AccessToken))
			require.Equal(t, http.StatusNoContent, got.Status)
			require.Empty(t, got.Body)
			want := []string{stranger.SessionID}
			for _, i := range test.left {
				want = append(want, sessions[i].SessionID)
				refreshed(t, app, sessions[i].RefreshToken)
			}
			require.ElementsMatch(t, want, app.Texts(`select id::text from sessions`))
			require.Contains(t, actions(app), "logout")
			refreshed(t, app, stranger.RefreshToken)
		})
	}
}

func TestLogoutRefused(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	require.Equal(t, `Unsupported logout scope "everyone"`,
		app.Do(http.MethodPost, "/logout?scope=everyone", nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusBadRequest, "validation_failed"))
	app.Do(http.MethodPost, "/logout", nil).Refused(http.StatusUnauthorized, "no_authorization")
	app.Do(http.MethodPost, "/logout", nil, apitest.Bearer(user.AccessToken)).OK()
	app.Do(http.MethodPost, "/logout", nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusForbidden, "session_not_found")
}

func TestLogoutEndsTokensOfTheOlderKind(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1)
	user := app.User(t)
	app.Do(http.MethodPost, "/logout", nil, apitest.Bearer(user.AccessToken)).OK()
	require.Equal(t, 0, app.Count(`select count(*) from refresh_tokens`))
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_not_found")
}
