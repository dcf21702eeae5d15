package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// instanceID is the constant of the instance_id columns, a relic on which
// GoTrue's look-ups still filter.
const instanceID = "00000000-0000-0000-0000-000000000000"

// User is a row of users with its identities and factors.
type User struct {
	ID                     uuid.UUID  `db:"id"`
	Aud                    string     `db:"aud"`
	Role                   string     `db:"role"`
	Email                  string     `db:"email"`
	Phone                  string     `db:"phone"`
	EncryptedPassword      string     `db:"encrypted_password"`
	EmailConfirmedAt       *time.Time `db:"email_confirmed_at"`
	PhoneConfirmedAt       *time.Time `db:"phone_confirmed_at"`
	ConfirmedAt            *time.Time `db:"confirmed_at"`
	InvitedAt              *time.Time `db:"invited_at"`
	ConfirmationSentAt     *time.Time `db:"confirmation_sent_at"`
	RecoverySentAt         *time.Time `db:"recovery_sent_at"`
	EmailChange            string     `db:"email_change"`
	EmailChangeSentAt      *time.Time `db:"email_change_sent_at"`
	PhoneChange            string     `db:"phone_change"`
	PhoneChangeSentAt      *time.Time `db:"phone_change_sent_at"`
	ReauthenticationSentAt *time.Time `db:"reauthentication_sent_at"`
	LastSignInAt           *time.Time `db:"last_sign_in_at"`
	BannedUntil            *time.Time `db:"banned_until"`
	DeletedAt              *time.Time `db:"deleted_at"`
	CreatedAt              time.Time  `db:"created_at"`
	UpdatedAt              time.Time  `db:"updated_at"`
	IsSSOUser              bool       `db:"is_sso_user"`
	IsAnonymous            bool       `db:"is_anonymous"`
	// AppMetadata and UserMetadata are JSON objects.
	AppMetadata  json.RawMessage `db:"raw_app_meta_data"`
	UserMetadata json.RawMessage `db:"raw_user_meta_data"`

	Identities Identities `db:"identities"`
	Factors    Factors    `db:"factors"`
}

// TableName is the table of the model.
func (User) TableName() string { return "users" }

// userColumns are the columns of User for the table alias u, with the relics
// of NULL turned into zero values. '{}' stands for metadata that is SQL NULL or
// JSON null, as rows made by old tools are.
const userColumns = `
	u.id, coalesce(u.aud, '') as aud, coalesce(u.role, '') as role,
	coalesce(u.email, '') as email, coalesce(u.phone, '') as phone,
	coalesce(u.encrypted_password, '') as encrypted_password,
	u.email_confirmed_at, u.phone_confirmed_at, u.confirmed_at, u.invited_at,
	u.confirmation_sent_at, u.recovery_sent_at,
	coalesce(u.email_change, '') as email_change, u.email_change_sent_at,
	coalesce(u.phone_change, '') as phone_change, u.phone_change_sent_at,
	u.reauthentication_sent_at, u.last_sign_in_at, u.banned_until, u.deleted_at,
	coalesce(u.created_at, 'epoch') as created_at, coalesce(u.updated_at, 'epoch') as updated_at,
	u.is_sso_user, u.is_anonymous,
	coalesce(nullif(u.raw_app_meta_data, 'null'), '{}') as raw_app_meta_data,
	coalesce(nullif(u.raw_user_meta_data, 'null'), '{}') as raw_user_meta_data`

// userWithRelations adds identities and factors as JSON, so that a user is one
// statement however many there are.
const userWithRelations = userColumns + `,` + identitiesOfUser + `,` + factorsOfUser

// Banned reports whether the user is banned at now.
func (u *User) Banned(now time.Time) bool {
	return u.BannedUntil != nil && now.Before(*u.BannedUntil)
}

// HasVerifiedFactor reports whether the user can reach aal2.
func (u *User) HasVerifiedFactor() bool {
	for _, factor := range u.Factors {
		if factor.Status == FactorVerified {
			return true
		}
	}
	return false
}

// Metadata decodes the user's own metadata; never nil.
func (u *User) Metadata() (map[string]any, error) { return decodeObject(u.UserMetadata) }

// AppData decodes the metadata that only the project may write; never nil.
func (u *User) AppData() (map[string]any, error) { return decodeObject(u.AppMetadata) }

func decodeObject(raw json.RawMessage) (map[string]any, error) {
	object := map[string]any{}
	if len(raw) == 0 {
		return object, nil
	}
	err := json.Unmarshal(raw, &object)
	return object, err
}

// Confirm signs the user in at now and, if need be, marks the e-mail address as
// confirmed, as RedeemOneTimeToken writes it.
func (u *User) Confirm(now time.Time) error {
	u.LastSignInAt, u.UpdatedAt = &now, now
	if u.EmailConfirmedAt != nil {
		return nil
	}
	u.EmailConfirmedAt = &now
	if u.ConfirmedAt == nil {
		u.ConfirmedAt = &now
	}
	return u.MarkVerified(now)
}

// MarkVerified writes into the metadata and the identities of the user's
// address that it is verified.
func (u *User) MarkVerified(now time.Time) error {
	metadata, err := u.Metadata()
	if err != nil {
		return err
	}
	metadata["email_verified"] = true
	if u.UserMetadata, err = json.Marshal(metadata); err != nil {
		return err
	}
	for i := range u.Identities {
		if u.Identities[i].Email == u.Email {
			if err := u.Identities[i].verify(now); err != nil {
				return err
			}
		}
	}
	return nil
}

// FindUser returns a user by id, soft-deleted ones included.
func FindUser(c *storage.Conn, id uuid.UUID) (*User, error) {
	u := new(User)
	err := c.Get(u, `select `+userWithRelations+` from users u
		where u.instance_id = '`+instanceID+`' and u.id = $1`, id)
	return u, err
}

// FindUserByEmail returns the user who signs in with an e-mail address
// (lower-case) in an audience. Users of an SSO provider are not found so.
func FindUserByEmail(c *storage.Conn, email, aud string) (*User, error) {
	u := new(User)
	err := c.Get(u, `select `+userWithRelations+` from users u
		where u.instance_id = '`+instanceID+`' and lower(u.email) = $1 and u.aud = $2 and not u.is_sso_user`, email, aud)
	return u, err
}

// FindUserByPhone returns the user who signs in with a phone number (digits).
func FindUserByPhone(c *storage.Conn, phone, aud string) (*User, error) {
	u := new(User)
	err := c.Get(u, `select `+userWithRelations+` from users u
		where u.instance_id = '`+instanceID+`' and u.phone = $1 and u.aud = $2 and not u.is_sso_user`, phone, aud)
	return u, err
}

// FindUserForSignUp returns the user whom a new sign-up with an e-mail address
// would collide with: one with an identity of that address in the default
// linking domain, else the owner of the address.
func FindUserForSignUp(c *storage.Conn, email, aud string) (*User, error) {
	u := new(User)
	err := c.Get(u, `select `+userWithRelations+` from users u where u.id = coalesce(
		(select o.id from identities i join users o on o.id = i.user_id
		  where i.email = $1 and i.provider not like 'sso:%' and o.aud = $2 and not o.is_sso_user
		  order by i.created_at limit 1),
		(select o.id from users o where o.instance_id = '`+instanceID+`'
		  and lower(o.email) = $1 and o.aud = $2 and not o.is_sso_user))`, email, aud)
	return u, err
}
