package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// The states of an authorization request.
const (
	AuthorizationPending  = "pending"
	AuthorizationApproved = "approved"
	AuthorizationDenied   = "denied"
	AuthorizationExpired  = "expired"
)

// OAuthAuthorization is a row of oauth_authorizations: an authorization request
// from its arrival until its code is redeemed.
type OAuthAuthorization struct {
	ID uuid.UUID `json:"id"`
	// AuthorizationID is the public handle in the consent URL.
	AuthorizationID string     `json:"authorization_id"`
	ClientID        uuid.UUID  `json:"client_id"`
	UserID          *uuid.UUID `json:"user_id"`
	RedirectURI     string     `json:"redirect_uri"`
	Scope           string     `json:"scope"`
	State           string     `json:"state"`
	Resource        string     `json:"resource"`
	CodeChallenge   string     `json:"code_challenge"`
	// CodeChallengeMethod is "s256" or "plain", '' without PKCE.
	CodeChallengeMethod string    `json:"code_challenge_method"`
	Nonce               string    `json:"nonce"`
	Status              string    `json:"status"`
	CreatedAt           time.Time `json:"created_at"`
	// ExpiresAt ends the request while it is pending and the code afterwards.
	ExpiresAt time.Time `json:"expires_at"`
	// LoginRequest is what the request asks of the login, in the form of package
	// oauth; empty for nothing.
	LoginRequest json.RawMessage `json:"login_request"`
	// Authentication is that of the user who approved, nil before, and for
	// requests that a server approved which did not keep it.
	Authentication *Authentication `json:"authentication"`
}

// Scan reads the JSON that authorizationJSON builds.
func (a *OAuthAuthorization) Scan(src any) error { return storage.ScanJSON(src, a) }

const authorizationJSON = `
	json_build_object('id', a.id, 'authorization_id', a.authorization_id, 'client_id', a.client_id,
		'user_id', a.user_id, 'redirect_uri', a.redirect_uri, 'scope', a.scope,
		'state', coalesce(a.state, ''), 'resource', coalesce(a.resource, ''),
		'code_challenge', coalesce(a.code_challenge, ''),
		'code_challenge_method', coalesce(a.code_challenge_method::text, ''),
		'nonce', coalesce(a.nonce, ''), 'status', a.status,
		'created_at', a.created_at, 'expires_at', a.expires_at,
		'login_request', (select t.login_request from truegrant_oauth_authorizations t where t.authorization_id = a.id),
		'authentication', (select ` + authenticationJSON + ` from truegrant_oauth_authorizations t
			where t.authorization_id = a.id and t.auth_time is not null))`

// InsertOAuthAuthorization stores a pending request.
func InsertOAuthAuthorization(c *storage.Conn, a *OAuthAuthorization) error {
	_, err := c.Exec(`with request as (
		insert into oauth_authorizations (id, authorization_id, client_id, redirect_uri, scope,
			state, resource, code_challenge, code_challenge_method, nonce, created_at, expires_at)
		values ($1, $2, $3, $4, $5, nullif($6, ''), nullif($7, ''), nullif($8, ''),
			nullif($9, '')::code_challenge_method, nullif($10, ''), $11, $12) returning id)
		insert into truegrant_oauth_authorizations (authorization_id, login_request)
		select id, nullif($13::text, '')::jsonb from request where $13::text <> ''`,
		a.ID, a.AuthorizationID, a.ClientID, a.RedirectURI, a.Scope, a.State, a.Resource,
		a.CodeChallenge, a.CodeChallengeMethod, a.Nonce, a.CreatedAt, a.ExpiresAt, string(a.LoginRequest))
	return err
}

// OpenAuthorization is an authorization request as the consent page needs it.
type OpenAuthorization struct {
	Authorization OAuthAuthorization `db:"authorization"`
	Client        OAuthClient        `db:"client"`
	// ConsentedScopes are what the user granted the client before, and
	// still; '' when there is no active consent.
	ConsentedScopes string `db:"consented_scopes"`
}

// FindOpenAuthorization returns a request by its public handle with its client
// and the user's active consent. Requests of deleted clients are not found.
func FindOpenAuthorization(c *storage.Conn, authorizationID string, user uuid.UUID) (*OpenAuthorization, error) {
	o := new(OpenAuthorization)
	err := c.Get(o, `select `+authorizationJSON+` as authorization, `+oauthClientJSON+` as client,
		coalesce((select k.scopes from oauth_consents k
			where k.user_id = $2 and k.client_id = c.id and k.revoked_at is null), '') as consented_scopes
		from oauth_authorizations a join oauth_clients c on c.id = a.client_id and c.deleted_at is null
		where a.authorization_id = $1`, authorizationID, user)
	return o, err
}

// ExpireAuthorization marks a pending request whose time is over.
func ExpireAuthorization(c *storage.Conn, id uuid.UUID, now time.Time) error {
	_, err := c.Exec(`update oauth_authorizations set status = 'expired'
		where id = $1 and status = 'pending' and expires_at <= $2`, id, now)
	return err
}

// Approval is a user's consent to one pending request.
type Approval struct {
	AuthorizationID uuid.UUID
	UserID          uuid.UUID
	ClientID        uuid.UUID
	// CodeDigest is secret.Digest of the authorization code.
	CodeDigest    string
	CodeExpiresAt time.Time
	ConsentID     uuid.UUID
	// Scopes is all that the user has now granted the client, earlier
	// consents included. Empty leaves the consent as it is.
	Scopes string
	// Authentication is how the user had authenticated.
	Authentication Authentication
}

// ApproveAuthorization stores the code of a pending request and the consent in
// one statement. It reports false when the request was decided or expired
// meanwhile.
func ApproveAuthorization(c *storage.Conn, a Approval, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with changed as (
		update oauth_authorizations set status = 'approved', approved_at = $2, user_id = $4,
			authorization_code = $5, expires_at = greatest($6::timestamptz, created_at + interval '1 microsecond')
		 where id = $3 and status = 'pending' and expires_at > $2 returning id),
		consent as (
		insert into oauth_consents (id, user_id, client_id, scopes, granted_at)
		select $7, $4, $8, $9, $2 from changed where $9::text <> ''
		on conflict (user_id, client_id) do update
			set scopes = excluded.scopes, granted_at = excluded.granted_at, revoked_at = null),
		authentication as (
		insert into truegrant_oauth_authorizations (authorization_id, auth_time, acr, amr)
		select id, $10, $11, $12::text[] from changed
		on conflict (authorization_id) do update
			set auth_time = excluded.auth_time, acr = excluded.acr, amr = excluded.amr),`+insertAudit+`
		select 1 from changed limit 1`,
		trail.json(), now, a.AuthorizationID, a.UserID, a.CodeDigest, a.CodeExpiresAt,
		a.ConsentID, a.ClientID, a.Scopes, a.Authentication.Time, a.Authentication.ACR, a.Authentication.AMR)
}

// DenyAuthorization ends a pending request without a code. It reports false
// when the request was decided or expired meanwhile.
func DenyAuthorization(c *storage.Conn, id, user uuid.UUID, now time.Time) (bool, error) {
	n, err := c.Exec(`update oauth_authorizations set status = 'denied', user_id = $2
		where id = $1 and status = 'pending' and expires_at > $3`, id, user, now)
	return n == 1, err
}
