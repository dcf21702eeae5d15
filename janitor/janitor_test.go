package janitor_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, client := app.User(t), app.Client(t)
	redeemed := app.Authorize(t, client)
	code := app.Approve(t, user, redeemed)
	app.Redeem(redeemed, code).OK()
	app.Authorize(t, client)
	app.Approve(t, user, app.Authorize(t, client))
	sweep := func() int64 {
		removed, err := app.Server.Janitor.Sweep(t.Context())
		require.NoError(t, err)
		return removed
	}
	left := func() []int {
		return []int{
			app.Count(`select count(*) from oauth_authorizations`), app.Count(`select count(*) from oauth_redeemed_codes`),
		}
	}
	require.Equal(t, []int{2, 1}, left())
	require.Zero(t, sweep(), "nothing has expired")

	app.Clock.Advance(5 * time.Minute)
	require.Zero(t, sweep(), "whoever comes a little late still gets a helpful answer")
	require.Equal(t, []int{2, 1}, left())

	app.Clock.Advance(11 * time.Minute)
	require.EqualValues(t, 3, sweep())
	require.Equal(t, []int{0, 0}, left())
	require.Equal(t, 2, app.Count(`select count(*) from sessions`))
	app.Redeem(redeemed, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
}

// One replica sweeps at a time; the others have nothing to do.
func TestSweepOncePerDatabase(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, client := app.User(t), app.Client(t)
	for range 6 {
		app.Approve(t, user, app.Authorize(t, client))
	}
	app.Clock.Advance(time.Hour)
	other := app.Replica(t)
	removed := make(chan int64, 8)
	for i := range 8 {
		go func() {
			n, err := []*apitest.App{app, other}[i%2].Server.Janitor.Sweep(t.Context())
			if err != nil {
				n = -100
			}
			removed <- n
		}()
	}
	var total int64
	for range 8 {
		total += <-removed
	}
	require.EqualValues(t, 6, total, "each row is counted once")
}
