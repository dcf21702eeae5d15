package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/conf"
)

func (a *app) put(id, body string) answer {
	a.t.Helper()
	return a.call(http.MethodPut, "/admin/users/"+id, body)
}

// signIn gives a user a session and a pending code.
func (a *app) signIn(id string) {
	a.t.Helper()
	a.exec(`insert into sessions (id, user_id, created_at, updated_at, aal) values (gen_random_uuid(), $1, now(), now(), 'aal1')`, id)
	a.exec(`insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to)
		values (gen_random_uuid(), $1, 'recovery_token', 'hash', 'a@example.com')`, id)
	a.exec(`update users set recovery_token = 'hash', recovery_sent_at = now() where id = $1`, id)
}

// held counts a user's sessions and pending codes.
func (a *app) held(id string) string {
	a.t.Helper()
	return a.value(`select (select count(*) from sessions where user_id = u.id) || ' ' ||
		(select count(*) from one_time_tokens where user_id = u.id) || ' ' || u.recovery_token from users u where u.id = $1`, id)
}

func TestUserNotFound(t *testing.T) {
	t.Parallel()
	a := setup(t)
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
		// The user is looked for before the body is looked at.
		a.call(method, "/admin/users/11111111-2222-4333-8444-555555555555", "{").
			refused(http.StatusNotFound, apierror.UserNotFound, "User not found")
		a.call(method, "/admin/users/nope", "{").
			refused(http.StatusNotFound, apierror.ValidationFailed, "user_id must be an UUID")
	}
}

func TestUpdateMetadata(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com","user_metadata":{"a":1,"b":1}}`)
	user := a.put(id, `{"user_metadata":{"a":null,"c":{"d":null}},"app_metadata":{"plan":"pro","provider":null},"role":" manager "}`).ok()
	require.Equal(t, map[string]any{"b": 1.0, "c": map[string]any{"d": nil}}, user["user_metadata"])
	require.Equal(t, map[string]any{"plan": "pro", "providers": []any{"email"}}, user["app_metadata"])
	require.Equal(t, "manager", user["role"])
	require.JSONEq(t, `{"action":"user_modified","actor_id":"00000000-0000-0000-0000-000000000000",
		"actor_username":"service_role","actor_via_sso":false,"log_type":"user",
		"traits":{"user_email":"a@example.com","user_id":"`+id+`","user_phone":""}}`,
		a.value(`select payload::text from audit_log_entries where payload->>'action' = 'user_modified'`))

	unchanged := a.put(id, `{}`).ok()
	unchanged["updated_at"] = user["updated_at"]
	require.Equal(t, user, unchanged)
}

// Concurrent patches of different members all last.
func TestUpdateMetadataRace(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	var wg sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		wg.Go(func() {
			statuses[i] = a.put(id, fmt.Sprintf(`{"user_metadata":{"k%d":true},"app_metadata":{"k%d":true}}`, i, i)).status
		})
	}
	wg.Wait()
	for _, status := range statuses {
		require.Equal(t, http.StatusOK, status)
	}
	require.Equal(t, "8 10", a.value(`select (select count(*) from jsonb_object_keys(raw_user_meta_data)) || ' ' ||
		(select count(*) from jsonb_object_keys(raw_app_meta_data)) from users`))
}

func TestUpdatePassword(t *testing.T) {
	t.Parallel()
	a := setup(t, func(c *conf.Config) { c.Security.DBEncryption.Encrypt = true })
	id := a.user(`{"email":"a@example.com","password":"first1"}`)
	a.signIn(id)
	a.put(id, `{"password":"second"}`).ok()
	require.True(t, strings.HasPrefix(a.value(`select encrypted_password from users`), `{"key_id":"k"`))
	require.NoError(t, a.hasher.Compare(t.Context(), a.password(id), "second"))
	require.Equal(t, "0 0 ", a.held(id))
}

func TestUpdateBan(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	require.Contains(t, a.put(id, `{"ban_duration":"100h"}`).ok(), "banned_until")
	require.Contains(t, a.put(id, `{"role":"x"}`).ok(), "banned_until")
	require.NotContains(t, a.put(id, `{"ban_duration":"none"}`).ok(), "banned_until")
}

