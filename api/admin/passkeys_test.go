package admin_test

import (
	"net/http"
	"testing"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"
)

// passkey gives a user a passkey of the time, and returns its id.
func (a *app) passkey(user, name, created string) string {
	a.t.Helper()
	id := uuid.Must(uuid.NewV4()).String()
	a.exec(`insert into webauthn_credentials (id, user_id, credential_id, public_key, friendly_name, created_at)
		values ($1::text::uuid, $2::text::uuid, $1::text::bytea, '', $3, $4::text::timestamptz)`, id, user, name, created)
	return id
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id, other := a.user(`{"email":"a@example.com"}`), a.user(`{"email":"b@example.com"}`)
	path := "/admin/users/" + id + "/passkeys"
	list := func() string { return string(a.call(http.MethodGet, path, "").body) }
	require.JSONEq(t, `[]`, list())

	newer, older := a.passkey(id, "", "2026-02-01 00:00+00"), a.passkey(id, "key", "2026-01-01 00:00+00")
	foreign := a.passkey(other, "", "2026-01-01 00:00+00")
	a.exec(`update webauthn_credentials set last_used_at = '2026-03-01 00:00+00' where id = $1`, newer)
	require.JSONEq(t, `[{"id":"`+older+`","friendly_name":"key","created_at":"2026-01-01T00:00:00Z"},
		{"id":"`+newer+`","created_at":"2026-02-01T00:00:00Z","last_used_at":"2026-03-01T00:00:00Z"}]`, list())

	require.Equal(t, http.StatusNoContent, a.call(http.MethodDelete, path+"/"+older, "").status)
	require.Equal(t, older, a.value(`select payload->'traits'->>'passkey_id' from audit_log_entries
		where payload->>'action' = 'passkey_deleted' and payload->'traits'->>'user_id' = $1 and payload->>'actor_username' = 'service_role'`, id))
	for _, gone := range []string{older, foreign, "nonsense"} {
		refused := a.call(http.MethodDelete, path+"/"+gone, "")
		require.Equal(t, http.StatusNotFound, refused.status)
		require.JSONEq(t, `{"code":404,"error_code":"validation_failed","msg":"Passkey not found"}`, string(refused.body))
	}
	require.Equal(t, "2", a.value(`select count(*)::text from webauthn_credentials`))
	require.Equal(t, http.StatusNotFound, a.call(http.MethodGet, "/admin/users/nonsense/passkeys", "").status)
	require.Equal(t, http.StatusUnauthorized, a.send(http.MethodGet, path, "").status)
}
