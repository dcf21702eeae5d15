package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// version1 is an option for refresh tokens of the older kind.
func version1(c *conf.Config) { c.Security.RefreshTokenAlgorithmVersion = 1 }

func TestRefreshToken(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1)
	user := app.User(t)
	app.Exec(`delete from audit_log_entries`)
	require.Regexp(t, `^[a-z2-7]{12}$`, user.RefreshToken)
	got := app.Refresh(user.RefreshToken)
	next := got.OK()["refresh_token"].(string)
	require.Regexp(t, `^[a-z2-7]{12}$`, next)
	require.Equal(t, next[:5], got.Header.Get("Sb-Auth-Refresh-Token-Prefix"))
	require.Equal(t, "false", got.Header.Get("Sb-Auth-Refresh-Token-Reuse"))
	require.ElementsMatch(t, []string{"token_refreshed", "token_revoked"}, actions(app))
	require.Equal(t, user.RefreshToken, app.Text(`select parent from refresh_tokens where token = $1 and not revoked`, next))
	require.Equal(t, "true", app.Text(`select revoked::text from refresh_tokens where token = $1`, user.RefreshToken))
	require.NotEmpty(t, app.Text(`select refreshed_at::text from sessions where id = $1`, user.SessionID))
}

// The parent of the active token is a client that lost the last answer.
func TestRefreshTokenReplay(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1)
	user := app.User(t)
	next := refreshed(t, app, user.RefreshToken)
	app.Clock.Advance(24 * time.Hour)
	require.Equal(t, next, refreshed(t, app, user.RefreshToken))
	require.Equal(t, 2, app.Count(`select count(*) from refresh_tokens`))
	refreshed(t, app, next)
}

func TestRefreshTokenReuseRevokesTheFamily(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1)
	user := app.User(t)
	current := refreshed(t, app, refreshed(t, app, user.RefreshToken))
	app.Clock.Advance(time.Minute)
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_already_used")
	app.Refresh(current).Refused(http.StatusBadRequest, "refresh_token_already_used")
	require.Equal(t, 0, app.Count(`select count(*) from refresh_tokens where not revoked`))
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
}

func TestRefreshTokenReuseWithoutRotation(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1, func(c *conf.Config) { c.Security.RefreshTokenRotationEnabled = false })
	user := app.User(t)
	current := refreshed(t, app, refreshed(t, app, user.RefreshToken))
	app.Clock.Advance(time.Minute)
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_already_used")
	refreshed(t, app, current)
}

// Within the interval every holder of a spent token gets a successor.
func TestRefreshTokenReuseInterval(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1, func(c *conf.Config) { c.Security.RefreshTokenReuseInterval = time.Minute })
	user := app.User(t)
	current := refreshed(t, app, refreshed(t, app, user.RefreshToken))
	child := refreshed(t, app, user.RefreshToken)
	require.NotEqual(t, current, child)
	require.Equal(t, user.RefreshToken, app.Text(`select parent from refresh_tokens where token = $1`, child))
	refreshed(t, app, current)
	refreshed(t, app, child)
	app.Clock.Advance(61 * time.Second)
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_already_used")
}

func TestRefreshTokenWithoutSession(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1)
	user := app.User(t)
	app.Exec(`update refresh_tokens set session_id = null where token = $1`, user.RefreshToken)
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "session_not_found")
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_not_found")
	require.Equal(t, 0, app.Count(`select count(*) from refresh_tokens`))
}

// A server that has moved on to counter tokens honours those of the older
// kind, and moves the share of sessions that is configured.
func TestRefreshTokenUpgrade(t *testing.T) {
	t.Parallel()
	for _, percentage := range []int{0, 100} {
		app := apitest.New(t, version1)
		user := app.User(t)
		app.Config.Security.RefreshTokenAlgorithmVersion = 2
		app.Config.Security.RefreshTokenUpgradePercentage = percentage
		newer := app.Replica(t)
		next := refreshed(t, newer, user.RefreshToken)
		if percentage == 0 {
			require.Len(t, next, 12)
			refreshed(t, newer, next)
			continue
		}
		require.Len(t, next, 51)
		require.Equal(t, 0, app.Count(`select count(*) from refresh_tokens where not revoked`))
		require.Equal(t, 0, app.Count(`select refresh_token_counter from sessions where id = $1`, user.SessionID))
		refreshed(t, newer, refreshed(t, newer, next))
		newer.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_already_used")
	}
}

// Whatever 16 concurrent upgrades of one session do, all agree in the end.
func TestRefreshTokenUpgradeRace(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, version1)
	user := app.User(t)
	app.Config.Security.RefreshTokenAlgorithmVersion = 2
	app.Config.Security.RefreshTokenUpgradePercentage = 100
	app.Config.Security.RefreshTokenReuseInterval = time.Minute
	servers := []*apitest.App{app.Replica(t), app.Replica(t)}
	answers := concurrently(16, func(i int) *apitest.Response { return servers[i%2].Refresh(user.RefreshToken) })
	for _, answer := range answers {
		require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
		refreshed(t, servers[0], answer.JSON()["refresh_token"].(string))
	}
	require.Equal(t, 1, app.Count(`select count(*) from sessions`))
}
