package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// RefreshToken is a refresh token of the older kind, a row of refresh_tokens,
// with the session, its user and the token that is current in the session.
type RefreshToken struct {
	Account
	TokenID        int64      `db:"token_id"`
	Token          string     `db:"token"`
	Revoked        bool       `db:"revoked"`
	TokenUpdatedAt time.Time  `db:"token_updated_at"`
	TokenSessionID *uuid.UUID `db:"token_session_id"`
	// ActiveToken is the newest token of the session that is not revoked, and
	// ActiveParent the one it replaced.
	ActiveToken  string `db:"active_token"`
	ActiveParent string `db:"active_parent"`
}

// FindRefreshToken returns a token of the older kind and all that its use
// depends on, in one statement. user_id is a relic of type text; casting it,
// and not the key of users, lets the index serve.
func FindRefreshToken(c *storage.Conn, token string) (*RefreshToken, error) {
	t := new(RefreshToken)
	err := c.Get(t, `select `+userWithRelations+`,
		case when s.id is null then null else `+sessionJSON+` end as session,
		r.id as token_id, r.token, coalesce(r.revoked, false) as revoked,
		coalesce(r.updated_at, 'epoch') as token_updated_at, r.session_id as token_session_id,
		coalesce(active.token, '') as active_token, coalesce(active.parent, '') as active_parent
		from refresh_tokens r
		join users u on u.id = r.user_id::uuid
		left join sessions s on s.id = r.session_id
		left join lateral (select a.token, a.parent from refresh_tokens a
			where a.session_id = r.session_id and not a.revoked order by a.id desc limit 1) active on true
		where r.token = $1`, token)
	return t, err
}

// Refreshed is what every refresh writes on its session.
type Refreshed struct {
	SessionID uuid.UUID
	UserAgent string
	// IP is the client's address, empty if unknown.
	IP string
}

const touchSession = `
	refreshed_at = $2::timestamptz at time zone 'UTC', updated_at = $2::timestamptz,
	user_agent = nullif($4::text, ''), ip = nullif($5::text, '')::inet`

// AdvanceCounter moves a session from one refresh token generation to the
// next. It reports false, and writes nothing, when the session is no longer at
// generation from: another request was faster.
func AdvanceCounter(c *storage.Conn, r Refreshed, from, to int64, sealedKey string, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with changed as (
		update sessions set refresh_token_counter = $7, refresh_token_hmac_key = $8,`+touchSession+`
		 where id = $3 and refresh_token_counter = $6 returning id),`+insertAudit+`
		select 1 from changed limit 1`,
		trail.json(), now, r.SessionID, r.UserAgent, r.IP, from, to, sealedKey)
}

// SwapToken revokes a token of the older kind and inserts its successor. It
// reports false, and writes nothing, when the token was revoked meanwhile.
func SwapToken(c *storage.Conn, r Refreshed, old *RefreshToken, successor string, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with changed as (
		update refresh_tokens set revoked = true, updated_at = $2::timestamptz
		 where id = $6 and not revoked and session_id = $3 returning token, user_id, session_id),
		touched as (update sessions set `+touchSession+` where id = (select session_id from changed)),
		successor as (
		insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id, parent)
		select '`+instanceID+`', $7, user_id, false, $2::timestamptz, $2::timestamptz, session_id, token from changed),`+insertAudit+`
		select 1 from changed limit 1`,
		trail.json(), now, r.SessionID, r.UserAgent, r.IP, old.TokenID, successor)
}

// AddChildToken inserts one more successor of a revoked token: within the
// reuse interval each concurrent caller gets a token of its own.
func AddChildToken(c *storage.Conn, r Refreshed, old *RefreshToken, child string, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with changed as (
		update sessions set `+touchSession+` where id = $3 returning id),
		child as (
		insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id, parent)
		select '`+instanceID+`', $7, $6, false, $2::timestamptz, $2::timestamptz, id, $8 from changed),`+insertAudit+`
		select 1 from changed limit 1`,
		trail.json(), now, r.SessionID, r.UserAgent, r.IP, old.ID.String(), child, old.Token)
}

// TouchSession records a refresh that issued no new refresh token.
func TouchSession(c *storage.Conn, r Refreshed, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with changed as (
		update sessions set `+touchSession+` where id = $3 returning id),`+insertAudit+`
		select 1 from changed limit 1`, trail.json(), now, r.SessionID, r.UserAgent, r.IP)
}

// UpgradeToken turns a session of the older kind into one with a counter
// token: its tokens are revoked and key and counter are set. It reports false
// when the token was used or the session upgraded meanwhile.
func UpgradeToken(c *storage.Conn, r Refreshed, old *RefreshToken, sealedKey string, counter int64, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with changed as (
		update sessions set refresh_token_hmac_key = $7, refresh_token_counter = $8,`+touchSession+`
		 where id = $3 and coalesce(refresh_token_counter, -1) < $8
		   and exists (select from refresh_tokens where id = $6 and not revoked) returning id),
		spent as (update refresh_tokens set revoked = true, updated_at = $2::timestamptz
		 where session_id = (select id from changed) and not revoked),`+insertAudit+`
		select 1 from changed limit 1`,
		trail.json(), now, r.SessionID, r.UserAgent, r.IP, old.TokenID, sealedKey, counter)
}

// RevokeFamily revokes every token of the older kind of a session: the answer
// to a reused token (RFC 9700 §4.14.2).
func RevokeFamily(c *storage.Conn, session uuid.UUID, now time.Time) error {
	_, err := c.Exec(`update refresh_tokens set revoked = true, updated_at = $2::timestamptz
		where session_id = $1 and not revoked`, session, now)
	return err
}

// DeleteSession ends one session: the answer to a reused counter token, or to
// a replayed authorization code (RFC 6749 §4.1.2).
func DeleteSession(c *storage.Conn, session uuid.UUID) error {
	_, err := c.Exec(`delete from sessions where id = $1`, session)
	return err
}

// DeleteRefreshToken removes a token that belongs to no session, a relic.
func DeleteRefreshToken(c *storage.Conn, id int64) error {
	_, err := c.Exec(`delete from refresh_tokens where id = $1`, id)
	return err
}
