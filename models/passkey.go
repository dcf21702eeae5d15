package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// AuditPasskeyDeleted tells of a passkey that was removed.
const AuditPasskeyDeleted AuditAction = "passkey_deleted"

// Passkey is a user's discoverable WebAuthn credential.
type Passkey struct {
	ID           uuid.UUID  `db:"id"`
	FriendlyName string     `db:"friendly_name"`
	CreatedAt    time.Time  `db:"created_at"`
	LastUsedAt   *time.Time `db:"last_used_at"`
}

// ListPasskeys returns a user's passkeys, oldest first.
func ListPasskeys(c *storage.Conn, user uuid.UUID) ([]Passkey, error) {
	var passkeys []Passkey
	err := c.Select(&passkeys, `select id, friendly_name, created_at, last_used_at
		from webauthn_credentials where user_id = $1 order by created_at, id`, user)
	return passkeys, err
}

// DeletePasskey removes a user's passkey; ErrNotFound when there is none.
func DeletePasskey(c *storage.Conn, user, passkey uuid.UUID, trail AuditTrail, now time.Time) error {
	var id uuid.UUID
	return c.Get(&id, `with changed as (
		delete from webauthn_credentials where id = $3 and user_id = $4 returning id),`+insertAudit+`
		select id from changed`, trail.json(), now, passkey, user)
}
