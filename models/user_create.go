package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// NewUser is the row that a sign-up or an administrator writes.
type NewUser struct {
	ID                uuid.UUID       `json:"id"`
	Aud               string          `json:"aud"`
	Role              string          `json:"role"`
	Email             string          `json:"email"`
	Phone             string          `json:"phone"`
	EncryptedPassword string          `json:"encrypted_password"`
	AppMetadata       json.RawMessage `json:"app_metadata"`
	UserMetadata      json.RawMessage `json:"user_metadata"`
	EmailConfirmedAt  *time.Time      `json:"email_confirmed_at"`
	PhoneConfirmedAt  *time.Time      `json:"phone_confirmed_at"`
	InvitedAt         *time.Time      `json:"invited_at"`
	LastSignInAt      *time.Time      `json:"last_sign_in_at"`
	BannedUntil       *time.Time      `json:"banned_until"`
	IsAnonymous       bool            `json:"is_anonymous"`
	// AskedMetadata is what the app asked to remember, before the claims of
	// identities joined it in UserMetadata; nil where it is the same. It is not
	// stored.
	AskedMetadata json.RawMessage `json:"-"`
	// ConfirmationToken is the hash of the code mailed for confirmation;
	// ConfirmationTokenID the row of one_time_tokens that mirrors it.
	ConfirmationToken   string     `json:"confirmation_token"`
	ConfirmationTokenID *uuid.UUID `json:"confirmation_token_id"`
	ConfirmationSentAt  *time.Time `json:"confirmation_sent_at"`

	Identities []NewIdentity `json:"identities"`
}

// NewIdentity is an identity of a NewUser.
type NewIdentity struct {
	ID           uuid.UUID      `json:"id"`
	Provider     string         `json:"provider"`
	ProviderID   string         `json:"provider_id"`
	IdentityData map[string]any `json:"identity_data"`
}

// insertUser is the common table expressions that write a NewUser given as
// JSON ($3) at a time ($2::timestamptz): "changed" is the user's row.
const insertUser = `
new_user as (
	select * from json_to_record($3) as n(id uuid, aud text, role text, email text, phone text,
		encrypted_password text, app_metadata jsonb, user_metadata jsonb, email_confirmed_at timestamptz,
		phone_confirmed_at timestamptz, invited_at timestamptz, last_sign_in_at timestamptz,
		banned_until timestamptz, is_anonymous bool, confirmation_token text, confirmation_token_id uuid,
		confirmation_sent_at timestamptz, identities json)),
changed as (
	insert into users (instance_id, id, aud, role, email, phone, encrypted_password,
		raw_app_meta_data, raw_user_meta_data, email_confirmed_at, phone_confirmed_at, invited_at,
		last_sign_in_at, banned_until, is_anonymous, confirmation_token, confirmation_sent_at,
		recovery_token, email_change_token_new, email_change, created_at, updated_at)
	select '` + instanceID + `', id, aud, role, nullif(email, ''), nullif(phone, ''), encrypted_password,
		app_metadata, user_metadata, email_confirmed_at, phone_confirmed_at, invited_at,
		last_sign_in_at, banned_until, is_anonymous, confirmation_token, confirmation_sent_at,
		'', '', '', $2::timestamptz, $2::timestamptz from new_user returning *),
insert_identities as (
	insert into identities (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at)
	select i.id, n.id, i.provider, i.provider_id, i.identity_data, $2::timestamptz, $2::timestamptz, $2::timestamptz
	  from new_user n, json_to_recordset(n.identities)
		as i(id uuid, provider text, provider_id text, identity_data jsonb) returning *),
insert_confirmation as (
	insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
	select confirmation_token_id, id, 'confirmation_token', confirmation_token,
		coalesce(nullif(email, ''), phone), $2::timestamptz at time zone 'UTC', $2::timestamptz at time zone 'UTC'
	  from new_user where confirmation_token <> '')`

// insertedUser reads the new rows back, generated columns included.
const insertedUser = userColumns + `, '[]' as factors,
	(select coalesce(json_agg(json_build_object('id', i.id, 'provider_id', i.provider_id,
		'user_id', i.user_id, 'identity_data', i.identity_data, 'provider', i.provider,
		'last_sign_in_at', i.last_sign_in_at, 'created_at', i.created_at,
		'updated_at', i.updated_at, 'email', coalesce(i.email, ''))), '[]')
	   from insert_identities i) as identities from changed u`

// CreateUser writes a user with identities and the audit trail in one
// statement and returns the rows. A ConstraintError tells which key is taken.
func CreateUser(c *storage.Conn, n NewUser, trail AuditTrail, now time.Time) (*User, error) {
	u := new(User)
	err := c.Get(u, `with `+insertUser+`,`+insertAudit+` select `+insertedUser,
		trail.json(), now, mustJSON(n))
	return u, err
}

// CreateUserWithSession is CreateUser for a sign-up that signs in at once.
func CreateUserWithSession(c *storage.Conn, n NewUser, s NewSession, trail AuditTrail, now time.Time) (*User, error) {
	u := new(User)
	err := c.Get(u, `with `+insertUser+`,`+insertSecondSession+`,`+insertAudit+` select `+insertedUser,
		trail.json(), now, mustJSON(n), mustJSON(s))
	return u, err
}

// WithdrawUser removes a user together with the flow of the confirmation, if the
// row is still as it was created: with the hash of the code that confirms it,
// and touched by nobody since.
func WithdrawUser(c *storage.Conn, u *User, hash string) error {
	_, err := c.Exec(`with changed as (
		delete from users where id = $1 and confirmation_token = $2 and updated_at = $3 returning id)
		delete from flow_state where user_id in (select id from changed)`, u.ID, hash, u.UpdatedAt)
	return err
}
