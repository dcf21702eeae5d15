package janitor_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// rows are the tables that a clean-up looks at, each with its number of rows.
func rows(app *apitest.App) map[string]int {
	counts := map[string]int{}
	for _, table := range []string{
		"users", "sessions", "refresh_tokens", "mfa_factors", "mfa_challenges", "webauthn_challenges",
		"saml_relay_states", "oauth_client_states",
	} {
		counts[table] = app.Count(`select count(*) from ` + table)
	}
	return counts
}

// seed writes rows that are older than a time by a second, and others that are
// younger.
func seed(app *apitest.App, user string) {
	now := app.Clock.Now()
	session := app.Text(`select id::text from sessions where user_id = $1 limit 1`, user)
	app.Exec(`insert into sso_providers (id, created_at) values ('00000000-0000-4000-8000-000000000001', $1)`, now)
	for _, shift := range []time.Duration{-time.Second, time.Minute} {
		day := now.Add(-24*time.Hour + shift)
		app.Exec(`insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id)
			values ('00000000-0000-0000-0000-000000000000', 'spent' || $2::text, $3, true, $1, $1, $4::text::uuid)`, day, shift.String(), user, session)
		app.Exec(`insert into sessions (id, user_id, created_at, not_after) values (gen_random_uuid(), $2::text::uuid, now(), $1)`,
			now.Add(-72*time.Hour+shift), user)
		app.Exec(`insert into mfa_factors (id, user_id, factor_type, status, friendly_name, created_at, updated_at)
			values (gen_random_uuid(), $2::text::uuid, 'totp', 'unverified', $3, $1, $1)`, day, user, shift.String())
		app.Exec(`insert into webauthn_challenges (challenge_type, session_data, expires_at) values ('authentication', '{}', $1)`, now.Add(shift))
		app.Exec(`insert into saml_relay_states (id, sso_provider_id, request_id, created_at)
			values (gen_random_uuid(), '00000000-0000-4000-8000-000000000001', 'x', $1)`, day)
		app.Exec(`insert into oauth_client_states (id, provider_type, created_at) values (gen_random_uuid(), 'x', $1)`, day)
		app.Exec(`insert into users (id, instance_id, is_anonymous, created_at)
			values (gen_random_uuid(), '00000000-0000-0000-0000-000000000000', true, $1)`, now.Add(-30*24*time.Hour+shift))
	}
	app.Exec(`insert into mfa_factors (id, user_id, factor_type, status, friendly_name, created_at, updated_at)
		values ('00000000-0000-4000-8000-000000000002', $2::text::uuid, 'totp', 'verified', 'old', $1, $1)`, now.Add(-time.Hour*1000), user)
	for _, shift := range []time.Duration{-time.Second, time.Minute} {
		app.Exec(`insert into mfa_challenges (id, factor_id, created_at, ip_address)
			values (gen_random_uuid(), '00000000-0000-4000-8000-000000000002', $1, '::1')`, now.Add(-24*time.Hour+shift))
	}
}

// GOTRUE_DB_CLEANUP_ENABLED removes what GoTrue removes, when it would.
func TestCleanUp(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]bool{"on": true, "off": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, func(c *conf.Config) {
				c.DB.CleanupEnabled, c.External.AnonymousUsersEnabled = on, true
				c.Security.RefreshTokenAlgorithmVersion = 1
			})
			user := app.User(t)
			seed(app, user.ID)
			before := rows(app)
			removed, err := app.Server.Janitor.Sweep(t.Context())
			require.NoError(t, err)
			after := rows(app)
			if !on {
				require.Zero(t, removed)
				require.Equal(t, before, after)
				return
			}
			for table, n := range before {
				require.Equal(t, n-1, after[table], table)
			}
			removed, err = app.Server.Janitor.Sweep(t.Context())
			require.NoError(t, err)
			require.Zero(t, removed)
			app.Refresh(user.RefreshToken).OK()
		})
	}
}

// Sessions go a day after the limits of their kind.
func TestCleanUpOfSessions(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limit       func(*conf.Config, *time.Duration)
		own, grants int // that are left
	}{
		"timebox":           {func(c *conf.Config, d *time.Duration) { c.Sessions.Timebox = d }, 0, 1},
		"inactivity":        {func(c *conf.Config, d *time.Duration) { c.Sessions.InactivityTimeout = d }, 0, 1},
		"grants timebox":    {func(c *conf.Config, d *time.Duration) { c.OAuthServer.SessionTimebox = d }, 1, 0},
		"grants inactivity": {func(c *conf.Config, d *time.Duration) { c.OAuthServer.SessionInactivityTimeout = d }, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hour := time.Hour
			app := apitest.New(t, func(c *conf.Config) { c.DB.CleanupEnabled = true; test.limit(c, &hour) })
			app.Grant(t, app.User(t), app.Client(t))
			sweep := func() []int {
				_, err := app.Server.Janitor.Sweep(t.Context())
				require.NoError(t, err)
				return []int{
					app.Count(`select count(*) from sessions where oauth_client_id is null`),
					app.Count(`select count(*) from sessions where oauth_client_id is not null`),
				}
			}
			app.Clock.Advance(24 * time.Hour)
			require.Equal(t, []int{1, 1}, sweep())
			app.Clock.Advance(2 * time.Hour)
			require.Equal(t, []int{test.own, test.grants}, sweep())
		})
	}
}

// The tokens of a session that has ended by its own time are revoked first.
func TestCleanUpRevokesEndedSessions(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.DB.CleanupEnabled, c.Security.RefreshTokenAlgorithmVersion = true, 1 })
	app.User(t)
	app.Exec(`update sessions set not_after = $1`, app.Clock.Now().Add(-25*time.Hour))
	_, err := app.Server.Janitor.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, app.Count(`select count(*) from refresh_tokens where revoked`))
	require.Equal(t, 1, app.Count(`select count(*) from sessions`))
}
