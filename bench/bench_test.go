package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/storage/dbtest"
)

// TestMain is the server of a run, when the run starts its own program.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "-serve") {
		main()
		return
	}
	os.Exit(m.Run())
}

// A short run of everything: each request succeeds, over HTTP and bare, and
// needs the statements that its budget allows.
func TestRun(t *testing.T) {
	t.Parallel()
	out := new(bytes.Buffer)
	opts, err := parse([]string{
		"-pg", dbtest.New(t), "-profile", filepath.Join(t.TempDir(), "profile"),
		"-callers", "1,3", "-sessions", "7", "-users", "120", "-storm", "2", "-duration", "50ms", "-repeat", "1", "-idle", "0",
	})
	require.NoError(t, err)
	opts.out = out
	require.NoError(t, run(t.Context(), opts))
	for _, name := range []string{"refresh", "user", "userinfo", "token", "authorize-to-token",
		"password-login", "sign-up", "verify", "users-first-page", "users-deep-page", "users-filter"} {
		require.Len(t, regexp.MustCompile(`(?m)^\| `+name+` \| [13] \| [1-9]`).FindAllString(out.String(), -1), 2, out)
	}
	require.Regexp(t, `password-login: [0-9.]+ of [0-9.]+ ms CPU are bcrypt`, out)
	require.Regexp(t, `under 2 concurrent password logins p50 [0-9.]+, p99 [0-9.]+ ms`, out)
	info, err := os.Stat(opts.profile)
	require.NoError(t, err)
	require.Positive(t, info.Size())
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, args := range []string{"-callers 0", "-callers 1,x", "-callers 9 -sessions 8", "-users 8", "-storm -1", "-run (", "-repeat 0", "-duration 0s", "-pool 0"} {
		_, err := parse(strings.Fields(args))
		require.Error(t, err, args)
	}
}

func TestTurnEndsWithoutWork(t *testing.T) {
	t.Parallel()
	c := codes{list: make([]code, 5)}
	take := func(context.Context) error {
		_, err := c.take()
		return err
	}
	r, err := turn(t.Context(), []operation{take, take}, time.Hour, time.Now)
	require.NoError(t, err)
	require.Equal(t, 5, r.operations)

	broken := errors.New("broken")
	_, err = turn(t.Context(), []operation{func(context.Context) error { return broken }}, time.Hour, time.Now)
	require.ErrorIs(t, err, broken)
}

func TestResult(t *testing.T) {
	t.Parallel()
	r := result{operations: 4, elapsed: 2 * time.Second, latencies: []time.Duration{1, 2, 3, 4}}
	require.InDelta(t, 2, r.rate(), 0)
	require.Equal(t, time.Duration(3), r.percentile(50))
	require.Equal(t, time.Duration(4), r.percentile(99))
	require.Zero(t, result{}.percentile(99))
	require.Zero(t, result{}.rate())
}

// No two callers share a user, whatever their number.
func TestNext(t *testing.T) {
	t.Parallel()
	w := &world{users: make([]*user, 10), step: 3}
	for i := range w.users {
		w.users[i] = new(user)
	}
	owner := map[*user]int{}
	for caller := range w.step {
		n := caller
		for range 25 {
			u := w.next(&n)
			if other, seen := owner[u]; seen {
				require.Equal(t, other, caller)
			}
			owner[u] = caller
		}
	}
	require.Len(t, owner, 9)
}
