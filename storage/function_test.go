package storage_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/storage"
)

func TestCallFunction(t *testing.T) {
	t.Parallel()
	db := setup(t)
	exec(t, db, `create function public."Odd name"(event jsonb) returns jsonb language sql as $$ select event || '{"b": 2}' $$`)
	exec(t, db, `create function public.nothing(event jsonb) returns jsonb language sql as $$ select null::jsonb $$`)
	exec(t, db, `create function public.slow(event jsonb) returns jsonb language sql as $$ select event from pg_sleep(60) $$`)
	reply, err := db.CallFunction(t.Context(), []string{"public", "Odd name"}, []byte(`{"a": 1}`), time.Minute)
	require.NoError(t, err)
	require.JSONEq(t, `{"a": 1, "b": 2}`, string(reply))
	reply, err = db.CallFunction(t.Context(), []string{"public", "nothing"}, []byte(`{}`), time.Minute)
	require.NoError(t, err)
	require.Nil(t, reply)
	_, err = db.CallFunction(t.Context(), []string{"public", `nothing"(null) --`}, []byte(`{}`), time.Minute)
	require.Error(t, err, "a name is a name")

	started := time.Now()
	_, err = db.CallFunction(t.Context(), []string{"public", "slow"}, []byte(`{}`), 100*time.Millisecond)
	require.Error(t, err)
	require.Less(t, time.Since(started), 30*time.Second, "the statement timeout ends it")
	var timeout string
	require.NoError(t, db.Conn(t.Context()).Get(&timeout, `show statement_timeout`))
	require.Equal(t, "0", timeout, "for the function only")
}

// What a function raises is its own affair: neither a malformed request nor a
// lost race for a key, nor an outage.
func TestCallFunctionErrors(t *testing.T) {
	t.Parallel()
	db := setup(t)
	exec(t, db, `create table public.seen (n int check (n < 10))`)
	exec(t, db, `create function public.f(event jsonb) returns setof jsonb language plpgsql as $$
		declare how text := event->>'how';
		begin
			insert into public.seen values (1);
			if how = 'check' then insert into public.seen values (11); end if;
			if how is not null then
				raise exception 'custom' using errcode = how, detail = 'a detail', hint = 'a hint';
			end if;
		end $$`)
	exec(t, db, `create function public.silent(event jsonb) returns void language plpgsql as $$ begin end $$`)
	call := func(name, how string) error {
		reply, err := db.CallFunction(t.Context(), []string{"public", name}, []byte(how), time.Minute)
		require.Empty(t, reply)
		return err
	}
	require.NoError(t, call("silent", `{}`))
	require.NoError(t, call("f", `{}`), "no row is no output")
	var rows int
	require.NoError(t, db.Conn(t.Context()).Get(&rows, `select count(*) from public.seen`))
	require.Equal(t, 1, rows, "what it wrote stays")

	for _, state := range []string{"22P02", "22021", "23505", "23514", "57P03", "08006", "53300", "P0001", "PT418", "XX000"} {
		err := call("f", `{"how": "`+state+`"}`)
		require.NotErrorIs(t, err, storage.ErrInvalidText, state)
		require.NotErrorIs(t, err, storage.ErrUnavailable, state)
		require.False(t, storage.IsUnique(err), state)
		public, ok := storage.Public(err)
		require.Equal(t, strings.HasPrefix(state, "23") || strings.HasPrefix(state, "P"), ok, state)
		if ok {
			require.Equal(t, storage.PublicError{SQLState: state, Message: "custom", Hint: "a hint", Detail: "a detail"}, *public)
		}
	}
	public, ok := storage.Public(call("f", `{"how": "check"}`))
	require.True(t, ok)
	require.Empty(t, public.Detail, "PostgreSQL quotes the row there")

	require.Error(t, call("missing", `{}`))
}
