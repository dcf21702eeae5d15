package models

import (
	"errors"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// concealed replaces a value of the user u by a digest that is the same
// whenever the same user had the same value: unpadded base64url of SHA-256 over
// the user's id and the value, 43 characters, for an empty value too.
func concealed(value string) string {
	return `translate(encode(sha256(convert_to(u.id::text || ` + value + `, 'UTF8')), 'base64'), '+/=', '-_')`
}

// SoftDeleteUser keeps the row of a user, so that what refers to it stays
// valid, and takes everything from it that tells who it was or lets anybody
// sign in: addresses and identities become digests, metadata, password, codes,
// sessions, factors and passkeys go. A user who is gone or deleted already
// stays as it is.
func SoftDeleteUser(c *storage.Conn, id uuid.UUID, trail AuditTrail, now time.Time) error {
	var deleted uuid.UUID
	err := c.Get(&deleted, softDeleteStatement(), trail.json(), now, id)
	if errors.Is(err, storage.ErrNotFound) {
		return nil
	}
	return err
}

func softDeleteStatement() string {
	return `with changed as (
	update users u set
		email = ` + concealed(`coalesce(u.email, '')`) + `,
		phone = left(` + concealed(`coalesce(u.phone, '')`) + `, 15),
		email_change = ` + concealed(`coalesce(u.email_change, '')`) + `,
		phone_change = left(` + concealed(`coalesce(u.phone_change, '')`) + `, 15),
		encrypted_password = null, raw_app_meta_data = '{}', raw_user_meta_data = '{}',
		confirmation_token = '', recovery_token = '', email_change_token_new = '',
		email_change_token_current = '', phone_change_token = '', reauthentication_token = '',
		deleted_at = $2::timestamptz, updated_at = $2::timestamptz
	 where u.id = $3 and u.instance_id = '` + instanceID + `' and u.deleted_at is null returning u.id),
concealed_identities as (
	update identities i set identity_data = '{}',
		provider_id = ` + concealed(`i.provider || ':' || i.provider_id`) + `, updated_at = $2::timestamptz
	  from changed u where i.user_id = u.id),
deleted_tokens as (delete from one_time_tokens where user_id = (select id from changed)),
deleted_factors as (delete from mfa_factors where user_id = (select id from changed)),
deleted_codes as (delete from truegrant_mfa_recovery_codes where user_id = (select id from changed)),
deleted_passkeys as (delete from webauthn_credentials where user_id = (select id from changed)),
deleted_sessions as (delete from sessions where user_id = (select id from changed)),` + insertAudit + `
select id from changed`
}
