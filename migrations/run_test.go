package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sirupsen/logrus"
	logtest "github.com/sirupsen/logrus/hooks/test"
	"github.com/stretchr/testify/require"
)

func TestUpOnEmptyDatabase(t *testing.T) {
	t.Parallel()
	db := setup(t)

	result := db.up(t)

	require.Len(t, result.Applied, gotrueVersions+len(ownVersions(t)))
	db.requireMigrated(t, "auth")
	require.Equal(t, "0", db.value(t, "select count(*) from pg_proc where proname like 'truegrant%'"), "no procedure is left behind")
	require.Empty(t, db.up(t).Applied, "a second run finds nothing to do")
}

func TestUpManyAtOnce(t *testing.T) {
	t.Parallel()
	db := setup(t)
	const processes = 8
	var (
		wait    sync.WaitGroup
		results [processes]Result
		errs    [processes]error
	)
	for i := range processes {
		wait.Go(func() { results[i], errs[i] = Up(t.Context(), Options{URL: db.url}) })
	}
	wait.Wait()

	applied := 0
	for i := range processes {
		require.NoError(t, errs[i])
		applied += len(results[i].Applied)
	}
	require.Equal(t, gotrueVersions+len(ownVersions(t)), applied, "each version is applied by one of them")
	db.requireMigrated(t, "auth")
}

func TestUpWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	db := setup(t)
	other, err := open(Options{URL: db.url})
	require.NoError(t, err)
	defer other.close()
	release, err := other.lock(t.Context())
	require.NoError(t, err)
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, err := Up(ctx, Options{URL: db.url})
		ended <- err
	}()
	require.Eventually(t, func() bool {
		return db.value(t, `select count(*) from pg_locks where locktype = 'advisory' and not granted
			and database = (select oid from pg_database where datname = current_database())`) == "1"
	}, time.Minute, 5*time.Millisecond)
	cancel()
	err = <-ended

	require.ErrorContains(t, err, "wait for other migrations")
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, "0", db.value(t, "select count(*) from pg_namespace where nspname = 'auth'"))
}

func TestPendingChangesNothing(t *testing.T) {
	t.Parallel()
	db := setup(t)
	schemas := func() string {
		return db.value(t, "select string_agg(nspname, ' ' order by nspname) from pg_namespace")
	}
	before := schemas()

	pending, err := Pending(t.Context(), Options{URL: db.url})

	require.NoError(t, err)
	require.Len(t, pending, gotrueVersions+len(ownVersions(t)))
	require.Equal(t, "00", pending[0].Version)
	require.Equal(t, SourceGoTrue, pending[0].Source)
	require.Equal(t, Migration{
		Version: "20261123000000", Name: "redeemed_codes", Source: SourceTruegrant, SQL: pending[gotrueVersions].SQL,
	}, pending[gotrueVersions])
	require.Contains(t, pending[gotrueVersions].SQL, "create table if not exists oauth_redeemed_codes")
	require.Equal(t, before, schemas())

	db.up(t)
	pending, err = Pending(t.Context(), Options{URL: db.url})
	require.NoError(t, err)
	require.Empty(t, pending)
}

// What a dry run prints is the truth: executed by hand, each text in a
// transaction of its own, it has the effect of Up.
func TestPendingIsWhatUpExecutes(t *testing.T) {
	t.Parallel()
	db := setup(t)
	pending, err := Pending(t.Context(), Options{URL: db.url})
	require.NoError(t, err)
	execute(t, db.DB, "create schema auth",
		"create table auth.schema_migrations (version varchar(14) primary key)",
		"create unique index schema_migrations_version_idx on auth.schema_migrations (version)",
		"create table auth.truegrant_migrations (version varchar(14) primary key)")
	for _, m := range pending {
		execute(t, db.DB, "begin", "set local search_path to auth", m.SQL,
			fmt.Sprintf("insert into %s values ('%s')", m.Source.table(), m.Version), "commit")
	}
	execute(t, db.DB, "grant select on all tables in schema auth to postgres")
	db.requireMigrated(t, "auth", func(f *facts) {
		// The owner is postgres itself here, who is not granted anything.
		for name, tbl := range f.Tables {
			tbl.Grants = map[string]map[string]string{}
			f.Tables[name] = tbl
		}
	})
}

func TestUpKeepsWhatWasCommittedBeforeAFailure(t *testing.T) {
	t.Parallel()
	db := setup(t)
	db.up(t)
	// A step in the middle fails at this view; earlier versions are missing too.
	execute(t, db.DB, "drop table auth.webauthn_challenges",
		"create view auth.webauthn_challenges as select 1 as id",
		"delete from auth.schema_migrations where version >= '20251104100000'")

	result, err := Up(t.Context(), Options{URL: db.url})

	require.ErrorContains(t, err, "migration 20260115000000 webauthn_challenges")
	require.Equal(t, []string{"20251104100000", "20251111201300", "20251201000000"}, result.Applied)
	require.Equal(t, "20251201000000", db.value(t, "select max(version) from auth.schema_migrations"))

	execute(t, db.DB, "drop view auth.webauthn_challenges")
	require.Equal(t, "5", db.value(t, "select count(*) from pg_proc where proname like 'truegrant%'"), "left for the next run")
	require.Len(t, db.up(t).Applied, 5)
	db.requireMigrated(t, "auth")
}

