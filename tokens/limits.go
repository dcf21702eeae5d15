package tokens

import (
	"slices"
	"time"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
)

// Limits are the lifetimes of sessions. They are checked when a session is
// refreshed and on admin routes, not for each access token.
type Limits struct {
	// Timebox counts from the sign-in, Inactivity from the last refresh, LowAAL
	// from the sign-in of a user who has a second factor and has not used it;
	// nil means no such limit.
	Timebox, Inactivity, LowAAL *time.Duration
	// SinglePerUser lets only the session used last refresh, for each of Tags.
	SinglePerUser bool
	Tags          []string
}

func newLimits(cfg conf.Sessions) Limits {
	return Limits{
		Timebox: cfg.Timebox, Inactivity: cfg.InactivityTimeout, LowAAL: cfg.AllowLowAAL,
		SinglePerUser: cfg.SinglePerUser, Tags: cfg.Tags,
	}
}

// newGrantLimits are the limits of what a user grants to OAuth clients. A user
// has as many of them as clients, and an agent has no second factor.
func newGrantLimits(cfg conf.OAuthServer) Limits {
	return Limits{Timebox: cfg.SessionTimebox, Inactivity: cfg.SessionInactivityTimeout}
}

// limitsOf are the limits of a session, which is the project's own or a grant.
func (s *Service) limitsOf(session *models.Session) Limits {
	if session.OAuthClientID != nil {
		return s.grantLimits
	}
	return s.limits
}

// check reports which limit a session has passed at now. lastUse is its last
// refresh, see lastUsed.
func (l Limits) check(account *models.Account, lastUse, now time.Time) error {
	session := account.Session
	passed := func(from time.Time, limit *time.Duration) bool {
		return limit != nil && now.After(from.Add(*limit))
	}
	switch {
	case session.NotAfter != nil && now.After(*session.NotAfter):
		return ErrExpired
	case passed(session.CreatedAt, l.Timebox):
		return ErrExpired
	case passed(lastUse, l.Inactivity):
		return ErrExpiredInactive
	case session.AAL == models.AAL1 && account.HasVerifiedFactor() && passed(session.CreatedAt, l.LowAAL):
		return ErrExpiredLowAAL
	}
	return nil
}

// lastUsed is the time of a session's last refresh. A session of the older
// kind that was never refreshed counts from its newest token.
func lastUsed(session *models.Session, tokenUpdatedAt time.Time) time.Time {
	if session.RefreshedAt != nil {
		return *session.RefreshedAt
	}
	if tokenUpdatedAt.After(session.CreatedAt) {
		return tokenUpdatedAt
	}
	return session.CreatedAt
}

// group selects the sessions that compete with one under SinglePerUser.
func (l Limits) group(session *models.Session, now time.Time) models.SessionGroup {
	group := models.SessionGroup{Now: now, Tags: append([]string{}, l.Tags...)}
	if len(l.Tags) > 0 {
		group.Tag = l.Tags[0]
		if slices.Contains(l.Tags, session.Tag) {
			group.Tag = session.Tag
		}
	}
	if l.Timebox != nil {
		after := now.Add(-*l.Timebox)
		group.CreatedAfter = &after
	}
	if l.Inactivity != nil {
		after := now.Add(-*l.Inactivity)
		group.UsedAfter = &after
	}
	return group
}
