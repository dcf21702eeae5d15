package migrations

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUpOnCompleteGoTrueDatabase(t *testing.T) {
	t.Parallel()
	db := setup(t)
	state := loadFacts(t, "testdata/schema.json")
	db.rebuild(t, state)
	db.insertRows(t, state)
	before := db.rows(t, "users", "identities", "oauth_clients", "sessions")

	require.Equal(t, ownVersions(t), db.up(t).Applied)

	db.requireMigrated(t, "auth")
	require.Equal(t, before, db.rows(t, "users", "identities", "oauth_clients", "sessions"), "no row is touched")
}

// Whatever is missing, all of it comes back: each version in turn is made
// unrecorded, with its objects still there, and with nothing there at all.
func TestUpAppliesEverythingAgain(t *testing.T) {
	t.Parallel()
	db := setup(t)
	db.up(t)
	before := objects(t, db)
	list, err := steps(SourceGoTrue)
	require.NoError(t, err)

	for i := 0; i < len(list); i += 23 {
		execute(t, db.DB, fmt.Sprintf("delete from auth.schema_migrations where version = '%s'", list[i].version))
		require.Equal(t, []string{list[i].version}, db.up(t).Applied)
	}

	db.requireMigrated(t, "auth")
	require.Equal(t, before, objects(t, db), "what is as it should be is not made anew")
}

// objects identifies everything that a needless change would make anew.
func objects(t *testing.T, db testDatabase) string {
	t.Helper()
	return db.value(t, `
		select string_agg(what, E'\n' order by what) from (
		  select format('%s %s %s', oid, relname, relfilenode) from pg_class where relnamespace = 'auth'::regnamespace
		  union all select format('%s %s', oid, conname) from pg_constraint where connamespace = 'auth'::regnamespace
		  union all select format('%s %s', oid, proname) from pg_proc where pronamespace = 'auth'::regnamespace and proname not like 'truegrant%'
		  union all select format('%s %s %s', d.oid, d.adrelid::regclass, d.adnum) from pg_attrdef d
		              join pg_class c on c.oid = d.adrelid where c.relnamespace = 'auth'::regnamespace
		) x (what)`)
}

// Damage of every kind is repaired as long as a version is missing.
func TestUpRepairsDifferences(t *testing.T) {
	t.Parallel()
	db := setup(t)
	db.up(t)
	execute(t, db.DB, "set role "+db.role, "set search_path to auth",
		"delete from schema_migrations where version = '20260625000000'",
		"alter table users alter column aud type text, alter column aud set not null, alter column phone drop default",
		"alter table users drop constraint users_phone_key", "create unique index users_phone_key on users (phone)",
		"alter table users add constraint users_email_key unique (email)",
		"drop index users_instance_id_idx", "create index users_instance_id_idx on users (email)",
		"drop index recovery_token_idx", "create index recovery_token_idx on users (recovery_token)",
		"alter table oauth_authorizations drop constraint oauth_authorizations_state_length",
		"alter table oauth_authorizations add constraint oauth_authorizations_state_length check (char_length(state) <= 2)",
		"alter table oauth_consents drop constraint oauth_consents_client_id_fkey",
		"alter table oauth_consents add constraint oauth_consents_client_id_fkey foreign key (client_id) references oauth_clients (id) not valid",
		"alter table oauth_clients add column client_id text not null",
		"alter table mfa_factors alter column factor_type type text",
		"drop type factor_type", "create type factor_type as enum ('webauthn')",
		"alter table sessions alter column user_id drop not null",
		"alter table refresh_tokens alter column id type integer", "alter sequence refresh_tokens_id_seq as integer",
		"alter table users drop column confirmed_at", "alter table users rename column email_confirmed_at to confirmed_at",
		"alter table users rename column email_change_token_new to email_change_token",
		"alter table mfa_amr_claims drop column id", "alter table mfa_amr_claims add constraint amr_pk primary key (session_id, authentication_method)",
		"create or replace function uid() returns uuid language sql stable as 'select current_setting(''request.jwt.claim.sub'')::uuid'",
		"drop function jwt()", "drop table webauthn_credentials",
		"alter table users disable row level security", "revoke select on users from postgres", "reset role",
	)

	db.up(t)

	db.requireMigrated(t, "auth", func(f *facts) {
		// Not ours to drop, but new clients must not need it.
		f.Tables["oauth_clients"].Columns["client_id"] = column{Type: "text", Nullable: true}
	})
}

