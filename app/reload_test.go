package app_test

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// changed is the configuration of a server with something else in it.
func changed(a *apitest.App, change func(*conf.Config)) *conf.Config {
	next := *a.Config
	change(&next)
	return &next
}

func TestReload(t *testing.T) {
	t.Parallel()
	a := apitest.New(t)
	user := a.User(t)
	require.NoError(t, a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) {
		c.DisableSignup, c.DB.MaxPoolSize = true, 3
	})))
	a.Do("POST", "/signup", map[string]string{"email": "new@example.com", "password": "correct-horse"}).
		Refused(http.StatusUnprocessableEntity, "signup_disabled")
	require.Equal(t, 3, a.Server.DB.Stats().MaxOpenConnections, "the open pool has its new size")
	a.Do("GET", "/user", nil, apitest.Bearer(user.AccessToken)).OK()
}

// What only the parts can judge is judged before anything changes.
func TestReloadRefusesBrokenConfiguration(t *testing.T) {
	t.Parallel()
	a := apitest.New(t)
	for name, breaking := range map[string]func(*conf.Config){
		"keys":      func(c *conf.Config) { c.JWT.Keys = `[{"kty":"EC"}]` },
		"hook":      func(c *conf.Config) { c.Hook.SendEmail.URI = "ftp://x" },
		"allowlist": func(c *conf.Config) { c.URIAllowList = []string{"[z-a"} },
	} {
		err := a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) {
			c.DisableSignup, c.DB.MaxPoolSize = true, 3
			breaking(c)
		}))
		require.Error(t, err, name)
	}
	a.User(t) // signs up
	require.NotEqual(t, 3, a.Server.DB.Stats().MaxOpenConnections)
}

func TestReloadKeepsWhatHoldsFromStartToEnd(t *testing.T) {
	t.Parallel()
	a := apitest.New(t)
	require.NoError(t, a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) {
		c.DB.URL, c.API.Port, c.Logging.Level = "postgres://elsewhere.test/none", "1", "debug"
	})))
	a.User(t)
	for _, name := range []string{"DATABASE_URL", "PORT", "GOTRUE_LOG_"} {
		require.Contains(t, a.Log.String(), name)
	}
	require.NotContains(t, a.Log.String(), "elsewhere.test", "values may be secret")
}

// A reload is no fresh start for whoever has used up a limit.
func TestReloadKeepsCounters(t *testing.T) {
	t.Parallel()
	a := apitest.New(t, func(c *conf.Config) { c.RateLimit.Header = "X-Client" })
	try := func() int {
		return a.Do("POST", "/recover", map[string]string{}, apitest.Header("X-Client", "1.2.3.4")).Status
	}
	for range 30 {
		require.NotEqual(t, http.StatusTooManyRequests, try())
	}
	require.Equal(t, http.StatusTooManyRequests, try())
	require.NoError(t, a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) { c.DisableSignup = true })))
	require.Equal(t, http.StatusTooManyRequests, try())
	require.NoError(t, a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) { c.RateLimit.OTP = 3000 })))
	require.NotEqual(t, http.StatusTooManyRequests, try(), "a new limit counts anew")
}

// Requests that are under way when the configuration changes end as they began,
// and none is lost: every answer is one of the old or of the new configuration.
func TestReloadUnderLoad(t *testing.T) {
	t.Parallel()
	a := apitest.New(t)
	user := a.User(t)
	var stop atomic.Bool
	var answered, wrong atomic.Int64
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for !stop.Load() {
				if a.Do("GET", "/user", nil, apitest.Bearer(user.AccessToken)).Status != http.StatusOK {
					wrong.Add(1)
				}
				switch status := a.Do("GET", "/.well-known/jwks.json", nil).Status; status {
				case http.StatusOK:
				default:
					wrong.Add(1)
				}
				answered.Add(2)
			}
		})
	}
	var reloads sync.WaitGroup
	for i := range 2 {
		reloads.Go(func() {
			for j := range 20 {
				_ = a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) {
					c.DisableSignup, c.DB.MaxPoolSize = (i+j)%2 == 0, 4+j%5
				}))
			}
		})
	}
	reloads.Wait()
	stop.Store(true)
	group.Wait()
	require.Zero(t, wrong.Load())
	require.Positive(t, answered.Load())
}

// A request that started before a reload ends by the rules it started under.
func TestRequestKeepsItsConfiguration(t *testing.T) {
	t.Parallel()
	var reload func()
	a := apitest.New(t, func(c *conf.Config) {
		c.Security.Captcha.Enabled, c.Security.Captcha.Provider, c.Security.Captcha.Secret = true, "hcaptcha", "secret"
	})
	a = a.Via(t, apitest.Elsewhere(t, func(w http.ResponseWriter, _ *http.Request) {
		reload() // while the sign-up is under way
		_, _ = w.Write([]byte(`{"success":true}`))
	}))
	reload = func() {
		_ = a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) { c.DisableSignup = true }))
	}
	signUp := func(email string) *apitest.Response {
		return a.Do("POST", "/signup", map[string]any{
			"email": email, "password": "correct-horse", "gotrue_meta_security": map[string]string{"captcha_token": "x"},
		})
	}
	signUp("one@example.com").OK()
	signUp("two@example.com").Refused(http.StatusUnprocessableEntity, "signup_disabled")
}

// The work beside the requests follows the configuration.
func TestBackgroundFollowsReload(t *testing.T) {
	t.Parallel()
	a := apitest.New(t)
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { a.Server.Background(ctx); close(done) }()
	indexes := func() int { return a.Count(`select count(*) from pg_class where relname like 'idx\_users\_%'`) }
	require.Zero(t, indexes())
	require.NoError(t, a.Server.Reload(t.Context(), changed(a, func(c *conf.Config) {
		c.IndexWorker.EnsureUserSearchIndexesExist = true
	})))
	require.Eventually(t, func() bool { return indexes() == 4 }, 30*time.Second, 20*time.Millisecond)
	cancel()
	<-done
}