func TestUpdateRefuses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	a.user(`{"email":"taken@example.com"}`)
	id := a.user(`{"email":"a@example.com","password":"first1"}`)
	a.signIn(id)
	before := a.value(`select u::text from users u where id = $1`, id)
	tests := map[string]struct {
		body    string
		status  int
		code    apierror.Code
		message string
	}{
		"bad email":      {`{"email":"bad"}`, 400, apierror.ValidationFailed, "Unable to validate email address: invalid format"},
		"bad phone":      {`{"phone":"bad"}`, 400, apierror.ValidationFailed, "Invalid phone number format (E.164 required)"},
		"ban":            {`{"ban_duration":"5 days"}`, 400, apierror.ValidationFailed, `invalid format for ban duration: time: unknown unit " days" in duration "5 days"`},
		"weak":           {`{"password":"ab"}`, 422, apierror.WeakPassword, "Password should be at least 6 characters."},
		"empty":          {`{"password":""}`, 422, apierror.WeakPassword, "Password should be at least 6 characters."},
		"73 bytes":       {`{"password":"` + strings.Repeat("b", 73) + `"}`, 400, apierror.ValidationFailed, "Password cannot be longer than 72 characters"},
		"metadata":       {`{"user_metadata":[]}`, 400, apierror.BadJSON, ""},
		"email is taken": {`{"email":"taken@example.com","password":"second"}`, 500, apierror.UnexpectedFailure, "Error updating user"},
	}
	for name, test := range tests { //nolint:paralleltest // the rows are looked at afterwards
		t.Run(name, func(t *testing.T) {
			an := a.put(id, test.body)
			if test.message == "" {
				require.Equal(t, test.status, an.status)
				return
			}
			an.refused(test.status, test.code, test.message)
		})
	}
	require.Equal(t, "23505", a.put(id, `{"email":"taken@example.com"}`).header.Get("Public-Error"))
	require.Equal(t, before, a.value(`select u::text from users u where id = $1`, id))
	require.Equal(t, "1 1 hash", a.held(id))
}

func TestUpdateEmail(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	a.signIn(id)
	user := a.put(id, `{"email":"B@example.com"}`).ok()
	require.Equal(t, "b@example.com", user["email"])
	require.NotContains(t, user, "email_confirmed_at")
	require.Equal(t, "a@example.com", user["identities"].([]any)[0].(map[string]any)["email"], "as it was read")
	require.Equal(t, "1 0 ", a.held(id), "a link sent to the old address does not work for the new one")

	confirmed := a.put(id, `{"email_confirm":true}`).ok()
	require.Contains(t, confirmed, "email_confirmed_at")
	require.NotContains(t, confirmed, "confirmed_at")
	require.Equal(t, map[string]any{"email_verified": true}, confirmed["user_metadata"])
	require.JSONEq(t, `{"sub":"`+id+`","email":"b@example.com","email_verified":false,"phone_verified":false}`,
		a.value(`select identity_data::text from identities`))

	again := a.put(id, `{"email":"b@example.com","email_confirm":true}`).ok()
	require.Equal(t, confirmed["email_confirmed_at"], again["email_confirmed_at"])
	require.Equal(t, "b@example.com true", a.value(`select email || ' ' || (identity_data->>'email_verified') from identities`))
	require.Equal(t, again["email_confirmed_at"], a.put(id, `{"email_confirm":false}`).ok()["email_confirmed_at"], "false does nothing")
}

func TestUpdateAddsPhone(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com","email_confirm":true}`)
	a.signIn(id)
	user := a.put(id, `{"phone":"+44 7700 900123","phone_confirm":true}`).ok()
	require.Equal(t, "447700900123", user["phone"])
	require.Contains(t, user, "phone_confirmed_at")
	require.Len(t, user["identities"], 2)
	const phoneData = `select identity_data::text from identities where provider = 'phone'`
	require.JSONEq(t, `{"sub":"`+id+`","phone":"447700900123","email_verified":false,"phone_verified":true}`, a.value(phoneData))
	require.Equal(t, "1 1 hash", a.held(id), "a first phone number leaves pending mails alone")

	a.put(id, `{"phone":"447700900124"}`).ok()
	require.JSONEq(t, `{"sub":"`+id+`","phone":"447700900124","email_verified":false,"phone_verified":false}`, a.value(phoneData))
	require.Equal(t, "1 0 ", a.held(id))
}

func TestUpdateAnonymous(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	a.exec(`update users set is_anonymous = true, email = null, raw_app_meta_data = '{}'`)
	a.exec(`delete from identities`)
	require.Equal(t, true, a.put(id, `{"email_confirm":true}`).ok()["is_anonymous"], "nothing to confirm")
	require.Equal(t, true, a.put(id, `{"email":"a@example.com"}`).ok()["is_anonymous"])
	user := a.put(id, `{"email_confirm":true,"password":"second"}`).ok()
	require.Equal(t, false, user["is_anonymous"])
	require.Equal(t, map[string]any{}, user["app_metadata"])
	require.Len(t, user["identities"], 1)
}

func TestUpdateFirstPassword(t *testing.T) {
	t.Parallel()
	for enabled, identities := range map[bool]string{true: "2", false: "1"} {
		t.Run(fmt.Sprint(enabled), func(t *testing.T) {
			t.Parallel()
			a := setup(t, func(c *conf.Config) { c.Experimental.CreateEmailIdentityOnPasswordSetEnabled = enabled })
			id := a.user(`{"email":"a@example.com","email_confirm":true}`)
			a.exec(`update users set encrypted_password = ''`)
			a.exec(`update identities set provider = 'github', provider_id = '1'`)
			a.put(id, `{"password":"second"}`).ok()
			require.Equal(t, identities, a.value(`select count(*)::text from identities`))
		})
	}
}
