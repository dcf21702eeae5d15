package migrations

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ids of the rows that the tests put into older databases.
const (
	zeroID        = "00000000-0000-0000-0000-000000000000"
	passwordUser  = "10000000-0000-4000-8000-000000000001" // password, no identity
	identityUser  = "10000000-0000-4000-8000-000000000002" // e-mail identity, NULL where old rows have it
	invitedUser   = "10000000-0000-4000-8000-000000000003" // no password, no identity
	phoneUser     = "10000000-0000-4000-8000-000000000004"
	externalUser  = "10000000-0000-4000-8000-000000000005" // identity of a provider
	factorID      = "20000000-0000-4000-8000-000000000001"
	sessionID     = "30000000-0000-4000-8000-000000000001"
	oldSessionID  = "30000000-0000-4000-8000-000000000002"
	confidentalID = "40000000-0000-4000-8000-000000000001"
	publicID      = "40000000-0000-4000-8000-000000000002"
	flowID        = "50000000-0000-4000-8000-000000000001"
	ssoID         = "60000000-0000-4000-8000-000000000001"
)

type testRow struct {
	table string
	row   map[string]any
}

// someRows are rows in the order of their insertion. A column that a state does
// not have is left out.
func someRows() []testRow {
	return []testRow{
		{"instances", map[string]any{"id": zeroID}},
		{"audit_log_entries", map[string]any{"id": passwordUser, "payload": `{"action": "login"}`}},
		{"users", map[string]any{
			"id": passwordUser, "instance_id": zeroID, "aud": "authenticated", "role": "authenticated",
			"email": "password@example.com", "encrypted_password": "$2a$10$hash", "raw_app_meta_data": `{"provider": "email"}`,
			"created_at": "2021-01-01 00:00:00+00", "updated_at": "2021-01-02 00:00:00+00",
		}},
		{"users", map[string]any{
			"id": identityUser, "email": "identity@example.com", "email_confirmed_at": "2021-02-03 00:00:00+00",
			"confirmation_token": "some-hash", "phone_change": nil, "email_change_confirm_status": nil,
		}},
		{"users", map[string]any{"id": invitedUser, "email": "invited@example.com", "invited_at": "2022-01-01 00:00:00+00", "encrypted_password": ""}},
		{"users", map[string]any{"id": phoneUser, "phone": "15551234567", "phone_confirmed_at": "2021-03-04 00:00:00+00", "is_super_admin": true}},
		{"users", map[string]any{"id": externalUser, "email": "external@example.com", "created_at": "2021-05-06 00:00:00+00"}},
		{"identities", map[string]any{
			"id": identityUser, "provider_id": identityUser, "user_id": identityUser, "provider": "email",
			"identity_data": `{"sub": "` + identityUser + `"}`,
		}},
		{"identities", map[string]any{
			"id": externalUser, "provider_id": "external-subject", "user_id": externalUser, "provider": "example",
			"identity_data": `{"email": "External@Example.com"}`, "created_at": "2021-05-06 00:00:00+00",
		}},
		{"oauth_clients", map[string]any{
			"id": confidentalID, "client_secret_hash": "hash", "registration_type": "manual", "client_type": "confidential",
			"redirect_uris": "https://client.example/cb", "grant_types": "authorization_code,refresh_token",
			"token_endpoint_auth_method": "client_secret_post",
		}},
		{"oauth_clients", map[string]any{
			"id": publicID, "registration_type": "dynamic", "client_type": "public",
			"redirect_uris": "https://client.example/cb", "grant_types": "authorization_code", "token_endpoint_auth_method": "none",
		}},
		{"oauth_consents", map[string]any{"id": publicID, "user_id": passwordUser, "client_id": publicID, "scopes": "openid"}},
		{"oauth_authorizations", map[string]any{
			"id": publicID, "authorization_id": "abc", "client_id": publicID, "user_id": passwordUser, "redirect_uri": "https://client.example/cb",
			"scope": "openid", "code_challenge": "challenge", "code_challenge_method": "s256",
		}},
		{"sessions", map[string]any{
			"id": sessionID, "user_id": passwordUser, "aal": "aal2", "factor_id": factorID,
			"created_at": "2022-01-01 00:00:00+00", "updated_at": "2022-01-02 00:00:00+00",
		}},
		{"sessions", map[string]any{"id": oldSessionID, "user_id": passwordUser}},
		{"refresh_tokens", map[string]any{
			"token": "abcdefghijkl", "user_id": passwordUser, "session_id": sessionID, "revoked": false,
			"instance_id": zeroID, "created_at": "2022-01-01 00:00:00+00", "updated_at": "2022-01-01 00:00:00+00",
		}},
		{"refresh_tokens", map[string]any{"token": nil, "session_id": sessionID}},
		{"mfa_factors", map[string]any{
			"id": factorID, "user_id": passwordUser, "friendly_name": "phone", "factor_type": "totp", "status": "verified",
			"secret": "SECRET", "created_at": "2022-01-01 00:00:00+00", "updated_at": "2022-01-01 00:00:00+00",
		}},
		{"mfa_factors", map[string]any{
			"id": sessionID, "user_id": passwordUser, "factor_type": "webauthn", "status": "unverified",
			"created_at": "2022-01-01 00:00:00+00", "updated_at": "2022-01-01 00:00:00+00",
		}},
		{"mfa_challenges", map[string]any{"id": factorID, "factor_id": factorID, "created_at": "2022-01-01 00:00:00+00", "ip_address": "192.0.2.1"}},
		{"mfa_amr_claims", map[string]any{
			"id": sessionID, "session_id": sessionID, "authentication_method": "totp",
			"created_at": "2022-01-01 00:00:00+00", "updated_at": "2022-01-01 00:00:00+00",
		}},
		{"sso_providers", map[string]any{"id": ssoID, "resource_id": "own-name"}},
		{"sso_domains", map[string]any{"id": ssoID, "sso_provider_id": ssoID, "domain": "example.com"}},
		{"saml_providers", map[string]any{"id": ssoID, "sso_provider_id": ssoID, "entity_id": "https://idp.example", "metadata_xml": "<xml/>"}},
		{"flow_state", map[string]any{
			"id": flowID, "provider_type": "example", "authentication_method": "oauth", "auth_code": "code",
			"code_challenge": "challenge", "code_challenge_method": "plain",
		}},
		{"saml_relay_states", map[string]any{"id": ssoID, "sso_provider_id": ssoID, "request_id": "id-1", "from_ip_address": "192.0.2.1"}},
		{"one_time_tokens", map[string]any{
			"id": identityUser, "user_id": identityUser, "token_type": "confirmation_token", "token_hash": "some-hash", "relates_to": "identity@example.com",
		}},
	}
}

