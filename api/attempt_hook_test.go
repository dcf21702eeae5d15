package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// loginWith tries a password.
func loginWith(app *apitest.App, email, password string) *apitest.Response {
	return login(app, map[string]any{"email": email, "password": password})
}

func TestPasswordHook(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, hook.at(passwordVerification))
	user := app.User(t)
	require.Empty(t, hook.told(passwordVerification), "a sign-up is no attempt")
	alive := func() bool {
		return app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).Status == http.StatusOK
	}

	loginWith(app, user.Email, apitest.Password).OK()
	require.Equal(t, user.ID, hook.lastAt(passwordVerification)["user_id"])
	require.Equal(t, true, hook.lastAt(passwordVerification)["valid"])
	require.Equal(t, "Invalid login credentials",
		loginWith(app, user.Email, "wrong").Refused(http.StatusBadRequest, "invalid_credentials"))
	require.Equal(t, false, hook.lastAt(passwordVerification)["valid"])

	reject := map[string]any{"decision": "reject"}
	hook.on(passwordVerification, says(http.StatusOK, reject))
	for _, password := range []string{apitest.Password, "wrong"} {
		got := loginWith(app, user.Email, password)
		require.Equal(t, "Further password verification attempts will be rejected.",
			got.Refused(http.StatusBadRequest, "invalid_credentials"))
		require.Equal(t, "invalid_credentials", got.Header.Get("X-Sb-Error-Code"))
		require.Empty(t, got.Header.Get("Sb-Auth-User-Id"))
	}
	require.True(t, alive())
	reject["message"], reject["should_logout_user"] = "blocked for now", true
	require.Equal(t, "blocked for now", loginWith(app, user.Email, "wrong").Refused(http.StatusBadRequest, "invalid_credentials"))
	require.False(t, alive())
	require.Zero(t, app.Count(`select count(*) from sessions`))

	for _, fault := range []struct {
		reply         func(map[string]any) (int, any)
		status        int
		code, message string
	}{
		{says(http.StatusForbidden, nil), 500, "unexpected_failure", "Unexpected status code returned from hook: 403"},
		{refuses(402, "pay first"), 402, "unknown", "pay first"},
		{says(http.StatusOK, []string{"reject"}), 500, "unexpected_failure", "Error unmarshaling JSON output."},
		{
			says(http.StatusOK, strings.Repeat("x", 10<<20)), 422, "hook_payload_over_size_limit",
			"Payload size exceeded size limit of 204800 bytes",
		},
	} {
		hook.on(passwordVerification, fault.reply)
		require.Equal(t, fault.message, loginWith(app, user.Email, apitest.Password).Refused(fault.status, fault.code))
		require.Zero(t, app.Count(`select count(*) from sessions`), "a hook that fails lets nobody in")
	}
}

// Attempts that the hook hears of: somebody's password, who is not banned.
func TestPasswordHookIsNotAsked(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, hook.at(passwordVerification))
	user := app.User(t)
	hook.on(passwordVerification, says(http.StatusOK, map[string]any{"decision": "reject", "message": "asked"}))
	loginWith(app, apitest.NewEmail(), apitest.Password).Refused(http.StatusBadRequest, "invalid_credentials")
	loginWith(app, user.Email, "").Refused(http.StatusBadRequest, "invalid_credentials")
	require.Len(t, hook.told(passwordVerification), 1, "an empty password is a wrong one")

	app.Exec(`update users set email_confirmed_at = null`)
	require.Equal(t, "asked", loginWith(app, user.Email, apitest.Password).Refused(http.StatusBadRequest, "invalid_credentials"),
		"before it is known whether the address is confirmed")
	app.Exec(`update users set banned_until = now() + interval '1 day'`)
	loginWith(app, user.Email, apitest.Password).Refused(http.StatusBadRequest, "user_banned")
	app.Exec(`update users set banned_until = null, encrypted_password = ''`)
	require.Equal(t, "Invalid login credentials",
		loginWith(app, user.Email, apitest.Password).Refused(http.StatusBadRequest, "invalid_credentials"))
	require.Len(t, hook.told(passwordVerification), 2)
}

// The usual hook counts failures in a table: what it writes stays, also when it
// rejects.
func TestPasswordHookFunction(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, functionAt(passwordVerification))
	user := app.User(t)
	app.Exec(`create table public.failures (user_id uuid)`)
	app.Exec(`create function public.hook(event jsonb) returns jsonb language plpgsql as $$ begin
		if (event->>'valid')::boolean then return '{"decision": "continue"}'; end if;
		insert into public.failures values ((event->>'user_id')::uuid);
		if (select count(*) from public.failures) < 3 then return null; end if;
		return '{"decision": "reject", "message": "too many", "should_logout_user": true}';
	end $$`)
	for range 2 {
		require.Equal(t, "Invalid login credentials", loginWith(app, user.Email, "wrong").Refused(http.StatusBadRequest, "invalid_credentials"))
	}
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	require.Equal(t, "too many", loginWith(app, user.Email, "wrong").Refused(http.StatusBadRequest, "invalid_credentials"))
	require.Equal(t, 3, app.Count(`select count(*) from public.failures where user_id = $1`, user.ID))
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusForbidden, "session_not_found")
	loginWith(app, user.Email, apitest.Password).OK()
}