func TestUpExplainsMissingRights(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(db testDatabase) []string
		want    []string
	}{
		"no schema and no right to create it": {
			func(db testDatabase) []string {
				return []string{"revoke create on database " + db.role + " from " + db.role}
			},
			[]string{`schema "auth" does not exist`, "may not create it", `CREATE SCHEMA "auth" AUTHORIZATION`},
		},
		"schema without rights": {
			func(testDatabase) []string { return []string{"create schema auth"} },
			[]string{"permission denied for schema auth", `lacks a right in schema "auth"`},
		},
		"schema without the right to create": {
			func(db testDatabase) []string {
				return []string{"create schema auth", "grant usage on schema auth to " + db.role}
			},
			[]string{"lacks rights in schema", `GRANT USAGE, CREATE ON SCHEMA "auth" TO`},
		},
		"tables of somebody else": {
			func(db testDatabase) []string {
				return []string{"create schema auth authorization " + db.role, "create table auth.users (id uuid)"}
			},
			[]string{"must own the tables", "users (owned by postgres)"},
		},
		"records of somebody else": {
			func(db testDatabase) []string {
				return []string{
					"create schema auth authorization " + db.role,
					"create table auth.schema_migrations (version varchar(14) primary key)",
					"alter table auth.schema_migrations enable row level security",
					"grant select on auth.schema_migrations to " + db.role,
				}
			},
			[]string{"must own the tables", "schema_migrations (owned by postgres)"},
		},
		"types of somebody else": {
			func(db testDatabase) []string {
				return []string{"create schema auth authorization " + db.role, "create type auth.aal_level as enum ('aal1')"}
			},
			[]string{"lacks a right in schema", "must be owner of type"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := setup(t)
			execute(t, db.DB, test.prepare(db)...)

			_, err := Up(t.Context(), Options{URL: db.url})

			require.Error(t, err)
			for _, want := range append(test.want, db.role) {
				require.ErrorContains(t, err, want)
			}
			require.NotContains(t, err.Error(), "secret", "an error tells no password")
		})
	}
}

// Without a role postgres nothing is granted, which is said aloud.
func TestUpWarnsWithoutRolePostgres(t *testing.T) {
	t.Parallel()
	db := setup(t)
	db.up(t)
	execute(t, db.DB, "alter role "+db.role+" superuser")
	list, err := steps(SourceGoTrue)
	require.NoError(t, err)
	logger, log := logtest.NewNullLogger()
	d, err := open(Options{URL: db.url, Logger: logger})
	require.NoError(t, err)
	defer d.close()

	// The other tests need the role: it is gone in this transaction only.
	tx, err := d.BeginTxx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, tx.Rollback()) }()
	_, err = tx.ExecContext(t.Context(), d.settings()+"alter role postgres rename to somebody_else")
	require.NoError(t, err)
	_, err = tx.ExecContext(t.Context(), list[len(list)-1].sql)
	require.NoError(t, err)

	require.Equal(t, logrus.WarnLevel, log.LastEntry().Level)
	require.Equal(t, "role postgres does not exist: it is not granted SELECT", log.LastEntry().Message)
	require.Equal(t, "migrations", log.LastEntry().Data["component"])
	require.Contains(t, log.LastEntry().Data["hint"], "create the role")
}

func TestNoticesWithoutLogger(t *testing.T) {
	t.Parallel()
	logNotices(nil)(nil, notice("nobody listens", ""))

	logger, log := logtest.NewNullLogger()
	handler := logNotices(logger)
	handler(nil, notice("with a hint", "do it"))
	handler(nil, notice("without", ""))
	require.Len(t, log.AllEntries(), 2)
	require.NotContains(t, log.LastEntry().Data, "hint")
}

func notice(message, hint string) *pgconn.Notice {
	return &pgconn.Notice{Severity: "WARNING", Message: message, Hint: hint}
}

func TestNamespace(t *testing.T) {
	t.Parallel()
	for name, valid := range map[string]bool{
		"": true, "auth": true, "auth_2": true, "_x": true, strings.Repeat("a", 63): true,
		"Auth": false, "my-auth": false, "2auth": false, `a"; drop schema public; --`: false, "a.b": false, "ä": false,
		"pg_catalog": false, "information_schema": false, "auth\n": false, strings.Repeat("a", 64): false,
	} {
		_, err := checkNamespace(name)
		require.Equal(t, valid, err == nil, name)
	}
	_, err := Up(t.Context(), Options{Namespace: "no good"})
	require.ErrorContains(t, err, `database namespace "no good"`)
}

func TestUpWithoutServer(t *testing.T) {
	t.Parallel()
	for name, databaseURL := range map[string]string{
		"nobody listens": "postgres://someone:secret@127.0.0.1:1/db?sslmode=disable",
		"no URL":         "postgres://someone:secret@127.0.0.1:port/db",
	} {
		_, err := Up(t.Context(), Options{URL: databaseURL})
		require.Error(t, err, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
}

func BenchmarkUpEmpty(b *testing.B) {
	db, err := sql.Open("pgx", databaseURL(server, "postgres", ""))
	require.NoError(b, err)
	defer func() { require.NoError(b, db.Close()) }()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		_, err := db.ExecContext(b.Context(), "drop schema if exists auth cascade")
		require.NoError(b, err)
		b.StartTimer()
		result, err := Up(b.Context(), Options{URL: databaseURL(server, "postgres", "")})
		require.NoError(b, err)
		require.Len(b, result.Applied, gotrueVersions+len(ownVersions(b)))
	}
}

func BenchmarkUpNothingPending(b *testing.B) {
	o := Options{URL: databaseURL(server, "postgres", ""), Namespace: "migrated"}
	_, err := Up(b.Context(), o)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := Up(b.Context(), o)
		require.NoError(b, err)
	}
}
