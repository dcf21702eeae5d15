package models

import (
	"strconv"
	"time"

	"github.com/truegrant/truegrant/storage"
)

// sweepRows is how many rows one sweep removes from a table at most, so that it
// never holds locks for long; of users, who take much with them, SweepUsers.
const (
	sweepRows  = 1000
	SweepUsers = 100
)

// How long rows stay that only a cleaned-up database does without: GoTrue's
// times.
const (
	spentLife     = 24 * time.Hour
	endedLife     = 72 * time.Hour
	anonymousLife = 30 * 24 * time.Hour
)

// CleanUp says which rows of no more use a project wants removed. Sessions go a
// day after their limits, which are nil where there are none.
type CleanUp struct {
	// AnonymousUsers removes those of long ago.
	AnonymousUsers bool
	// Timebox and Inactivity are the limits of the project's own sessions,
	// GrantTimebox and GrantInactivity those of OAuth clients' sessions.
	Timebox, Inactivity           *time.Duration
	GrantTimebox, GrantInactivity *time.Duration
}

// Sweep removes one batch of each kind of row and returns how many went. Rows
// that somebody works on are left for the next time.
func (u CleanUp) Sweep(tx *storage.Conn, now time.Time) (removed int64, err error) {
	for _, s := range u.sweeps(now) {
		n, err := tx.Exec(s.statement, s.before)
		if err != nil {
			return removed, err
		}
		removed += n
	}
	return removed, nil
}

type sweep struct {
	statement string
	before    time.Time
}

func (u CleanUp) sweeps(now time.Time) []sweep {
	day := now.Add(-spentLife)
	sweeps := []sweep{
		{removal("refresh_tokens", "t.revoked and t.updated_at < $1", sweepRows), day},
		{revokeEnded(), day},
		{removal("sessions", "t.not_after < $1", sweepRows), now.Add(-endedLife)},
		{removal("saml_relay_states", "t.created_at < $1", sweepRows), day},
		{removal("oauth_client_states", "t.created_at < $1", sweepRows), day},
		{removal("mfa_challenges", "t.created_at < $1", sweepRows), day},
		{removal("mfa_factors", "t.status = 'unverified' and t.created_at < $1", sweepRows), day},
		{removal("webauthn_challenges", "t.expires_at < $1", sweepRows), now},
	}
	if u.AnonymousUsers {
		sweeps = append(sweeps, sweep{
			removal("users", "t.is_anonymous and t.created_at < $1 and t.instance_id = '"+instanceID+"'", SweepUsers),
			now.Add(-anonymousLife),
		})
	}
	add := func(limit *time.Duration, condition string) {
		if limit != nil {
			sweeps = append(sweeps, sweep{removal("sessions", condition, sweepRows), day.Add(-*limit)})
		}
	}
	const own, grant = "t.oauth_client_id is null and ", "t.oauth_client_id is not null and "
	add(u.Timebox, own+"t.created_at < $1")
	add(u.GrantTimebox, grant+"t.created_at < $1")
	add(u.Inactivity, own+unused)
	add(u.GrantInactivity, grant+unused)
	return sweeps
}

// unused is the condition of a session that was not refreshed since $1. Of one
// of the older kind that never was, its tokens tell.
const unused = `coalesce(t.refreshed_at at time zone 'UTC', t.created_at) < $1
	and (t.refreshed_at is not null or not exists (
		select from refresh_tokens r where r.session_id = t.id and r.updated_at >= $1))`

// revokeEnded revokes the tokens of sessions that ended before $1.
func revokeEnded() string {
	return `update refresh_tokens set revoked = true where id in (
	select t.id from refresh_tokens t join sessions s on s.id = t.session_id
	 where s.not_after < $1 and not t.revoked limit ` + strconv.Itoa(sweepRows) + ` for update of t skip locked)`
}

// removal deletes rows of a table, which it calls t.
func removal(table, condition string, limit int) string {
	return `delete from ` + table + ` where id in (select t.id from ` + table + ` t where ` + condition +
		` limit ` + strconv.Itoa(limit) + ` for update skip locked)`
}
