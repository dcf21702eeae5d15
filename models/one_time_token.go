package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// OneTimeType is the kind of a code or link: the name of the users column that
// holds its hash, and of its row in one_time_tokens.
type OneTimeType string

// ConfirmationToken confirms the address of a sign-up.
const ConfirmationToken OneTimeType = "confirmation_token"

// PKCEPrefix marks the hash of a link that leads to a code, not to tokens.
const PKCEPrefix = "pkce_"

// Confirmation is a code for the address of a user, as it is stored.
type Confirmation struct {
	UserID uuid.UUID
	// ID is the row's id.
	ID uuid.UUID
	// Hash is secret.OneTimeHash of address and code.
	Hash string
	// Address is where the code was sent.
	Address string
	// Flow is what the link continues, nil outside the PKCE flow.
	Flow *NewFlow
}

// InFlow returns the confirmation as part of a flow: its link leads the app to
// the flow's code.
func (n Confirmation) InFlow(flow NewFlow) Confirmation {
	n.Hash = PKCEPrefix + n.Hash
	n.Flow = &flow
	return n
}

// SetConfirmation stores a new code for the address of a user, with its flow;
// an earlier one dies.
func SetConfirmation(c *storage.Conn, n Confirmation, trail AuditTrail, now time.Time) error {
	var id uuid.UUID
	return c.Get(&id, `with changed as (
		update users set confirmation_token = $3, confirmation_sent_at = $2, updated_at = $2
		 where id = $5 and email_confirmed_at is null returning id),
		token as (
		insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
		select $6, id, 'confirmation_token', $3, $7, $2::timestamptz at time zone 'UTC', $2::timestamptz at time zone 'UTC' from changed
		on conflict (user_id, token_type) do update
			set token_hash = excluded.token_hash, relates_to = excluded.relates_to, updated_at = excluded.updated_at),
		`+insertFlow+`,`+insertAudit+` select id from changed`,
		trail.json(), now, n.Hash, n.Flow.json(), n.UserID, n.ID, n.Address)
}

// ForgetConfirmation undoes the time of a code whose mail could not be sent,
// so that the user may ask again at once.
func ForgetConfirmation(c *storage.Conn, user uuid.UUID, hash string) error {
	_, err := c.Exec(`update users set confirmation_sent_at = null
		where id = $1 and confirmation_token = $2`, user, hash)
	return err
}

// FindUserByConfirmation returns the user a confirmation link was sent to.
func FindUserByConfirmation(c *storage.Conn, hash string) (*User, error) {
	u := new(User)
	err := c.Get(u, `select `+userWithRelations+` from one_time_tokens t join users u on u.id = t.user_id
		where t.token_type = 'confirmation_token' and t.token_hash = $1 and u.confirmation_token = $1`, hash)
	return u, err
}

// HoldsConfirmation reports whether one of the hashes is the user's pending
// confirmation.
func HoldsConfirmation(c *storage.Conn, user uuid.UUID, hashes []string) (bool, error) {
	var holds bool
	err := c.Get(&holds, `select exists (select from users
		where id = $1 and confirmation_token = any ($2) and confirmation_token <> '')`, user, hashes)
	return holds, err
}

// confirmAddress are the assignments that confirm the address of a users row
// at a time ($2) and spend the confirmation.
const confirmAddress = `confirmation_token = '', email_confirmed_at = coalesce(email_confirmed_at, $2::timestamptz),
			raw_user_meta_data = coalesce(nullif(raw_user_meta_data, 'null'), '{}') || '{"email_verified": true}'`

// confirmRelations are the common table expressions that go with it, for the
// id and email that "changed" returns: the identities that carry the address
// are verified, and every pending code of the user dies.
const confirmRelations = `
		identity as (update identities set updated_at = $2::timestamptz,
			identity_data = identity_data || '{"email_verified": true}'
		 where user_id = (select id from changed) and identities.email = (select lower(email) from changed)),
		cleared as (delete from one_time_tokens where user_id = (select id from changed))`

// RedeemConfirmation spends a confirmation and signs the user in: the address
// is confirmed, on the user and on the identities that carry it, every pending
// code of the user dies, and the session starts, in one conditional statement.
// Of two concurrent requests with one code exactly one gets true.
func RedeemConfirmation(c *storage.Conn, user *User, hashes []string, s NewSession, trail AuditTrail, now time.Time) (bool, error) {
	var redeemed int64
	err := c.Get(&redeemed, `with changed as (
		update users set `+confirmAddress+`, last_sign_in_at = $2::timestamptz, updated_at = $2::timestamptz
		 where id = $4 and confirmation_token = any ($5) and confirmation_token <> '' returning id, email),`+
		confirmRelations+`,`+insertSession+`,`+insertAudit+` select count(*) from changed`,
		trail.json(), now, mustJSON(s), user.ID, hashes)
	return redeemed == 1, err
}
