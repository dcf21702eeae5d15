package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func value[T any](t testing.TB, url, query string, args ...any) T {
	t.Helper()
	var v T
	require.NoError(t, connect(t, url).QueryRow(t.Context(), query, args...).Scan(&v))
	return v
}

// notes is a template with one table; calls counts how often it was built.
func notes(t testing.TB, calls *atomic.Int64) Template {
	template := Template{Name: "notes", Fingerprint: rand.Text()}
	template.Migrate = func(ctx context.Context, url string) error {
		calls.Add(1)
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "CREATE TABLE notes (n int); INSERT INTO notes VALUES (7)")
		return errors.Join(err, conn.Close(ctx))
	}
	t.Cleanup(func() { dropTemplate(t, template) })
	return template
}

func dropTemplate(t testing.TB, template Template) {
	s, err := shared()
	require.NoError(t, err)
	ctx := context.WithoutCancel(t.Context())
	for _, statement := range []string{"ALTER DATABASE " + template.database() + " IS_TEMPLATE false", "DROP DATABASE " + template.database()} {
		_, err = s.pool.Exec(ctx, statement)
		require.NoError(t, err)
	}
}

func TestClone(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	template := notes(t, &calls)
	urls := make(chan string, 4)
	for range cap(urls) {
		go func() { urls <- Clone(t, template) }()
	}
	seen := map[string]bool{}
	for range cap(urls) {
		url := <-urls
		require.False(t, seen[url], "a database of its own")
		seen[url] = true
		require.Equal(t, 7, value[int](t, url, "UPDATE notes SET n = n + $1 RETURNING n - $1", len(seen)))
	}
	require.EqualValues(t, 1, calls.Load())
	require.Equal(t, 7, value[int](t, Clone(t, template), "SELECT n FROM notes"), "the template is untouched")

	other := notes(t, &calls)
	require.NotEqual(t, template.database(), other.database())
	Clone(t, other)
	require.EqualValues(t, 2, calls.Load(), "another fingerprint is another template")
}

// A second test binary, which knows nothing of the first, uses its template.
func TestTemplateOfAnotherProcess(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	template := notes(t, &calls)
	first, err := shared()
	require.NoError(t, err)
	second := &server{base: first.base, pool: first.pool, strategy: first.strategy, built: map[string]bool{}}
	for _, s := range []*server{first, second} {
		_, err := s.template(t.Context(), template)
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, calls.Load())
}

func TestFailedMigration(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	template := notes(t, &calls)
	migrate := template.Migrate
	s, err := shared()
	require.NoError(t, err)

	broken := errors.New("broken")
	template.Migrate = func(ctx context.Context, url string) error {
		return errors.Join(migrate(ctx, url), broken)
	}
	_, err = s.template(t.Context(), template)
	require.ErrorIs(t, err, broken)

	template.Migrate = migrate
	require.Equal(t, 1, value[int](t, Clone(t, template), "SELECT count(*)::int FROM notes"), "what was half built is built anew")
}

func TestDatabaseIsDropped(t *testing.T) {
	t.Parallel()
	var url string
	t.Run("a test", func(t *testing.T) { //nolint:paralleltest // its end is awaited
		url = Empty(t)
		connect(t, url) // closed before the drop; another one is not:
		_, err := pgx.Connect(t.Context(), url)
		require.NoError(t, err)
	})
	s, err := shared()
	require.NoError(t, err)
	config, err := pgx.ParseConfig(url)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(config.Database, prefix))
	require.Zero(t, value[int](t, s.url("postgres"), "SELECT count(*)::int FROM pg_database WHERE datname = $1", config.Database))
}

func TestEmpty(t *testing.T) {
	t.Parallel()
	url := Empty(t)
	require.Zero(t, value[int](t, url, "SELECT count(*)::int FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"))
	require.Equal(t, 4, value[int](t, url, "SELECT count(*)::int FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role', 'supabase_auth_admin')"))
	require.Equal(t, "on", value[string](t, url, "SELECT current_setting('is_superuser')"))
}

func TestNew(t *testing.T) {
	t.Parallel()
	url := New(t)
	require.Equal(t, "auth.users", value[string](t, url, "SELECT 'auth.users'::regclass::text"))
	require.Zero(t, value[int](t, url, "SELECT count(*)::int FROM auth.users"))
	require.Equal(t, "auth.truegrant_migrations", value[string](t, url, "SELECT 'auth.truegrant_migrations'::regclass::text"))

	s, err := shared()
	require.NoError(t, err)
	again, err := s.fingerprint(t.Context())
	require.NoError(t, err)
	require.Equal(t, s.migrations, again, "the same migrations are the same template")
	require.NotEqual(t, hex.EncodeToString(sha256.New().Sum(nil)), again)
}

func TestOpenRefusesBadURL(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"postgres://u:hunter2@[::1", "postgres://u:hunter2@127.0.0.1:1/?sslmode=disable"} {
		_, err := open(t.Context(), bad)
		require.Error(t, err)
		require.NotContains(t, err.Error(), "hunter2")
	}
}

func BenchmarkEmpty(b *testing.B) {
	s, err := shared()
	require.NoError(b, err)
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		_, err := s.pool.Exec(ctx, "CREATE DATABASE truegrant_test_bench TEMPLATE template0"+s.strategy)
		require.NoError(b, err)
		_, err = s.pool.Exec(ctx, "DROP DATABASE truegrant_test_bench")
		require.NoError(b, err)
	}
}

func BenchmarkNew(b *testing.B) {
	s, err := shared()
	require.NoError(b, err)
	template, err := s.migrated(b.Context())
	require.NoError(b, err)
	source, err := s.template(b.Context(), template)
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		_, err := s.pool.Exec(b.Context(), "CREATE DATABASE truegrant_test_bench TEMPLATE "+source+s.strategy)
		require.NoError(b, err)
		_, err = s.pool.Exec(b.Context(), "DROP DATABASE truegrant_test_bench")
		require.NoError(b, err)
	}
}
