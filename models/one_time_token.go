package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// OneTimeType is the kind of a code or link: the name of the users column that
// holds its hash, and of its row in one_time_tokens.
type OneTimeType string

// The kinds of codes.
const (
	// ConfirmationToken confirms the address of a sign-up or an invitation, and
	// signs a user in by phone.
	ConfirmationToken OneTimeType = "confirmation_token"
	// RecoveryToken signs a user in by mail: a forgotten password, a magic link.
	RecoveryToken OneTimeType = "recovery_token"
	// ReauthenticationToken is the nonce of a change of password.
	ReauthenticationToken OneTimeType = "reauthentication_token"
	// EmailChangeNewToken and EmailChangeCurrentToken confirm a change of
	// address: from the new one, and from the present one.
	EmailChangeNewToken     OneTimeType = "email_change_token_new"
	EmailChangeCurrentToken OneTimeType = "email_change_token_current"
	// PhoneChangeToken confirms a new phone number.
	PhoneChangeToken OneTimeType = "phone_change_token"
)

// EmailChange reports whether the code confirms a change of address.
func (t OneTimeType) EmailChange() bool {
	return t == EmailChangeNewToken || t == EmailChangeCurrentToken
}

// sentColumn is the users column that says when the last code was sent.
func (t OneTimeType) sentColumn() string {
	switch t {
	case RecoveryToken:
		return "recovery_sent_at"
	case ReauthenticationToken:
		return "reauthentication_sent_at"
	case EmailChangeNewToken, EmailChangeCurrentToken:
		return "email_change_sent_at"
	case PhoneChangeToken:
		return "phone_change_sent_at"
	}
	return "confirmation_sent_at"
}

// SentAt is when the user was last sent a code of a kind, nil if never.
func (u *User) SentAt(t OneTimeType) *time.Time {
	switch t {
	case RecoveryToken:
		return u.RecoverySentAt
	case ReauthenticationToken:
		return u.ReauthenticationSentAt
	case EmailChangeNewToken, EmailChangeCurrentToken:
		return u.EmailChangeSentAt
	case PhoneChangeToken:
		return u.PhoneChangeSentAt
	}
	return u.ConfirmationSentAt
}

// MarkSent sets SentAt, as SetOneTimeToken writes it.
func (u *User) MarkSent(t OneTimeType, at time.Time) {
	switch t {
	case RecoveryToken:
		u.RecoverySentAt = &at
	case ReauthenticationToken:
		u.ReauthenticationSentAt = &at
	case EmailChangeNewToken, EmailChangeCurrentToken:
		u.EmailChangeSentAt = &at
	case PhoneChangeToken:
		u.PhoneChangeSentAt = &at
	default:
		u.ConfirmationSentAt = &at
	}
	u.UpdatedAt = at
}

// PKCEPrefix marks the hash of a link that leads to a code, not to tokens.
const PKCEPrefix = "pkce_"

// OneTimeToken is a code for the address of a user, as it is stored.
type OneTimeToken struct {
	Type   OneTimeType
	UserID uuid.UUID
	// ID is the row's id.
	ID uuid.UUID
	// Hash is secret.OneTimeHash of address and code.
	Hash string
	// Address is where the code was sent; ByPhone tells that it is a number.
	Address string
	ByPhone bool
	// Flow is what the link continues, nil outside the PKCE flow.
	Flow *NewFlow
	// Invitation marks the user as invited by it.
	Invitation bool
	// Throttled makes the token depend on LastSent, when the user was sent a
	// code before: of requests at the same moment only one is to send a mail.
	Throttled bool
	LastSent  *time.Time
	// OnlyPending refuses to begin a change of phone number: there must be one to
	// Address whose code a new password has not ended.
	OnlyPending bool
}

// InFlow returns the token as part of a flow: its link leads the app to the
// flow's code.
func (n OneTimeToken) InFlow(flow NewFlow) OneTimeToken {
	n.Hash = PKCEPrefix + n.Hash
	n.Flow = &flow
	return n
}

// write are the assignments to the user's row that store the code.
func (n OneTimeToken) write() string {
	if n.Type == PhoneChangeToken {
		return `phone_change = $7, phone_change_token = $3`
	}
	return string(n.Type) + ` = $3`
}

// condition is what still has to be true of the user for the code to make
// sense.
func (n OneTimeToken) condition() string {
	switch {
	case n.Type == PhoneChangeToken && n.OnlyPending:
		return `phone_change = $7 and phone_change_token <> ''`
	case n.Type == PhoneChangeToken:
		return `true`
	case n.ByPhone:
		return `phone = $7`
	}
	return `($8 <> 'confirmation_token' or email_confirmed_at is null)`
}

// SetOneTimeToken stores a new code for the address of a user, with its flow;
// an earlier one of the kind dies. ErrNotFound when the user is gone, when an
// address to confirm has been confirmed or changed meanwhile, or when another
// request of the moment has sent a code.
func SetOneTimeToken(c *storage.Conn, n OneTimeToken, trail AuditTrail, now time.Time) error {
	var id uuid.UUID
	return c.Get(&id, `with changed as (
		update users set `+n.write()+`, `+n.Type.sentColumn()+` = $2::timestamptz, updated_at = $2::timestamptz,
			invited_at = case when $9 then $2::timestamptz else invited_at end
		 where id = $5 and `+n.condition()+`
		   and (not $10 or `+n.Type.sentColumn()+` is not distinct from $11::timestamptz) returning id),
		token as (
		insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
		select $6, id, $8::one_time_token_type, $3, $7, $2::timestamptz at time zone 'UTC', $2::timestamptz at time zone 'UTC' from changed
		on conflict (user_id, token_type) do update
			set token_hash = excluded.token_hash, relates_to = excluded.relates_to, updated_at = excluded.updated_at),
		`+insertFlow+`,`+insertAudit+` select id from changed`,
		trail.json(), now, n.Hash, n.Flow.json(), n.UserID, n.ID, n.Address, string(n.Type), n.Invitation,
		n.Throttled, n.LastSent)
}

