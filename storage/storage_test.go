package storage_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/storage/dbtest"
)

// setup opens a pool on an empty database with one table.
func setup(t *testing.T, options ...func(*conf.DB)) *storage.DB {
	t.Helper()
	cfg := conf.DB{URL: dbtest.Empty(t), StatementCacheEnabled: true}
	for _, option := range options {
		option(&cfg)
	}
	db, err := storage.Open(cfg, storage.Options{ApplicationName: "storage test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	exec(t, db, `create table things (
		id int primary key, name varchar(5) unique, parent int references things deferrable initially deferred,
		n int check (n > 0), doc jsonb)`)
	return db
}

func exec(t *testing.T, db *storage.DB, query string, args ...any) {
	t.Helper()
	_, err := db.Conn(t.Context()).Exec(query, args...)
	require.NoError(t, err)
}

func count(t *testing.T, db *storage.DB) (n int) {
	t.Helper()
	require.NoError(t, db.Conn(t.Context()).Get(&n, `select count(*) from things`))
	return n
}

func TestTx(t *testing.T) {
	t.Parallel()
	db := setup(t)
	insert := func(tx *storage.Conn, id int) error {
		_, err := tx.Exec(`insert into things (id) values ($1)`, id)
		return err
	}
	require.NoError(t, db.Tx(t.Context(), func(tx *storage.Conn) error { return insert(tx, 1) }))
	require.Equal(t, 1, count(t, db))

	refused := errors.New("refused")
	require.ErrorIs(t, db.Tx(t.Context(), func(tx *storage.Conn) error { return errors.Join(insert(tx, 2), refused) }), refused)
	require.Panics(t, func() {
		_ = db.Tx(t.Context(), func(tx *storage.Conn) error {
			require.NoError(t, insert(tx, 3))
			panic("stop")
		})
	})
	ctx, cancel := context.WithCancel(t.Context())
	require.ErrorIs(t, db.Tx(ctx, func(tx *storage.Conn) error {
		cancel()
		return insert(tx, 4)
	}), context.Canceled)
	require.Equal(t, 1, count(t, db), "only what was committed is there")
}

// What PostgreSQL finds out at the commit is an error, too.
func TestFailedCommit(t *testing.T) {
	t.Parallel()
	db := setup(t)
	err := db.Tx(t.Context(), func(tx *storage.Conn) error {
		_, err := tx.Exec(`insert into things (id, parent) values (1, 7)`)
		return err
	})
	var violation *storage.ConstraintError
	require.ErrorAs(t, err, &violation)
	require.Equal(t, "things_parent_fkey", violation.Constraint)
	require.False(t, violation.Unique)
	require.Equal(t, 0, count(t, db))

	err = db.Tx(t.Context(), func(tx *storage.Conn) error {
		_, err := tx.Exec(`commit`) // behind our back
		return err
	})
	require.NoError(t, err, "PostgreSQL only warns about a commit without transaction")
}

func TestClassify(t *testing.T) {
	t.Parallel()
	db := setup(t)
	exec(t, db, `insert into things (id, name) values (1, 'one')`)
	var violation *storage.ConstraintError
	_, err := db.Conn(t.Context()).Exec(`insert into things (id, name) values (2, 'one')`)
	require.ErrorAs(t, err, &violation)
	require.True(t, storage.IsUnique(err))
	require.True(t, storage.IsUnique(err, "other", "things_name_key"))
	require.False(t, storage.IsUnique(err, "other"))
	require.NotContains(t, err.Error(), "one", "the row's values stay out of the log")
	_, err = db.Conn(t.Context()).Exec(`insert into things (id, n) values (2, 0)`)
	require.ErrorAs(t, err, &violation)
	require.False(t, storage.IsUnique(err))

	var n int
	require.ErrorIs(t, db.Conn(t.Context()).Get(&n, `select id from things where id = 9`), storage.ErrNotFound)
	for name, args := range map[string][]any{
		"NUL":       {`select $1::text`, "a\x00b"},
		"UTF-8":     {`select $1::text`, "a\xff"},
		"UUID":      {`select ($1::text)::uuid`, "x"},
		"too long":  {`insert into things (id, name) values (5, $1)`, "longer"},
		"NUL, JSON": {`select ($1::text)::jsonb`, `"\u0000"`},
		"too deep":  {`select ($1::text)::jsonb`, strings.Repeat("[", 300_000)},
	} {
		_, err := db.Conn(t.Context()).Exec(args[0].(string), args[1:]...)
		require.ErrorIs(t, err, storage.ErrInvalidText, name)
		require.NotContains(t, err.Error(), "longer", name)
	}
	_, err = db.Conn(t.Context()).Exec(`select * from nothing`)
	require.Error(t, err)
	require.NotErrorIs(t, err, storage.ErrInvalidText)
	require.NotErrorIs(t, err, storage.ErrUnavailable)
	require.NoError(t, storage.Classify(nil))
}

func TestClassifyOutages(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"57P01", "57P02", "57P03", "53300", "25006", "08006", "08P01"} {
		require.ErrorIs(t, storage.Classify(&pgconn.PgError{Code: code}), storage.ErrUnavailable, code)
	}
	for _, code := range []string{"57014", "40001", "42P01", "53100"} {
		require.NotErrorIs(t, storage.Classify(&pgconn.PgError{Code: code}), storage.ErrUnavailable, code)
	}

	closed, err := storage.Open(conf.DB{URL: "postgres://user:secret@127.0.0.1:1/none"}, storage.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closed.Close()) })
	err = closed.Ping(t.Context())
	require.ErrorIs(t, err, storage.ErrUnavailable)
	require.NotContains(t, err.Error(), "secret")

	// A server that takes the connection and says nothing: the attempt times
	// out, the request does not, and may be sent again.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	config, err := pgconn.ParseConfig("postgres://user:secret@" + listener.Addr().String() + "/none?sslmode=disable")
	require.NoError(t, err)
	config.ConnectTimeout = 20 * time.Millisecond
	_, err = pgconn.ConnectConfig(t.Context(), config)
	require.Error(t, err)
	require.ErrorIs(t, storage.Classify(err), storage.ErrUnavailable)

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	require.ErrorIs(t, closed.Ping(ctx), context.DeadlineExceeded)
}

// The end of the request ends its statement.
func TestContextEndsStatements(t *testing.T) {
	t.Parallel()
	db := setup(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := db.Conn(ctx).Exec(`select pg_sleep(60)`)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, db.Ping(t.Context()))
}

func TestPublic(t *testing.T) {
	t.Parallel()
	db := setup(t)
	for code, public := range map[string]bool{"P0001": true, "PT404": true, "23514": true, "P0002": false, "22012": false} {
		_, err := db.Conn(t.Context()).Exec(`do $$ begin raise exception 'for all to see' using errcode = '` + code + `', hint = 'h'; end $$`)
		got, ok := storage.Public(err)
		require.Equal(t, public, ok, code)
		if ok {
			require.Equal(t, storage.PublicError{SQLState: code, Message: "for all to see", Hint: "h"}, *got)
		}
	}
	_, ok := storage.Public(nil)
	require.False(t, ok)
}

func TestOpen(t *testing.T) {
	t.Parallel()
	_, err := storage.Open(conf.DB{URL: "postgres://user:secret@host:port/x"}, storage.Options{})
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")

	db := setup(t, func(c *conf.DB) { c.Namespace = "public" })
	var name, path string
	require.NoError(t, db.Conn(t.Context()).Get(&name, `show application_name`))
	require.Equal(t, "storage test", name)
	require.NoError(t, db.Conn(t.Context()).Get(&path, `show search_path`))
	require.Equal(t, `"public"`, path)
	size, err := db.SizeByPercentage(t.Context(), 10)
	require.NoError(t, err)
	require.Positive(t, size)
}

// Behind a pooler in transaction mode no statement may stay prepared on a
// connection.
func TestWithoutStatementCache(t *testing.T) {
	t.Parallel()
	for _, cached := range []bool{true, false} {
		db := setup(t, func(c *conf.DB) { c.StatementCacheEnabled, c.MaxPoolSize = cached, 1 })
		for range 3 {
			exec(t, db, `insert into things (id, doc) values ((select count(*) from things), $1) on conflict do nothing`, `{"a": 1}`)
			require.Positive(t, count(t, db))
		}
		var prepared int
		require.NoError(t, db.Conn(t.Context()).Get(&prepared, `select count(*) from pg_prepared_statements where statement like '%things%'`))
		require.Equal(t, cached, prepared > 0)
	}
}

func TestStatementsAreCounted(t *testing.T) {
	t.Parallel()
	counter := new(observability.StatementCounter)
	db, err := storage.Open(conf.DB{URL: dbtest.Empty(t), StatementCacheEnabled: true}, storage.Options{Tracer: counter})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	event := observability.NewEvent("id", time.Now())
	ctx := observability.WithEvent(t.Context(), event)
	require.NoError(t, db.Tx(ctx, func(tx *storage.Conn) error {
		_, err := tx.Exec(`select 1`)
		return err
	}))
	require.NoError(t, db.Ping(ctx))
	exec(t, db, `select 1`)
	require.EqualValues(t, 2, counter.Total())
	require.EqualValues(t, 1, event.Statements(), "what other requests do does not count")
}
