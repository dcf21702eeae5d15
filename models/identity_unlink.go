package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// LinkedUser is a user whose identities are about to change.
type LinkedUser struct {
	User
	// Taken are the addresses of the identities that another user has too.
	Taken Texts `db:"taken"`
}

// LockLinkedUser returns a user and keeps others who change the user's
// identities this way waiting until the transaction ends. ErrNotFound when the
// user is gone.
func LockLinkedUser(tx *storage.Conn, id uuid.UUID) (*LinkedUser, error) {
	if err := lockUser(tx, id); err != nil {
		return nil, err
	}
	u := new(LinkedUser)
	err := tx.Get(u, `select `+userWithRelations+`,
		(select coalesce(json_agg(distinct e.email), '[]') from identities e
		  where e.user_id = u.id and e.email <> '' and `+emailTaken("e.email", "u.aud", "u.id")+`) as taken
		from users u where u.instance_id = '`+instanceID+`' and u.id = $1`, id)
	return u, err
}

// Unlinking is the end of an identity, with what follows for the user.
type Unlinking struct {
	UserID   uuid.UUID
	Identity Identity
	// AppData are the providers that remain, as members of the metadata.
	AppData map[string]any
	// DropPhone takes the phone number from the user.
	DropPhone bool
	// MoveEmail makes Email the user's address, '' for none. What is pending for
	// the old one dies.
	MoveEmail bool
	Email     string
	// Unconfirm makes the new address one that is not confirmed.
	Unconfirm bool
}

// UnlinkIdentity removes an identity. ErrNotFound when it is gone; a
// ConstraintError tells that the new address is another user's.
func UnlinkIdentity(tx *storage.Conn, n Unlinking, trail AuditTrail, now time.Time) error {
	var unlinked uuid.UUID
	return tx.Get(&unlinked, unlinkStatement, trail.json(), now, n.UserID, n.Identity.ID, mustJSON(n.AppData),
		n.DropPhone, n.MoveEmail, n.Email, n.Unconfirm)
}

const unlinkStatement = `with
unlinked as (delete from identities where id = $4 and user_id = $3 returning user_id),
changed as (
	update users u set
		phone = case when $6 then null else u.phone end,
		phone_confirmed_at = case when $6 then null else u.phone_confirmed_at end,
		email = case when $7 then nullif($8::text, '') else u.email end,
		email_confirmed_at = case when $9 then null else u.email_confirmed_at end,
		confirmation_token = case when $7 then '' else u.confirmation_token end,
		confirmation_sent_at = case when $7 then null else u.confirmation_sent_at end,
		recovery_token = case when $7 then '' else u.recovery_token end,
		recovery_sent_at = case when $7 then null else u.recovery_sent_at end,
		email_change = case when $7 then '' else u.email_change end,
		email_change_token_new = case when $7 then '' else u.email_change_token_new end,
		email_change_token_current = case when $7 then '' else u.email_change_token_current end,
		email_change_sent_at = case when $7 then null else u.email_change_sent_at end,
		email_change_confirm_status = case when $7 then 0 else u.email_change_confirm_status end,
		phone_change = case when $7 then '' else u.phone_change end,
		phone_change_token = case when $7 then '' else u.phone_change_token end,
		phone_change_sent_at = case when $7 then null else u.phone_change_sent_at end,
		reauthentication_token = case when $7 then '' else u.reauthentication_token end,
		reauthentication_sent_at = case when $7 then null else u.reauthentication_sent_at end,
		raw_app_meta_data = coalesce(nullif(u.raw_app_meta_data, 'null'), '{}') || $5::jsonb,
		raw_user_meta_data = coalesce(nullif(u.raw_user_meta_data, 'null'), '{}')
			|| case when $9 then '{"email_verified": false}' else '{}' end::jsonb,
		updated_at = $2::timestamptz
	  from unlinked where u.id = unlinked.user_id returning u.id),
cleared as (delete from one_time_tokens where $7 and user_id = (select id from changed)),` + insertAudit + `
select id from changed`
