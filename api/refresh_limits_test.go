package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

const sessionExpired = "Invalid Refresh Token: Session Expired"

// bothKinds runs a test for each kind of refresh token.
func bothKinds(t *testing.T, option func(*conf.Config), do func(t *testing.T, app *apitest.App)) {
	t.Helper()
	for name, kind := range map[string]func(*conf.Config){"counter": func(*conf.Config) {}, "older": version1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			do(t, apitest.New(t, kind, option))
		})
	}
}

func expired(t *testing.T, app *apitest.App, token, message string) {
	t.Helper()
	require.Equal(t, message, app.Refresh(token).Refused(http.StatusBadRequest, "session_expired"))
}

func TestSessionTimebox(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	bothKinds(t, func(c *conf.Config) { c.Sessions.Timebox = &hour }, func(t *testing.T, app *apitest.App) {
		user := app.User(t)
		app.Clock.Advance(59 * time.Minute)
		token := refreshed(t, app, user.RefreshToken)
		app.Clock.Advance(2 * time.Minute)
		expired(t, app, token, sessionExpired)
	})
}

func TestSessionInactivity(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	bothKinds(t, func(c *conf.Config) { c.Sessions.InactivityTimeout = &hour }, func(t *testing.T, app *apitest.App) {
		token := app.User(t).RefreshToken
		for range 3 {
			app.Clock.Advance(50 * time.Minute)
			token = refreshed(t, app, token)
		}
		app.Clock.Advance(61 * time.Minute)
		expired(t, app, token, sessionExpired+" (Inactivity)")
	})
}

func TestSessionNotAfter(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(*conf.Config) {}, func(t *testing.T, app *apitest.App) {
		user := app.User(t)
		app.Exec(`update sessions set not_after = now() + interval '1 hour'`)
		token := refreshed(t, app, user.RefreshToken)
		app.Clock.Advance(61 * time.Minute)
		expired(t, app, token, sessionExpired)
	})
}

// A user with a second factor may stay without it for the configured time, and
// no access token outlives that.
func TestSessionLowAAL(t *testing.T) {
	t.Parallel()
	limit := 10 * time.Minute
	bothKinds(t, func(c *conf.Config) { c.Sessions.AllowLowAAL = &limit }, func(t *testing.T, app *apitest.App) {
		user, plain := app.User(t), app.User(t)
		addFactor(app, user.ID, "verified")
		addFactor(app, plain.ID, "unverified")
		body := app.Refresh(user.RefreshToken).OK()
		require.InDelta(t, 600, body["expires_in"], 5)
		app.Clock.Advance(11 * time.Minute)
		expired(t, app, body["refresh_token"].(string), sessionExpired+" (Low AAL: User Needs MFA Verification)")
		require.InDelta(t, 3600, app.Refresh(plain.RefreshToken).OK()["expires_in"], 1)

		app.Exec(`update sessions set aal = 'aal2' where id = $1`, user.SessionID)
		require.InDelta(t, 3600, app.Refresh(body["refresh_token"].(string)).OK()["expires_in"], 1)
	})
}

func addFactor(app *apitest.App, user, status string) {
	app.Exec(`insert into mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret)
		values (gen_random_uuid(), $1, '', 'totp', $2::factor_status, now(), now(), 'x')`, user, status)
}

func TestSessionSinglePerUser(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(c *conf.Config) { c.Sessions.SinglePerUser = true }, func(t *testing.T, app *apitest.App) {
		user, stranger := app.User(t), app.User(t)
		app.Clock.Advance(time.Minute)
		second := app.SignIn(t, user.Email)
		expired(t, app, user.RefreshToken, sessionExpired+" (Revoked by Newer Login)")
		refreshed(t, app, second.RefreshToken)
		refreshed(t, app, stranger.RefreshToken)
		app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	})
}

// With tags the rule counts within each group; unknown tags are in the first.
func TestSessionSinglePerTag(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(c *conf.Config) {
		c.Sessions.SinglePerUser, c.Sessions.Tags = true, []string{"web", "phone"}
	}, func(t *testing.T, app *apitest.App) {
		web := app.User(t)
		app.Clock.Advance(time.Minute)
		phone := app.SignIn(t, web.Email)
		app.Exec(`update sessions set tag = 'phone' where id = $1`, phone.SessionID)
		web.RefreshToken = refreshed(t, app, web.RefreshToken)
		app.Clock.Advance(time.Minute)
		other := app.SignIn(t, web.Email)
		app.Exec(`update sessions set tag = 'unknown' where id = $1`, other.SessionID)
		expired(t, app, web.RefreshToken, sessionExpired+" (Revoked by Newer Login)")
		refreshed(t, app, phone.RefreshToken)
		refreshed(t, app, other.RefreshToken)
	})
}
