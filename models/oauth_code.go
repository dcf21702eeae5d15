package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// CodeExchange is what a token request with an authorization code depends on
// besides the user.
type CodeExchange struct {
	Client OAuthClient `db:"client"`
	// Authorization is nil when no approved request holds the code.
	Authorization *OAuthAuthorization `db:"authorization"`
	// Spent is set when the code was redeemed before.
	Spent *SpentCode `db:"spent"`
}

// SpentCode is a row of oauth_redeemed_codes: it stays until the code would
// have expired, so that a second use is recognised (RFC 6749 §4.1.2).
type SpentCode struct {
	ClientID  uuid.UUID `json:"client_id"`
	SessionID uuid.UUID `json:"session_id"`
	// AgeMicroseconds is the time since the redemption, on the database's own
	// clock, when the row was read.
	AgeMicroseconds int64 `json:"age"`
}

// RedeemedBefore reports whether the code had been redeemed when a request
// arrived, for certain: waited is the time since then, measured after the row
// was read. Both are durations, so it does not matter what the clocks of
// replicas and database say. A redemption that fell into the moment between
// reading and measuring counts as later.
func (s *SpentCode) RedeemedBefore(waited time.Duration) bool {
	return time.Duration(s.AgeMicroseconds)*time.Microsecond > waited
}

// Scan reads a JSON row; NULL is "not spent".
func (s *SpentCode) Scan(src any) error { return storage.ScanJSON(src, s) }

// FindCodeExchange returns the client with the request that a code (given as
// its digest) belongs to. ErrNotFound when the client is unknown or deleted.
func FindCodeExchange(c *storage.Conn, client uuid.UUID, codeDigest string) (*CodeExchange, error) {
	e := new(CodeExchange)
	err := c.Get(e, `select `+oauthClientJSON+` as client,
		(select `+authorizationJSON+` from oauth_authorizations a
		  where a.authorization_code = $2 and a.status = 'approved') as authorization,
		(select json_build_object('client_id', r.client_id, 'session_id', r.session_id,
			'age', (extract(epoch from clock_timestamp() - r.redeemed_at) * 1000000)::bigint)
		   from oauth_redeemed_codes r where r.code_digest = $2) as spent
		from oauth_clients c where c.id = $1 and c.deleted_at is null`,
		client, codeDigest)
	return e, err
}

// RedeemCode spends an authorization code and starts the session of the grant.
// The request's row goes, as GoTrue has it; a row of spent codes stays. One
// conditional statement: of two concurrent redemptions exactly one gets the
// row. It reports false to the other, or when the code expired or its grant
// was revoked meanwhile.
//
// The consent is locked meanwhile: a revocation comes before, and there is
// nothing to redeem, or after, and finds the session.
//
// The user's last_sign_in_at stays: a client that fetches its tokens is no
// sign-in, and the next ID token's auth_time would be wrong.
func RedeemCode(c *storage.Conn, a *OAuthAuthorization, codeDigest string, s NewSession, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with consent as (
		select from oauth_consents where user_id = $7 and client_id = $5 and revoked_at is null for share),
		changed as (
		delete from oauth_authorizations
		 where authorization_code = $4 and client_id = $5 and status = 'approved' and expires_at > $2::timestamptz
		   and exists (select from consent)
		returning id, expires_at),
		authentication as (
		insert into truegrant_oauth_sessions (session_id, auth_time, acr, amr)
		select $6, t.auth_time, t.acr, t.amr from truegrant_oauth_authorizations t
		 where t.authorization_id = (select id from changed) and t.auth_time is not null),
		spent as (
		insert into oauth_redeemed_codes (code_digest, client_id, session_id, redeemed_at, expires_at)
		select $4, $5, $6, clock_timestamp(), expires_at from changed),`+insertSession+`,`+insertAudit+`
		select 1 from changed limit 1`,
		trail.json(), now, mustJSON(s), codeDigest, a.ClientID, s.ID, s.UserID)
}

// SweepAuthorizations removes requests and spent codes whose time is over by
// more than a grace period, a bounded number at a time. It returns how many.
func SweepAuthorizations(c *storage.Conn, before time.Time) (int64, error) {
	requests, err := c.Exec(`delete from oauth_authorizations where id in (
		select id from oauth_authorizations where expires_at < $1 limit $2 for update skip locked)`, before, sweepRows)
	if err != nil {
		return 0, err
	}
	codes, err := c.Exec(`delete from oauth_redeemed_codes where code_digest in (
		select code_digest from oauth_redeemed_codes where expires_at < $1 limit $2 for update skip locked)`, before, sweepRows)
	return requests + codes, err
}

// sweepLock is the key of the advisory lock under which one replica sweeps.
const sweepLock = 0x7472756567726e74 // "truegrnt"

// TrySweepLock takes the janitor's lock until the end of the transaction. It
// reports false when another replica holds it.
func TrySweepLock(tx *storage.Conn) (bool, error) {
	var locked bool
	err := tx.Get(&locked, `select pg_try_advisory_xact_lock($1)`, int64(sweepLock))
	return locked, err
}
