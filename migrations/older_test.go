package migrations

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// state31 is the oldest of the states in testdata.
const state31 = "20221215195900"

func olderStates(t *testing.T) map[string]facts {
	t.Helper()
	files, err := filepath.Glob("testdata/older/*.json")
	require.NoError(t, err)
	require.Len(t, files, 5)
	states := map[string]facts{}
	for _, file := range files {
		states[strings.TrimSuffix(filepath.Base(file), ".json")] = loadFacts(t, file)
	}
	return states
}

func TestUpOnOlderStates(t *testing.T) {
	t.Parallel()
	for version, state := range olderStates(t) {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			db := setup(t)
			db.rebuild(t, state)
			db.insertRows(t, state)
			tables := slices.Sorted(maps.Keys(state.Tables))
			before := db.rows(t, tables...)

			result := db.up(t)

			require.Len(t, result.Applied, gotrueVersions+len(ownVersions(t))-len(state.Migrations))
			db.requireMigrated(t, "auth")
			db.requireRowsKept(t, before)
			db.requireReadable(t)
			db.requireFilled(t, state)
			require.Empty(t, db.up(t).Applied)
		})
	}
}

// requireRowsKept compares what was in the database with what is there now,
// under the names that columns have now.
func (d testDatabase) requireRowsKept(t *testing.T, before map[string][]map[string]any) {
	t.Helper()
	for name, old := range before {
		key := "id"
		switch name {
		case "schema_migrations":
			key = "version"
		case "identities":
			key = "provider_id"
			for _, row := range old {
				if _, renamed := row["provider_id"]; !renamed {
					row["provider_id"] = row["id"]
					delete(row, "id")
				}
				// Adding the key of the e-mail address is meant.
				delete(row, "identity_data")
			}
		case "saml_relay_states":
			for _, row := range old {
				delete(row, "from_ip_address")
			}
		}
		requireKept(t, name, old, d.tableRows(t, name), key)
	}
}

// requireReadable looks for NULL where GoTrue cannot read it.
func (d testDatabase) requireReadable(t *testing.T) {
	t.Helper()
	for name, columns := range map[string]string{
		"users": `aud, role, confirmation_token, recovery_token, email_change, email_change_token_new, email_change_token_current,
			phone_change, phone_change_token, reauthentication_token, email_change_confirm_status, instance_id, created_at, updated_at`,
		"identities":        "created_at, updated_at",
		"sessions":          "created_at, updated_at",
		"refresh_tokens":    "instance_id, token, user_id, revoked, created_at, updated_at",
		"mfa_factors":       "friendly_name, secret",
		"mfa_challenges":    "otp_code",
		"flow_state":        "provider_access_token, provider_refresh_token, created_at, updated_at",
		"audit_log_entries": "instance_id, created_at",
		"saml_relay_states": "redirect_to, created_at, updated_at",
		"saml_providers":    "attribute_mapping, created_at, updated_at",
		"sso_providers":     "created_at, updated_at",
		"sso_domains":       "created_at, updated_at",
		"oauth_clients":     "client_secret_hash",
	} {
		require.Equal(t, "0", d.value(t, "select count(*) from auth."+name+" where num_nulls("+columns+") > 0"), name)
	}
}

// requireFilled checks the values that the migrations chose.
func (d testDatabase) requireFilled(t *testing.T, state facts) {
	t.Helper()
	has := func(version string) bool { return slices.Contains(state.Migrations, version) }
	_, hadClients := state.Tables["oauth_clients"]
	_, hadMethod := state.Tables["oauth_clients"].Columns["token_endpoint_auth_method"]

	for _, test := range []struct {
		name, query, want string
		skip              bool
	}{
		{"a NULL role grants nothing", "select role from auth.users where id = '" + identityUser + "'", "", false},
		{"confirmed_at is generated", "select confirmed_at = phone_confirmed_at from auth.users where id = '" + phoneUser + "'", "true", false},
		{"a token of unknown state is revoked", "select bool_and(revoked) from auth.refresh_tokens where token like 'void-%'", "true", false},
		{"a live token stays alive", "select revoked from auth.refresh_tokens where token = 'abcdefghijkl'", "false", false},
		{"its owner is the session's", "select user_id from auth.refresh_tokens where token like 'void-%'", passwordUser, false},
		{"a session of unknown age is old", "select created_at = to_timestamp(0) from auth.sessions where id = '" + oldSessionID + "'", "true", false},
		{"ids of identities are distinct", "select count(distinct id) = count(*) from auth.identities", "true", false},
		{"the external identity keeps its subject", "select email from auth.identities where provider_id = 'external-subject'", "external@example.com", false},
		{
			"an invited user gets an e-mail identity once", "select count(*) from auth.identities where user_id = '" + invitedUser +
				"' and id = user_id and email = 'invited@example.com' and created_at = '2023-01-25 00:00:00+00'", "1", has("20230131181311"),
		},
		{"but not again", "select count(*) from auth.identities where user_id = '" + invitedUser + "'", "0", !has("20230131181311")},
		{"a step that is done is not repeated", "select count(*) from auth.identities where user_id = '" + passwordUser + "'", "0", !has("20221125140132")},
		{
			"clients without method: confidential", "select token_endpoint_auth_method from auth.oauth_clients where id = '" + confidentalID + "'",
			"client_secret_basic", !hadClients || hadMethod,
		},
		{
			"clients without method: public", "select token_endpoint_auth_method from auth.oauth_clients where id = '" + publicID + "'",
			"none", !hadClients,
		},
	} {
		if !test.skip {
			require.Equal(t, test.want, d.value(t, test.query), test.name)
		}
	}
}

// At version 26 of 70 users of first releases have no identity yet. That state
// is the one at version 31 without what the five versions in between record.
func TestUpGivesUsersWithPasswordAnIdentity(t *testing.T) {
	t.Parallel()
	db := setup(t)
	state := olderStates(t)[state31]
	state.Migrations = state.Migrations[:26]
	db.rebuild(t, state)
	db.insertRows(t, state)

	db.up(t)

	db.requireMigrated(t, "auth")
	require.Equal(t, "1", db.value(t, `
		select count(*) from auth.identities
		 where user_id = '`+passwordUser+`' and id = user_id and provider_id = user_id::text and provider = 'email'
		   and email = 'password@example.com' and identity_data ->> 'sub' = user_id::text
		   and created_at = '2022-11-25 00:00:00+00' and last_sign_in_at = '2022-11-25 00:00:00+00'`))
	require.Equal(t, "identity@example.com", db.value(t, "select email from auth.identities where provider_id = '"+identityUser+"'"),
		"a missing key of the data is added")
	require.Equal(t, "2", db.value(t, "select count(*) from auth.identities where user_id in ('"+externalUser+"', '"+identityUser+"')"),
		"users with an identity get no other")
	require.Equal(t, "0", db.value(t, "select count(*) from auth.identities where user_id = '"+phoneUser+"'"))
}