// insertRows puts someRows into a database in the state of f.
func (d testDatabase) insertRows(t *testing.T, f facts) {
	t.Helper()
	for _, r := range someRows() {
		tbl, exists := f.Tables[r.table]
		if !exists {
			continue
		}
		if _, named := tbl.Columns["provider_id"]; r.table == "identities" && !named {
			// The identifier at the provider was the primary key.
			r.row = maps.Clone(r.row)
			r.row["id"] = r.row["provider_id"]
		}
		var columns, places []string
		var values []any
		for _, name := range slices.Sorted(maps.Keys(r.row)) {
			if _, exists := tbl.Columns[name]; exists {
				columns = append(columns, name)
				values = append(values, r.row[name])
				places = append(places, fmt.Sprintf("$%d", len(values)))
			}
		}
		_, err := d.ExecContext(t.Context(), fmt.Sprintf("insert into auth.%s (%s) values (%s)",
			r.table, strings.Join(columns, ", "), strings.Join(places, ", ")), values...)
		require.NoError(t, err, r.table)
	}
}

// rows reads the whole of some tables as JSON texts, one per row.
func (d testDatabase) rows(t *testing.T, tables ...string) map[string][]map[string]any {
	t.Helper()
	all := map[string][]map[string]any{}
	for _, name := range tables {
		all[name] = d.tableRows(t, name)
	}
	return all
}

func (d testDatabase) tableRows(t *testing.T, name string) []map[string]any {
	t.Helper()
	rows, err := d.QueryContext(t.Context(), "select * from auth."+name)
	require.NoError(t, err)
	defer func() { require.NoError(t, rows.Close()) }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	var list []map[string]any
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(sql.NullString)
		}
		require.NoError(t, rows.Scan(values...))
		row := map[string]any{}
		for i, column := range columns {
			if s := values[i].(*sql.NullString); s.Valid {
				row[column] = s.String
			}
		}
		list = append(list, row)
	}
	require.NoError(t, rows.Err())
	return list
}

// requireKept finds every row of before again, with all values it had.
func requireKept(t *testing.T, table string, before, after []map[string]any, key string) {
	t.Helper()
	for _, old := range before {
		at := slices.IndexFunc(after, func(row map[string]any) bool { return row[key] == old[key] })
		require.GreaterOrEqual(t, at, 0, "%s: row %v is gone", table, old[key])
		for column, value := range old {
			require.Equal(t, value, after[at][column], "%s.%s of %v", table, column, old[key])
		}
	}
}
