package api_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/ratelimit/storetest"
)

const (
	clientHeader = "X-Forwarded-For"
	patience     = 20 * time.Second // a busy machine must not fail a test
)

// signUpFrom is refused either way; the status tells whether the limit did it.
func signUpFrom(app *apitest.App, client string) int {
	return app.Do(http.MethodPost, "/signup", map[string]any{"email": "x"}, apitest.Header(clientHeader, client)).Status
}

func register(app *apitest.App) *apitest.Response {
	return app.Do(http.MethodPost, "/oauth/clients/register", `{"redirect_uris":["https://client.test/callback"]}`,
		apitest.Header(clientHeader, "192.0.2.1"))
}

// Two replicas share one budget, whoever of them is asked, and at the same time.
func TestReplicasShareLimits(t *testing.T) {
	t.Parallel()
	store := storetest.Start(t)
	app := apitest.New(t, func(c *conf.Config) {
		c.RateLimit.StoreURL, c.RateLimit.StoreTimeout = store.URL, patience
		c.RateLimit.Header, c.RateLimit.OTP = clientHeader, 1
		c.RateLimit.OAuthDynamicClientRegister = 1
	})
	replicas := []*apitest.App{app, app.Replica(t)}
	var admitted atomic.Int64
	concurrently(80, func(i int) int {
		status := signUpFrom(replicas[i%2], "192.0.2.1")
		if status == http.StatusBadRequest {
			admitted.Add(1)
		}
		return status
	})
	require.EqualValues(t, 30, admitted.Load())
	require.Equal(t, http.StatusBadRequest, signUpFrom(replicas[1], "192.0.2.2"), "another client")

	for i := range 30 {
		require.Equal(t, http.StatusCreated, register(replicas[i%2]).Status)
	}
	register(replicas[0]).Refused(http.StatusTooManyRequests, "over_request_rate_limit")
	register(replicas[1]).Refused(http.StatusTooManyRequests, "over_request_rate_limit")
	require.NotContains(t, app.Log.String(), "counts for itself")
}

func TestReplicasShareTheMailBudget(t *testing.T) {
	t.Parallel()
	store := storetest.Start(t)
	app, mail := mailing(t, func(c *conf.Config) {
		c.RateLimit.StoreURL, c.RateLimit.StoreTimeout = store.URL, patience
		c.RateLimit.EmailSent = conf.Rate{Form: conf.RateWindow, Events: 2, Interval: time.Hour}
	})
	first, second, third := app.User(t), app.User(t), app.User(t)
	other := app.Replica(t)
	sent(t, ask(app, "/recover", first.Email))
	sent(t, ask(other, "/recover", second.Email))
	for _, replica := range []*apitest.App{app, other} {
		ask(replica, "/recover", third.Email).Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
	}
	require.Empty(t, mail.To(third.Email))
}

// While the store is away each replica limits by itself; nobody gets an error,
// nor everything.
func TestLimitsWithoutTheirStore(t *testing.T) {
	t.Parallel()
	store := storetest.Start(t)
	app := apitest.New(t, func(c *conf.Config) {
		c.RateLimit.StoreURL, c.RateLimit.StoreTimeout = store.URL, patience
		c.RateLimit.Header, c.RateLimit.OTP = clientHeader, 1
	})
	other := app.Replica(t)
	for range 20 {
		require.Equal(t, http.StatusBadRequest, signUpFrom(app, "192.0.2.1"))
	}
	store.Stop()
	for range 10 {
		require.Equal(t, http.StatusBadRequest, signUpFrom(app, "192.0.2.1"))
	}
	require.Equal(t, http.StatusTooManyRequests, signUpFrom(app, "192.0.2.1"))
	require.Equal(t, http.StatusBadRequest, signUpFrom(other, "192.0.2.1"), "which has seen nobody yet")
	require.Contains(t, app.Log.String(), "counts for itself")
	require.NotContains(t, app.Log.String(), "192.0.2.1")

	store.Start()
	app.Clock.Advance(time.Second)
	for i := range 30 {
		require.Equal(t, http.StatusBadRequest, signUpFrom([]*apitest.App{app, other}[i%2], "192.0.2.1"))
	}
	require.Equal(t, http.StatusTooManyRequests, signUpFrom(other, "192.0.2.1"))
	require.Contains(t, app.Log.String(), "is back")
}
