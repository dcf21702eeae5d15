package oauthserver_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/truegrant/truegrant/conf"
)

// What a user grants a client is no web session: their limits do not touch each
// other.
func TestGrantsHaveLifetimesOfTheirOwn(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	b := setup(t, func(c *conf.Config) {
		c.Sessions.Timebox, c.Sessions.InactivityTimeout, c.Sessions.AllowLowAAL = &hour, &hour, &hour
		c.Sessions.SinglePerUser = true
	})
	c, u := b.Client(t), b.User(t)
	b.Exec(`insert into mfa_factors (id, user_id, factor_type, status, created_at, updated_at)
		values (gen_random_uuid(), $1, 'totp', 'verified', now(), now())`, u.ID)
	first, second := b.grant(c, u), b.grant(c, u)
	b.alive(c, first)
	b.Refresh(u.RefreshToken).OK() // the grants are newer, and do not compete
	b.Clock.Advance(90 * time.Minute)
	b.RefreshGrant(c, second.RefreshToken).OK()
	b.Refresh(u.RefreshToken).Refused(http.StatusBadRequest, "session_expired")
}

func TestGrantLimits(t *testing.T) {
	t.Parallel()
	hour, day := time.Hour, 24*time.Hour
	for name, test := range map[string]struct {
		option func(*conf.Config)
		pause  time.Duration
		rounds int
	}{
		"timebox":    {func(c *conf.Config) { c.OAuthServer.SessionTimebox = &day }, 9 * time.Hour, 3},
		"inactivity": {func(c *conf.Config) { c.OAuthServer.SessionInactivityTimeout = &hour }, 61 * time.Minute, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, test.option)
			c, u := b.Client(t), b.User(t)
			tokens := b.grant(c, u)
			for range test.rounds - 1 {
				b.Clock.Advance(test.pause)
				tokens = b.refresh(c, tokens.RefreshToken)
			}
			b.Clock.Advance(test.pause)
			b.RefreshGrant(c, tokens.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
			b.Refresh(u.RefreshToken).OK()
		})
	}
}
