package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// OAuthGrant is an active consent with the client it was given to.
type OAuthGrant struct {
	ClientID      uuid.UUID `db:"client_id"`
	ClientName    string    `db:"client_name"`
	ClientURI     string    `db:"client_uri"`
	ClientLogoURI string    `db:"logo_uri"`
	// Scopes are space-separated.
	Scopes    string    `db:"scopes"`
	GrantedAt time.Time `db:"granted_at"`
}

// ListOAuthGrants returns the active consents of a user, newest first.
func ListOAuthGrants(c *storage.Conn, user uuid.UUID) ([]OAuthGrant, error) {
	grants := []OAuthGrant{}
	err := c.Select(&grants, `select k.client_id, coalesce(c.client_name, '') as client_name,
		coalesce(c.client_uri, '') as client_uri, coalesce(c.logo_uri, '') as logo_uri,
		k.scopes, k.granted_at
		from oauth_consents k join oauth_clients c on c.id = k.client_id and c.deleted_at is null
		where k.user_id = $1 and k.revoked_at is null order by k.granted_at desc`, user)
	return grants, err
}

// RevokeOAuthGrant ends a user's consent to a client, the sessions the client
// holds for the user and any code it has not redeemed yet. ErrNotFound when
// there is no active consent.
//
// It takes a transaction for two statements: the second sees what a redemption
// brought that the first had to wait for, see RedeemCode.
func RevokeOAuthGrant(tx *storage.Conn, user, client uuid.UUID, trail AuditTrail, now time.Time) error {
	var revoked uuid.UUID
	err := tx.Get(&revoked, `with changed as (
		update oauth_consents set revoked_at = greatest($2::timestamptz, granted_at)
		 where user_id = $3 and client_id = $4 and revoked_at is null returning id),`+insertAudit+`
		select id from changed`, trail.json(), now, user, client)
	if err != nil {
		return err
	}
	_, err = tx.Exec(`with dropped as (
		delete from oauth_authorizations where user_id = $1 and client_id = $2)
		delete from sessions where user_id = $1 and oauth_client_id = $2`, user, client)
	return err
}
