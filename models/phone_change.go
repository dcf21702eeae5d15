package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// PhoneCode is a user with the code that was sent to a phone number.
type PhoneCode struct {
	User
	// Hash is that of the pending code, '' if there is none.
	Hash string `db:"pending_hash"`
	// Claimants is how many users wait for a code to the number.
	Claimants int `db:"claimants"`
}

// FindPhoneCode returns the user who signs in with a phone number (digits), and
// the code that was sent there.
func FindPhoneCode(c *storage.Conn, phone, aud string) (*PhoneCode, error) {
	p := new(PhoneCode)
	err := c.Get(p, `select `+userWithRelations+`, coalesce(u.confirmation_token, '') as pending_hash, 1 as claimants
		from users u where u.instance_id = '`+instanceID+`' and u.phone = $1 and u.aud = $2 and not u.is_sso_user`, phone, aud)
	return p, err
}

// FindPhoneChange returns the user who changes to a phone number (digits).
// Several may claim it: the one whose code has the hash comes first, else the
// last who was sent a code.
func FindPhoneChange(c *storage.Conn, phone, aud, hash string) (*PhoneCode, error) {
	p := new(PhoneCode)
	err := c.Get(p, `select `+userWithRelations+`, coalesce(u.phone_change_token, '') as pending_hash, count(*) over () as claimants
		from users u where u.instance_id = '`+instanceID+`' and u.phone_change = $1 and u.aud = $2 and not u.is_sso_user
		  and u.id in (select user_id from one_time_tokens where relates_to = $1 and token_type = 'phone_change_token')
		order by coalesce(u.phone_change_token = $3, false) desc, u.phone_change_sent_at desc nulls last limit 1`, phone, aud, hash)
	return p, err
}

// ConfirmPhone signs the user in at now and, if need be, marks the phone number
// as confirmed, as RedeemOneTimeToken writes it.
func (u *User) ConfirmPhone(now time.Time) {
	u.LastSignInAt, u.UpdatedAt, u.IsAnonymous = &now, now, false
	if u.PhoneConfirmedAt == nil {
		u.PhoneConfirmedAt = &now
	}
	if u.ConfirmedAt == nil {
		u.ConfirmedAt = &now
	}
}

// PhoneChangeEnd is the confirmation of a new phone number.
type PhoneChangeEnd struct {
	UserID uuid.UUID
	// Was is the present number, Phone the new one.
	Was, Phone string
	// Hash is that of the code; Fixed tells that the code is that of a test
	// phone, which needs no row.
	Hash  string
	Fixed bool
	// AppData are the members of the project's metadata that change with the
	// identity; Identity is the one of the new number.
	AppData  map[string]any
	Identity NewIdentity
}

// Apply makes the same changes to the user in memory as FinishPhoneChange.
func (e PhoneChangeEnd) Apply(u *User, now time.Time) error {
	u.Phone, u.PhoneChange, u.IsAnonymous = e.Phone, "", false
	u.PhoneConfirmedAt, u.LastSignInAt, u.UpdatedAt = &now, &now, now
	u.ConfirmedAt = &now // the earlier of the two
	if u.EmailConfirmedAt != nil {
		u.ConfirmedAt = u.EmailConfirmedAt
	}
	var err error
	if u.AppMetadata, err = withMembers(u.AppMetadata, e.AppData); err != nil {
		return err
	}
	_, err = u.putIdentity(e.Identity, map[string]any{"phone": e.Phone, "phone_verified": true}, now)
	return err
}

// FinishPhoneChange spends the code of a change of phone number: the number
// moves, on the user and the identity, every pending link of the user dies
// except those of an e-mail change that the same request may have begun, and
// the session starts. One conditional statement: of two concurrent requests
// with one code exactly one gets true. A ConstraintError tells that the number
// was taken meanwhile.
func FinishPhoneChange(c *storage.Conn, e PhoneChangeEnd, s NewSession, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, finishPhoneChange, trail.json(), now, mustJSON(s), e.UserID, e.json())
}

// json renders the end for finishPhoneChange.
func (e PhoneChangeEnd) json() string {
	return mustJSON(map[string]any{
		"phone": e.Phone, "was": e.Was, "hash": e.Hash, "fixed": e.Fixed, "app_data": e.AppData,
		"identity_id": e.Identity.ID, "identity_data": e.Identity.IdentityData,
	})
}

const finishPhoneChange = `with
end_of as (select * from json_to_record($5) as e(phone text, was text, hash text, fixed bool, app_data jsonb,
	identity_id uuid, identity_data jsonb)),
changed as (
	update users u set phone = e.phone, phone_change = '', phone_change_token = '',
		phone_confirmed_at = $2::timestamptz, is_anonymous = false,
		raw_app_meta_data = coalesce(nullif(u.raw_app_meta_data, 'null'), '{}') || e.app_data,
		last_sign_in_at = $2::timestamptz, updated_at = $2::timestamptz
	  from end_of e where u.id = $4 and (e.fixed or u.phone_change_token = e.hash and e.hash <> '')
	   and u.phone_change = e.phone and coalesce(u.phone, '') = e.was returning u.id),
identity as (
	insert into identities (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at)
	select e.identity_id, changed.id, 'phone', changed.id::text, e.identity_data,
		$2::timestamptz, $2::timestamptz, $2::timestamptz from changed, end_of e
	on conflict (provider_id, provider) do update
		set identity_data = identities.identity_data || jsonb_build_object('phone', excluded.identity_data -> 'phone', 'phone_verified', true),
			updated_at = excluded.updated_at),
cleared as (
	delete from one_time_tokens where user_id = (select id from changed)
	   and token_type not in ('email_change_token_new', 'email_change_token_current')),` +
	insertSession + `,` + insertAudit + ` select 1 from changed limit 1`
