package admin_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/storage"
)

// factor gives a user a factor that was challenged once, and returns its id.
func (a *app) factor(user, kind, name, status string) string {
	a.t.Helper()
	id := uuid.Must(uuid.NewV4()).String()
	phone := ""
	if kind == "phone" {
		phone = "447700900123"
	}
	a.exec(`insert into mfa_factors (id, user_id, factor_type, friendly_name, status, phone, secret, created_at, updated_at, last_challenged_at)
		values ($1::text::uuid, $2::text::uuid, $3::text::factor_type, $4, $5::text::factor_status, nullif($6::text, ''), 'secret',
			clock_timestamp(), '2026-01-01 00:00+00', clock_timestamp())`, id, user, kind, name, status, phone)
	return id
}

// aal2 gives a user a session that the factor brought to aal2 by the method.
func (a *app) aal2(user, factor, method string) {
	a.t.Helper()
	session := uuid.Must(uuid.NewV4()).String()
	a.exec(`insert into sessions (id, user_id, created_at, updated_at, aal, factor_id)
		values ($1::text::uuid, $2::text::uuid, now(), now(), 'aal2', $3::text::uuid)`, session, user, factor)
	for _, each := range []string{"password", method} {
		a.exec(`insert into mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
			values (gen_random_uuid(), $1::text::uuid, now(), now(), $2)`, session, each)
	}
}

// assurance shows the sessions with their methods.
func (a *app) assurance() string {
	a.t.Helper()
	return a.value(`select string_agg(s.aal || ' ' || coalesce(f.friendly_name, '-') || ' ' || (select string_agg(c.authentication_method, ','
		order by c.authentication_method) from mfa_amr_claims c where c.session_id = s.id), '; ' order by s.created_at)
		from sessions s left join mfa_factors f on f.id = s.factor_id`)
}

func (a *app) onFactor(method, user, factor, body string) answer {
	a.t.Helper()
	return a.call(method, "/admin/users/"+user+"/factors/"+factor, body)
}

func (a *app) factors(user string) answer {
	a.t.Helper()
	return a.call(http.MethodGet, "/admin/users/"+user+"/factors", "")
}

// shown is a factor as the rows have it.
func (a *app) shown(id string) string {
	a.t.Helper()
	return a.value(`select jsonb_strip_nulls(jsonb_build_object('id', id, 'created_at', created_at, 'updated_at', updated_at,
		'status', status, 'friendly_name', nullif(friendly_name, ''), 'factor_type', factor_type, 'phone', coalesce(phone, ''),
		'last_challenged_at', last_challenged_at))::text from mfa_factors where id = $1`, id)
}

// requireFactor compares a factor in an answer with the one in the rows, times
// as instants.
func requireFactor(t *testing.T, want, got string) {
	t.Helper()
	var factors [2]map[string]any
	for i, text := range []string{want, got} {
		require.NoError(t, json.Unmarshal([]byte(text), &factors[i]), text)
		for _, name := range []string{"created_at", "updated_at", "last_challenged_at"} {
			at, err := time.Parse(time.RFC3339, factors[i][name].(string))
			require.NoError(t, err)
			factors[i][name] = at.UTC()
		}
	}
	require.Equal(t, factors[0], factors[1])
}

