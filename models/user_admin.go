package models

import (
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// TakenAddresses tells which addresses of a new user belong to somebody.
type TakenAddresses struct {
	Email bool `db:"email_taken"`
	Phone bool `db:"phone_taken"`
}

// FindTakenAddresses looks for the owners of an e-mail address (lower-case) and
// a phone number (digits); an empty one is nobody's. An e-mail address is taken by users
// of the audience who sign in with it, directly or by an identity in the
// default linking domain. A phone number is taken by anybody.
func FindTakenAddresses(c *storage.Conn, email, phone, aud string) (TakenAddresses, error) {
	var taken TakenAddresses
	err := c.Get(&taken, `select
		$1::text <> '' and (
			exists (select from users o where o.instance_id = '`+instanceID+`'
				and lower(o.email) = $1 and o.aud = $3 and not o.is_sso_user)
			or exists (select from identities i join users o on o.id = i.user_id
				where i.email = $1 and i.provider not like 'sso:%' and o.aud = $3 and not o.is_sso_user)
		) as email_taken,
		$2::text <> '' and exists (select from users o where o.phone = $2) as phone_taken`, email, phone, aud)
	return taken, err
}

// FindUserForUpdate is FindUser for a change that depends on what is read:
// until the transaction ends nobody else changes the user.
func FindUserForUpdate(tx *storage.Conn, id uuid.UUID) (*User, error) {
	u := new(User)
	err := tx.Get(u, `select `+userWithRelations+` from users u
		where u.instance_id = '`+instanceID+`' and u.id = $1 for no key update of u`, id)
	return u, err
}
