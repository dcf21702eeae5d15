package devdb

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestShared(t *testing.T) {
	t.Parallel()
	opts := Options{Dir: folder(t), Linger: 2 * time.Second, Logf: t.Logf}
	users := make(chan *Cluster, 4)
	for range cap(users) {
		go func() {
			c, err := Start(t.Context(), opts)
			if err != nil {
				t.Error(err)
			}
			users <- c
		}()
	}
	all := make([]*Cluster, 0, cap(users))
	for range cap(users) {
		c := <-users
		require.NotNil(t, c)
		all = append(all, c)
	}
	starters := 0
	for _, c := range all {
		require.Equal(t, all[0].URL("x"), c.URL("x"))
		if c.server != nil {
			starters++
		}
	}
	require.Equal(t, 1, starters)
	_, err := Start(t.Context(), Options{Dir: opts.Dir})
	require.ErrorIs(t, err, ErrInUse, "an owner does not take a shared cluster away")

	for _, c := range all[1:] {
		require.NoError(t, c.Stop())
	}
	require.False(t, all[0].place.waitGone(t.Context(), 4*time.Second), "one user is left")
	require.NoError(t, all[0].Stop())
	require.True(t, all[0].place.waitGone(t.Context(), 15*time.Second), "nobody is left")

	again := start(t, opts)
	require.Equal(t, all[0].URL("x"), again.URL("x"))
	require.Equal(t, 1, query[int](t, again.URL("postgres"), "SELECT 1"))
	require.NoError(t, again.Stop())
}

func TestRenewLease(t *testing.T) {
	t.Parallel()
	path := t.TempDir() + "/lease"
	require.Error(t, renewLease(path), "a lease that was taken away is not made again")
	require.NoFileExists(t, path)

	require.NoError(t, os.WriteFile(path, []byte("old\n"), 0o600))
	seen := map[string]bool{"old\n": true}
	for range 3 {
		require.NoError(t, renewLease(path))
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		require.False(t, seen[string(raw)], "each renewal is new")
		seen[string(raw)] = true
	}
}
