package migrations

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A database of GoTrue's first days: no phone numbers, sessions or identities.
func TestUpOnFirstTables(t *testing.T) {
	t.Parallel()
	db := setup(t)
	execute(t, db.DB, "set role "+db.role, "create schema auth", "set search_path to auth",
		`create table users (instance_id uuid, id uuid primary key, aud varchar(255), role varchar(255),
			email varchar(255) constraint users_email_key unique, encrypted_password varchar(255), confirmed_at timestamptz,
			invited_at timestamptz, confirmation_token varchar(255), email_change_token varchar(255), raw_app_meta_data jsonb,
			is_super_admin boolean, created_at timestamptz, updated_at timestamptz)`,
		`create table refresh_tokens (instance_id uuid, id bigserial primary key, token varchar(255), user_id varchar(255),
			revoked boolean, created_at timestamptz, updated_at timestamptz)`,
		"create index refresh_tokens_token_idx on refresh_tokens (token)",
		"create function uid() returns uuid language sql stable as 'select nullif(current_setting(''request.jwt.claim.sub'', true), '''')::uuid'",
		"insert into users (id, email, encrypted_password, confirmed_at, email_change_token) values ('"+passwordUser+
			"', 'First@example.com', 'hash', '2020-01-01 00:00:00+00', 'change')",
		"insert into users (id, email) values ('"+phoneUser+"', '')",
		"insert into refresh_tokens (token, user_id, revoked) values ('old-token', '"+passwordUser+"', false)",
		"reset role")

	require.Len(t, db.up(t).Applied, gotrueVersions+len(ownVersions(t)))

	db.requireMigrated(t, "auth")
	db.requireReadable(t)
	require.Equal(t, "First@example.com 2020-01-01 2020-01-01 change", db.value(t, `
		select concat_ws(' ', email, email_confirmed_at::date, confirmed_at::date, email_change_token_new)
		  from auth.users where id = '`+passwordUser+"'"))
	require.Equal(t, "first@example.com 2022-11-25", db.value(t, `
		select concat_ws(' ', email, last_sign_in_at::date) from auth.identities where user_id = '`+passwordUser+"'"))
	require.Equal(t, "2", db.value(t, "select count(*) from auth.users"))
	require.Equal(t, "false", db.value(t, "select revoked from auth.refresh_tokens where token = 'old-token'"))
}
