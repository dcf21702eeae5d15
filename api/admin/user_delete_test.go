package admin_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// digest is the form in which GoTrue keeps a deleted user's values apart.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestDeleteUser(t *testing.T) {
	t.Parallel()
	a := setup(t)
	for _, body := range []string{"", "{}", `{"should_soft_delete":false}`} {
		id := a.user(`{"email":"a@example.com"}`)
		a.signIn(id)
		an := a.call(http.MethodDelete, "/admin/users/"+id, body)
		require.Equal(t, map[string]any{}, an.ok())
		require.Equal(t, "0 0 0 0", a.value(`select (select count(*) from users) || ' ' || (select count(*) from identities) || ' ' ||
			(select count(*) from sessions) || ' ' || (select count(*) from one_time_tokens)`))
		require.Equal(t, http.StatusNotFound, a.call(http.MethodDelete, "/admin/users/"+id, body).status)
		require.JSONEq(t, `{"action":"user_deleted","actor_id":"00000000-0000-0000-0000-000000000000",
			"actor_username":"service_role","actor_via_sso":false,"log_type":"team",
			"traits":{"user_email":"a@example.com","user_id":"`+id+`","user_phone":""}}`,
			a.value(`select payload::text from audit_log_entries where payload->>'action' = 'user_deleted'
				and payload->'traits'->>'user_id' = $1`, id))
	}
}

// A body that cannot be understood deletes nobody.
func TestDeleteUserRefuses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	for _, body := range []string{"{", `{"should_soft_delete":"yes"}`, `[true]`} {
		require.Equal(t, http.StatusBadRequest, a.call(http.MethodDelete, "/admin/users/"+id, body).status, body)
	}
	form := a.send(http.MethodDelete, "/admin/users/"+id, `{"should_soft_delete":true}`,
		"Authorization", "Bearer "+serviceToken, "Content-Type", "application/x-www-form-urlencoded")
	require.Equal(t, http.StatusBadRequest, form.status)
	require.Equal(t, "1 (null)", a.value(`select count(*) || ' ' || coalesce(max(deleted_at)::text, '(null)') from users`))
}

func TestSoftDeleteUser(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com","phone":"447700900123","password":"first1","email_confirm":true,
		"user_metadata":{"full_name":"Ada"}}`)
	a.signIn(id)
	a.exec(`insert into mfa_factors (id, user_id, factor_type, status, created_at, updated_at, secret)
		values (gen_random_uuid(), $1, 'totp', 'verified', now(), now(), 's')`, id)
	a.exec(`insert into webauthn_credentials (id, user_id, credential_id, public_key, created_at, updated_at)
		values (gen_random_uuid(), $1, '\x01', '\x01', now(), now())`, id)
	remove := func() {
		t.Helper()
		require.Equal(t, map[string]any{}, a.call(http.MethodDelete, "/admin/users/"+id, `{"should_soft_delete":true}`).ok())
	}
	remove()

	user := a.call(http.MethodGet, "/admin/users/"+id, "").ok()
	require.Equal(t, digest(id+"a@example.com"), user["email"])
	require.Equal(t, digest(id + "447700900123")[:15], user["phone"])
	require.Equal(t, digest(id), user["new_email"])
	require.Equal(t, digest(id)[:15], user["new_phone"])
	require.Equal(t, map[string]any{}, user["user_metadata"])
	require.Equal(t, map[string]any{}, user["app_metadata"])
	require.Contains(t, user, "deleted_at")
	require.Contains(t, user, "email_confirmed_at")
	require.NotContains(t, user, "factors")
	shown := map[string]bool{}
	for _, identity := range user["identities"].([]any) {
		require.NotContains(t, identity, "identity_data")
		shown[identity.(map[string]any)["id"].(string)] = true
	}
	require.Equal(t, map[string]bool{digest(id + "email:" + id): true, digest(id + "phone:" + id): true}, shown)
	require.Equal(t, "(null)", a.value(`select encrypted_password from users`))
	require.Equal(t, "0 0 ", a.held(id))
	require.Equal(t, "0 0", a.value(`select (select count(*) from mfa_factors) || ' ' || (select count(*) from webauthn_credentials)`))

	// Once more changes nothing, and the addresses are free.
	row := a.value(`select u::text from users u`)
	remove()
	require.Equal(t, row, a.value(`select u::text from users u`))
	require.Equal(t, "1", a.value(`select count(*)::text from audit_log_entries where payload->>'action' = 'user_deleted'`))
	a.user(`{"email":"a@example.com","phone":"447700900123"}`)
	a.call(http.MethodDelete, "/admin/users/"+id, "").ok()
	require.Equal(t, "1", a.value(`select count(*)::text from users`))
}