// ForgetOneTimeToken undoes the time of a code that could not be sent,
// so that the user may ask again at once.
func ForgetOneTimeToken(c *storage.Conn, user uuid.UUID, t OneTimeType, hash string) error {
	_, err := c.Exec(`update users set `+t.sentColumn()+` = null
		where id = $1 and `+string(t)+` = $2`, user, hash)
	return err
}

// PendingUser is a user with the kind of code that was found pending.
type PendingUser struct {
	User
	Type OneTimeType `db:"pending_type"`
}

// FindUserByLink returns the user whom a link of one of the kinds was sent to.
// The code of a text makes no link, though it shares a column: whoever reads
// the phone must not confirm the e-mail address.
func FindUserByLink(c *storage.Conn, kinds []OneTimeType, hash string) (*PendingUser, error) {
	u := new(PendingUser)
	err := c.Get(u, `select `+userWithRelations+`, t.token_type::text as pending_type
		from one_time_tokens t join users u on u.id = t.user_id
		where t.token_hash = $1 and t.token_type::text = any ($2)
		  and case t.token_type when 'recovery_token' then u.recovery_token
		      when 'confirmation_token' then u.confirmation_token
		      when 'email_change_token_new' then u.email_change_token_new
		      when 'email_change_token_current' then u.email_change_token_current end = $1
		  and (t.token_type <> 'confirmation_token' or t.relates_to = lower(u.email))
		limit 1`, hash, kinds)
	return u, err
}

// PendingType returns which of the kinds one of the hashes is pending for, empty
// if none.
func PendingType(c *storage.Conn, user uuid.UUID, kinds []OneTimeType, hashes []string) (OneTimeType, error) {
	var found OneTimeType
	err := c.Get(&found, `select case
		when 'confirmation_token' = any ($2) and confirmation_token = any ($3) and confirmation_token <> '' then 'confirmation_token'
		when 'recovery_token' = any ($2) and recovery_token = any ($3) and recovery_token <> '' then 'recovery_token'
		when 'reauthentication_token' = any ($2) and reauthentication_token = any ($3) and reauthentication_token <> ''
			then 'reauthentication_token'
		else '' end from users where id = $1`, user, kinds, hashes)
	return found, err
}

// confirmAddress are the assignments that confirm the address of a users row
// at a time ($2), if it is not confirmed yet.
const confirmAddress = `email_confirmed_at = coalesce(email_confirmed_at, $2::timestamptz),
			raw_user_meta_data = case when email_confirmed_at is not null then raw_user_meta_data
				else coalesce(nullif(raw_user_meta_data, 'null'), '{}') || '{"email_verified": true}' end`

// confirmRelations are the common table expressions that go with it, for the
// id and email that "changed" returns: the identities that carry an address
// that was not confirmed before are verified (a statement still sees the row as
// it was), and every pending code of the user dies.
const confirmRelations = `
		identity as (update identities set updated_at = $2::timestamptz,
			identity_data = identity_data || '{"email_verified": true}'
		 where user_id = (select id from changed) and identities.email = (select lower(email) from changed)
		   and exists (select from users before where before.id = identities.user_id and before.email_confirmed_at is null)),
		` + clearCodes

// clearCodes is the common table expression that ends every link of the user
// whom "changed" returns.
const clearCodes = `cleared as (delete from one_time_tokens where user_id = (select id from changed))`

// confirmPhone are the assignments that confirm the phone number of a users row
// at a time ($2). Identities do not tell whether a sign-up by phone is
// confirmed.
const confirmPhone = `phone_confirmed_at = coalesce(phone_confirmed_at, $2::timestamptz), is_anonymous = false`

// Redemption is a code that comes back.
type Redemption struct {
	UserID uuid.UUID
	Type   OneTimeType
	// Hashes are the forms in which the code may be stored.
	Hashes []string
	// PasswordHash is given to a user who has none, '' otherwise.
	PasswordHash string
	// Phone is the number that the code was sent to, '' for an e-mail address.
	Phone string
	// Fixed tells that the code is that of a test phone, which needs no row.
	Fixed bool
}

// RedeemOneTimeToken spends a code and signs the user in: the address is
// confirmed, on the user and on the identities that carry it, every pending
// code of the user dies, and the session starts, in one conditional statement.
// Of two concurrent requests with one code exactly one gets true.
func RedeemOneTimeToken(c *storage.Conn, n Redemption, s NewSession, trail AuditTrail, now time.Time) (bool, error) {
	column := string(n.Type)
	confirm, relations := confirmAddress, confirmRelations
	if n.Phone != "" {
		confirm, relations = confirmPhone, clearCodes
	}
	return applied(c, `with changed as (
		update users set `+column+` = '', `+confirm+`,
			encrypted_password = coalesce(nullif($6::text, ''), encrypted_password),
			last_sign_in_at = $2::timestamptz, updated_at = $2::timestamptz
		 where id = $4 and ($7 or `+column+` = any ($5) and `+column+` <> '')
		   and ($8 = '' or phone = $8) returning id, email),`+
		relations+`,`+insertSession+`,`+insertAudit+` select 1 from changed limit 1`,
		trail.json(), now, mustJSON(s), n.UserID, n.Hashes, n.PasswordHash, n.Fixed, n.Phone)
}