func TestListFactors(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id, other := a.user(`{"email":"a@example.com"}`), a.user(`{"email":"b@example.com"}`)
	require.JSONEq(t, `[]`, string(a.factors(id).body))
	totp, phone := a.factor(id, "totp", "app", "verified"), a.factor(id, "phone", "", "unverified")
	a.factor(other, "totp", "app", "verified")

	an := a.factors(id)
	require.Equal(t, []string{totp, phone}, an.listed())
	var factors []json.RawMessage
	require.NoError(t, json.Unmarshal(an.body, &factors))
	for i, factor := range []string{totp, phone} {
		requireFactor(t, a.shown(factor), string(factors[i]))
	}

	a.exec(`update mfa_factors set last_challenged_at = null, web_authn_aaguid = '00000000-0000-4000-8000-000000000001',
		last_webauthn_challenge_data = '{"type":"create"}', factor_type = 'webauthn', created_at = '2026-01-01 00:00+00' where id = $1`, totp)
	a.exec(`delete from mfa_factors where id = $1`, phone)
	require.JSONEq(t, `[{"id":"`+totp+`","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z","status":"verified",
		"friendly_name":"app","factor_type":"webauthn","phone":"","last_challenged_at":null,
		"web_authn_aaguid":"00000000-0000-4000-8000-000000000001","last_webauthn_challenge_data":{"type":"create"}}]`,
		string(a.factors(id).body))
}

func TestUpdateFactor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ kind, body, stored string }{
		"name":           {"totp", `{"friendly_name":"new"}`, "new "},
		"phone":          {"phone", `{"phone":"+44 7700 900999"}`, "app 447700900999"},
		"both":           {"phone", `{"phone":"447700900999","friendly_name":"new"}`, "new 447700900999"},
		"phone of TOTP":  {"totp", `{"phone":"447700900999"}`, "app "},
		"bad and unused": {"totp", `{"phone":"x"}`, "app "},
		"nothing":        {"phone", `{}`, "app 447700900123"},
		"empty":          {"phone", `{"phone":"","friendly_name":""}`, "app 447700900123"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t)
			id := a.user(`{"email":"a@example.com"}`)
			factor := a.factor(id, test.kind, "app", "verified")
			an := a.onFactor(http.MethodPut, id, factor, test.body)
			an.ok()
			require.Equal(t, test.stored, a.value(`select friendly_name || ' ' || coalesce(phone, '') from mfa_factors`))
			requireFactor(t, a.shown(factor), string(an.body))
			require.Equal(t, "true", a.value(`select (updated_at > '2026-01-01 00:00+00')::text from mfa_factors`))
			require.Equal(t, "verified", an.json()["status"])
			require.JSONEq(t, `{"action":"factor_updated","actor_id":"00000000-0000-0000-0000-000000000000",
				"actor_username":"service_role","actor_via_sso":false,"log_type":"factor",
				"traits":{"user_id":"`+id+`","factor_id":"`+factor+`","factor_type":"`+test.kind+`"}}`,
				a.value(`select payload::text from audit_log_entries where payload->>'log_type' = 'factor' and ip_address = '192.0.2.1'`))
		})
	}
}

func TestUpdateFactorRefuses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	factor := a.factor(id, "phone", "app", "verified")
	second := a.factor(id, "totp", "other", "unverified")
	a.exec(`update mfa_factors set phone = '447700900999' where id = $1`, second)
	before := a.shown(factor)
	for body, want := range map[string]struct {
		status  int
		code    apierror.Code
		message string
	}{
		`{"phone":"12ab"}`: {http.StatusBadRequest, apierror.ValidationFailed, "Invalid phone number format (E.164 required)"},
		`{"friendly_name":"other"}`: {http.StatusUnprocessableEntity, "mfa_factor_name_conflict",
			`A factor with the friendly name "other" for this user already exists`},
		`{"phone":"447700900999"}`: {http.StatusUnprocessableEntity, "mfa_verified_factor_exists",
			"A phone factor with this number already exists for this user"},
		``: {http.StatusBadRequest, apierror.BadJSON, "Could not parse request body as JSON: unexpected end of JSON input"},
	} {
		a.onFactor(http.MethodPut, id, factor, body).refused(want.status, want.code, want.message)
	}
	long := `{"friendly_name":"` + strings.Repeat("x", 1<<18) + `"}`
	a.onFactor(http.MethodPut, id, factor, long).refused(http.StatusBadRequest, apierror.ValidationFailed, "invalid text")
	require.Equal(t, before, a.shown(factor))
}

