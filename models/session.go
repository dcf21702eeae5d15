package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// Authenticator assurance levels of a session.
const (
	AAL1 = "aal1"
	AAL2 = "aal2"
)

// Session is a row of sessions with the methods that made it.
type Session struct {
	ID        uuid.UUID  `json:"id"`
	UserID    uuid.UUID  `json:"user_id"`
	CreatedAt time.Time  `json:"created_at"`
	UpdatedAt time.Time  `json:"updated_at"`
	AAL       string     `json:"aal"`
	NotAfter  *time.Time `json:"not_after"`
	// RefreshedAt is nil before the first refresh.
	RefreshedAt *time.Time `json:"refreshed_at"`
	Tag         string     `json:"tag"`
	// OAuthClientID is set for the session of an OAuth client: a grant.
	OAuthClientID *uuid.UUID `json:"oauth_client_id"`
	// Scopes of a grant, space-separated.
	Scopes string `json:"scopes"`
	// RefreshTokenHMACKey (base64url, possibly sealed) and
	// RefreshTokenCounter exist for counter refresh tokens only.
	RefreshTokenHMACKey string `json:"refresh_token_hmac_key"`
	RefreshTokenCounter *int64 `json:"refresh_token_counter"`
	// AMR are the methods used, newest first.
	AMR []AMRClaim `json:"amr"`
	// ClientActive is false once the client of a grant is deleted.
	ClientActive bool `json:"client_active"`
	// Authentication is that of the user who granted it, nil if not known.
	Authentication *Authentication `json:"authentication"`
}

// AMRClaim is one authentication method of a session, as the amr claim shows
// it (RFC 8176 gives the idea, GoTrue the form).
type AMRClaim struct {
	Method string `json:"method"`
	// Timestamp is the time of last use in Unix seconds.
	Timestamp int64  `json:"timestamp"`
	Provider  string `json:"provider,omitempty"`
}

// Scan reads the JSON that sessionJSON builds; NULL is "no session".
func (s *Session) Scan(src any) error { return storage.ScanJSON(src, s) }

// sessionJSON builds a Session for the table alias s. refreshed_at has no time
// zone in the schema and holds UTC.
const sessionJSON = `
	json_build_object('id', s.id, 'user_id', s.user_id,
		'created_at', coalesce(s.created_at, 'epoch'), 'updated_at', coalesce(s.updated_at, 'epoch'),
		'aal', coalesce(s.aal::text, 'aal1'), 'not_after', s.not_after,
		'refreshed_at', s.refreshed_at at time zone 'UTC', 'tag', coalesce(s.tag, ''),
		'oauth_client_id', s.oauth_client_id, 'scopes', coalesce(s.scopes, ''),
		'refresh_token_hmac_key', coalesce(s.refresh_token_hmac_key, ''),
		'refresh_token_counter', s.refresh_token_counter,
		'client_active', s.oauth_client_id is null or exists (
			select from oauth_clients k where k.id = s.oauth_client_id and k.deleted_at is null),
		'authentication', case when s.oauth_client_id is not null then
			(select ` + authenticationJSON + ` from truegrant_oauth_sessions t where t.session_id = s.id) end,
		'amr', (select coalesce(json_agg(json_build_object('method', m.authentication_method,
			'timestamp', floor(extract(epoch from m.updated_at))::bigint) order by m.updated_at desc), '[]')
			from mfa_amr_claims m where m.session_id = s.id))`

// Account is a user together with one of the user's sessions.
type Account struct {
	User
	// Session is nil when the session asked for does not exist.
	Session *Session `db:"session"`
}

// FindAccount returns a user and, when it exists and is the user's, the
// session: everything a bearer request needs, in one statement.
func FindAccount(c *storage.Conn, userID, sessionID uuid.UUID) (*Account, error) {
	a := new(Account)
	err := c.Get(a, `select `+userWithRelations+`,
		(select `+sessionJSON+` from sessions s where s.id = $2 and s.user_id = u.id) as session
		from users u where u.instance_id = '`+instanceID+`' and u.id = $1`, userID, sessionID)
	return a, err
}

// FindAccountBySession returns a session and its user.
func FindAccountBySession(c *storage.Conn, sessionID uuid.UUID) (*Account, error) {
	a := new(Account)
	err := c.Get(a, `select `+userWithRelations+`, `+sessionJSON+` as session
		from sessions s join users u on u.id = s.user_id where s.id = $1`, sessionID)
	return a, err
}

// NewSession is what a sign-in writes.
type NewSession struct {
	ID     uuid.UUID `json:"id"`
	UserID uuid.UUID `json:"user_id"`
	// Method is the authentication method of the amr claim.
	Method    string `json:"method"`
	UserAgent string `json:"user_agent"`
	// IP is the client's address, empty if unknown.
	IP            string     `json:"ip"`
	OAuthClientID *uuid.UUID `json:"oauth_client_id"`
	Scopes        string     `json:"scopes"`
	// HMACKey selects counter refresh tokens; Token is the first refresh token
	// of the older kind. Exactly one is set.
	HMACKey string    `json:"hmac_key"`
	Token   string    `json:"token"`
	AMRID   uuid.UUID `json:"amr_id"`
}