func TestUpKeepsPhoneColumnsThatViewsUse(t *testing.T) {
	t.Parallel()
	db := setup(t)
	state := olderStates(t)[state31]
	db.rebuild(t, state)
	execute(t, db.DB, "create view public.phones as select phone from auth.users")

	db.up(t)

	db.requireMigrated(t, "auth", func(f *facts) {
		phone := f.Tables["users"].Columns["phone"]
		phone.Type = "character varying(15)"
		f.Tables["users"].Columns["phone"] = phone
	})
}

func TestUpStopsAtForeignColumn(t *testing.T) {
	t.Parallel()
	db := setup(t)
	state := olderStates(t)[state31]
	db.rebuild(t, state)
	execute(t, db.DB, "alter table auth.identities drop column email", "alter table auth.identities add column email text")

	result, err := Up(t.Context(), Options{URL: db.url})

	require.ErrorContains(t, err, "column identities.email must be generated")
	require.ErrorContains(t, err, "hint: Rename or drop that column")
	require.Empty(t, result.Applied)
	require.Equal(t, "31", db.value(t, "select count(*) from auth.schema_migrations"))
}

func TestUpOnBootstrapTable(t *testing.T) {
	t.Parallel()
	db := setup(t)
	execute(t, db.DB, "set role "+db.role, "create schema auth",
		"create table auth.schema_migrations (version character varying(255) primary key)",
		"insert into auth.schema_migrations values ('20171026211738'), ('00')", "reset role")

	db.up(t)

	db.requireMigrated(t, "auth", func(f *facts) {
		f.Migrations = append([]string{"00", "20171026211738"}, f.Migrations[1:]...)
		tbl := f.Tables["schema_migrations"]
		tbl.Columns["version"] = column{Type: "character varying(255)"}
		delete(tbl.Indexes, "schema_migrations_version_idx")
	})
}

func TestUpInOtherNamespaces(t *testing.T) {
	t.Parallel()
	db := setup(t)
	for range 2 {
		_, err := Up(t.Context(), Options{URL: db.url + "&search_path=public", Namespace: "identity_2"})
		require.NoError(t, err)
	}
	db.requireMigrated(t, "identity_2")
	require.Equal(t, "0", db.value(t, "select count(*) from pg_class where relnamespace = 'public'::regnamespace"))

	_, err := Up(t.Context(), Options{URL: db.url, Namespace: "user"})
	require.EqualError(t, err, "database namespace user is a reserved word of SQL: choose another name")
}

func TestPlan(t *testing.T) {
	t.Parallel()
	list := []step{
		{version: "1", name: "a", sql: "A"},
		{version: "2", name: "b", sql: "B"},
		{version: "3", name: "c", sql: "-- once\nC", once: true},
		{version: "4", name: "d", sql: "D"},
	}
	for name, test := range map[string]struct {
		recorded []string
		want     []Migration
	}{
		"nothing recorded": {nil, []Migration{
			{Version: "1", Name: "a", SQL: "-- 1 a\nA\n"},
			{Version: "2", Name: "b", SQL: "-- 2 b\nB\n"},
			{Version: "3", Name: "c", SQL: "-- 3 c\n-- once\nC\n"},
			{Version: "4", Name: "d", SQL: "-- 4 d\nD\n"},
		}},
		"everything recorded":                  {[]string{"1", "2", "3", "4"}, nil},
		"unknown versions do not matter":       {[]string{"0", "1", "2", "3", "4", "5"}, nil},
		"recorded steps go ahead":              {[]string{"1", "2", "3"}, []Migration{{Version: "4", Name: "d", SQL: "-- 1 a\nA\n-- 2 b\nB\n-- 4 d\nD\n"}}},
		"recorded steps follow the last":       {[]string{"3", "4", "2"}, []Migration{{Version: "1", Name: "a", SQL: "-- 1 a\nA\n-- 2 b\nB\n-- 4 d\nD\n"}}},
		"a step for once joins while it lacks": {[]string{"1", "2", "4"}, []Migration{{Version: "3", Name: "c", SQL: "-- 1 a\nA\n-- 2 b\nB\n-- 3 c\n-- once\nC\n-- 4 d\nD\n"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			recorded := map[string]bool{}
			for _, version := range test.recorded {
				recorded[version] = true
			}
			require.Equal(t, test.want, plan("", list, recorded))
		})
	}
}

// The embedded versions are GoTrue's, each once.
func TestStepsAreGoTruesVersions(t *testing.T) {
	t.Parallel()
	list, err := steps(SourceGoTrue)
	require.NoError(t, err)
	var versions, once []string
	for _, s := range list {
		versions = append(versions, s.version)
		if s.once {
			once = append(once, s.version)
		}
	}
	require.Equal(t, wanted(t).Migrations, versions)
	require.Equal(t, []string{"20221125140132", "20221208132122", "20221215195800", "20230131181311"}, once)
}