func TestDeleteFactor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ kind, status, method string }{
		"TOTP":       {"totp", "verified", "totp"},
		"phone":      {"phone", "verified", "mfa/phone"},
		"WebAuthn":   {"webauthn", "verified", "mfa/webauthn"},
		"unverified": {"totp", "unverified", "totp"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := setup(t)
			id := a.user(`{"email":"a@example.com","user_metadata":{"full_name":"Ada"}}`)
			factor := a.factor(id, test.kind, "app", test.status)
			a.aal2(id, factor, test.method)
			a.aal2(id, a.factor(id, "totp", "other", "verified"), "totp")
			before := a.shown(factor)

			an := a.onFactor(http.MethodDelete, id, factor, "")
			an.ok()
			requireFactor(t, before, string(an.body))
			require.Equal(t, "other", a.value(`select string_agg(friendly_name, ' ') from mfa_factors`))
			require.Equal(t, "aal1 - password; aal2 other password,totp", a.assurance())
			require.JSONEq(t, `{"action":"factor_deleted","actor_id":"`+id+`","actor_name":"Ada","actor_username":"a@example.com",
				"actor_via_sso":false,"log_type":"factor",
				"traits":{"user_id":"`+id+`","factor_id":"`+factor+`","factor_type":"`+test.kind+`"}}`,
				a.value(`select payload::text from audit_log_entries where payload->>'log_type' = 'factor' and ip_address = '192.0.2.1'`))
			a.onFactor(http.MethodDelete, id, factor, "").refused(http.StatusNotFound, "mfa_factor_not_found", "Factor not found")
		})
	}
}

// An administrator removes a factor although its user verifies it meanwhile.
func TestDeleteFactorWhileVerified(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	factor := a.factor(id, "totp", "app", "unverified")
	deleted := make(chan answer, 1)
	err := a.db.Tx(t.Context(), func(tx *storage.Conn) error {
		if _, err := tx.Exec(`update mfa_factors set status = 'verified'`); err != nil {
			return err
		}
		go func() { deleted <- a.onFactor(http.MethodDelete, id, factor, "") }()
		return waitForLock(t.Context(), a.db)
	})
	require.NoError(t, err)
	(<-deleted).ok()
	require.Equal(t, "0 1", a.value(`select (select count(*) from mfa_factors) || ' ' ||
		(select count(*) from audit_log_entries where payload->>'action' = 'factor_deleted')`))
}

// waitForLock waits until a statement in the database waits for a lock.
func waitForLock(ctx context.Context, db *storage.DB) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for waiting := false; !waiting; {
		if err := db.Conn(ctx).Get(&waiting, `select exists (select from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock')`); err != nil {
			return err
		}
	}
	return nil
}

func TestFactorNotFound(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id, other := a.user(`{"email":"a@example.com"}`), a.user(`{"email":"b@example.com"}`)
	factor := a.factor(other, "totp", "app", "verified")
	const unknown = "11111111-2222-4333-8444-555555555555"
	for _, method := range []string{http.MethodPut, http.MethodDelete} {
		a.onFactor(method, id, factor, "{").refused(http.StatusNotFound, "mfa_factor_not_found", "Factor not found")
		a.onFactor(method, id, unknown, "{").refused(http.StatusNotFound, "mfa_factor_not_found", "Factor not found")
		a.onFactor(method, id, "x", "{").refused(http.StatusNotFound, apierror.ValidationFailed, "factor_id must be an UUID")
		a.onFactor(method, "x", factor, "{").refused(http.StatusNotFound, apierror.ValidationFailed, "user_id must be an UUID")
		a.onFactor(method, unknown, factor, "{").refused(http.StatusNotFound, apierror.UserNotFound, "User not found")
	}
	a.factors("x").refused(http.StatusNotFound, apierror.ValidationFailed, "user_id must be an UUID")
	a.factors(unknown).refused(http.StatusNotFound, apierror.UserNotFound, "User not found")
	require.Equal(t, []string{factor}, a.factors(other).listed())
}