// insertSession is the common table expressions that write a NewSession given
// as JSON ($3) at a time ($2::timestamptz), once "changed" has a row: the session, its amr
// claim and, for the older kind, its first refresh token.
const insertSession = `new_session as (select * from json_to_record($3)` + insertSessionRows

// insertSecondSession is insertSession with the JSON in $4.
const insertSecondSession = `new_session as (select * from json_to_record($4)` + insertSessionRows

const insertSessionRows = ` as n(id uuid, user_id uuid, method text, user_agent text, ip text,
		oauth_client_id uuid, scopes text, hmac_key text, token text, amr_id uuid)),
insert_session as (
	insert into sessions (id, user_id, created_at, updated_at, aal, user_agent, ip, oauth_client_id,
		scopes, refresh_token_hmac_key, refresh_token_counter)
	select id, user_id, $2::timestamptz, $2::timestamptz, 'aal1', nullif(user_agent, ''), nullif(ip, '')::inet, oauth_client_id,
		nullif(scopes, ''), nullif(hmac_key, ''), case when hmac_key <> '' then 0 end
	  from new_session where exists (select from changed)),
insert_amr as (
	insert into mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
	select amr_id, id, $2::timestamptz, $2::timestamptz, method from new_session where exists (select from changed)),
insert_token as (
	insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id)
	select '` + instanceID + `', token, user_id::text, false, $2::timestamptz, $2::timestamptz, id
	  from new_session where token <> '' and exists (select from changed))`

// StartSession writes a sign-in of an existing user: session, amr claim, first
// refresh token, last_sign_in_at and the audit trail, in one statement.
// ErrNotFound when the user is gone.
func StartSession(c *storage.Conn, s NewSession, trail AuditTrail, now time.Time) error {
	var started uuid.UUID
	return c.Get(&started, `with changed as (
		update users set last_sign_in_at = $2::timestamptz, updated_at = $2::timestamptz
		 where id = $4 and deleted_at is null returning id),`+insertSession+`,`+insertAudit+`
		select id from changed`, trail.json(), now, mustJSON(s), s.UserID)
}

// LogoutScope says which sessions of a user a logout ends.
type LogoutScope string

// The scopes of POST /logout.
const (
	LogoutGlobal LogoutScope = "global"
	LogoutLocal  LogoutScope = "local"
	LogoutOthers LogoutScope = "others"
)

// EndSessions deletes sessions of a user and with them their refresh tokens.
// session is the caller's own; without one (uuid.Nil) all sessions end.
func EndSessions(c *storage.Conn, user, session uuid.UUID, scope LogoutScope, trail AuditTrail, now time.Time) error {
	if session == uuid.Nil {
		scope = LogoutGlobal
	}
	_, err := c.Exec(`with ended as (
		delete from sessions where user_id = $3
		   and case $4::text when 'local' then id = $5 when 'others' then id <> $5 else true end),
		changed as (select 1),`+insertAudit+` select 1`,
		trail.json(), now, user, string(scope), session)
	return err
}

// NewestSession returns the id of the user's most recently used session
// among those that are still valid by notBefore limits and share a tag group
// (GOTRUE_SESSIONS_SINGLE_PER_USER). Grants of OAuth clients do not compete.
func NewestSession(c *storage.Conn, user uuid.UUID, group SessionGroup) (uuid.UUID, error) {
	var newest uuid.UUID
	err := c.Get(&newest, `select s.id from sessions s where s.user_id = $1 and s.oauth_client_id is null
		and (s.not_after is null or s.not_after > $2::timestamptz)
		and ($3::timestamptz is null or s.created_at > $3)
		and ($4::timestamptz is null or coalesce(s.refreshed_at at time zone 'UTC', s.created_at) > $4)
		and case when cardinality($5::text[]) = 0 then true
		         when coalesce(s.tag, '') = any ($5) then s.tag = $6
		         else $5[1] = $6 end
		order by coalesce(s.refreshed_at at time zone 'UTC', s.created_at) desc, s.created_at desc limit 1`,
		user, group.Now, group.CreatedAfter, group.UsedAfter, group.Tags, group.Tag)
	return newest, err
}

// SessionGroup selects the sessions that compete under "single per user".
type SessionGroup struct {
	Now time.Time
	// CreatedAfter and UsedAfter are the oldest times that a time box and an
	// inactivity timeout permit; nil without such a limit.
	CreatedAfter, UsedAfter *time.Time
	// Tags are the configured tags, Tag the group of the session in question.
	Tags []string
	Tag  string
}
