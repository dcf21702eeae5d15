package models

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// FlowEmailChange is the authentication method of a flow that the links of an
// e-mail change continue.
const FlowEmailChange = "email_change"

// NewEmailChange is a change of address that waits for its confirmations.
type NewEmailChange struct {
	UserID uuid.UUID
	// Email is the new address.
	Email string
	// Tokens go to the new address, the present one, or both.
	Tokens []OneTimeToken
	// KeepOther leaves the code of the address that Tokens does not name alive,
	// provided that it is for the same new address.
	KeepOther bool
	// OnlyPending refuses to begin a change: there must be one to Email whose
	// codes a new password has not ended.
	OnlyPending bool
	// Throttled makes the change depend on LastSent, when mails of a change were
	// sent before: of requests at the same moment only one is to send them.
	Throttled bool
	LastSent  *time.Time
	// Flow is what the links continue, nil outside the PKCE flow.
	Flow *NewFlow
}

// SetEmailChange begins a change of address, or begins it anew: no confirmation
// counts yet. ErrNotFound when the user is gone, has no such change pending
// where that is asked for, or when another request of the moment was faster.
func SetEmailChange(c *storage.Conn, n NewEmailChange, trail AuditTrail, now time.Time) error {
	type row struct {
		Type    OneTimeType `json:"type"`
		ID      uuid.UUID   `json:"id"`
		Hash    string      `json:"hash"`
		Address string      `json:"address"`
	}
	rows := make([]row, 0, len(n.Tokens))
	for _, t := range n.Tokens {
		rows = append(rows, row{t.Type, t.ID, t.Hash, t.Address})
	}
	var id uuid.UUID
	return c.Get(&id, setEmailChange, trail.json(), now, mustJSON(rows), n.Flow.json(), n.UserID, n.Email, n.KeepOther, n.OnlyPending,
		n.Throttled, n.LastSent)
}

// setEmailChange drops the code that it does not write or keep. "kept" sees the
// user as the statement found it.
const setEmailChange = `with
n as (select * from json_to_recordset($3) as n(type text, id uuid, hash text, address text)),
kept as (select $7 and coalesce(email_change, '') = $6 as yes from users where id = $5),
changed as (
	update users u set email_change = $6, email_change_confirm_status = 0,
		email_change_sent_at = $2::timestamptz, updated_at = $2::timestamptz,
		email_change_token_new = coalesce((select hash from n where type = 'email_change_token_new'),
			case when kept.yes then u.email_change_token_new else '' end),
		email_change_token_current = coalesce((select hash from n where type = 'email_change_token_current'),
			case when kept.yes then u.email_change_token_current else '' end)
	  from kept where u.id = $5 and (not $8 or u.email_change = $6
		and (u.email_change_token_new <> '' or u.email_change_token_current <> ''))
		and (not $9 or u.email_change_sent_at is not distinct from $10::timestamptz) returning u.id),
dropped as (
	delete from one_time_tokens where user_id = (select id from changed) and not (select yes from kept)
	   and token_type in ('email_change_token_new', 'email_change_token_current')
	   and token_type::text not in (select type from n)),
token as (
	insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to, created_at, updated_at)
	select n.id, changed.id, n.type::one_time_token_type, n.hash, n.address,
		$2::timestamptz at time zone 'UTC', $2::timestamptz at time zone 'UTC' from changed, n
	on conflict (user_id, token_type) do update
		set token_hash = excluded.token_hash, relates_to = excluded.relates_to, updated_at = excluded.updated_at),` +
	insertFlow + `,` + insertAudit + ` select id from changed`

// EmailTaken reports whether an address (lower-case) is somebody else's: whoever
// of the audience signs in with it, directly or by an identity in the default
// linking domain.
func EmailTaken(c *storage.Conn, email, aud string, self uuid.UUID) (bool, error) {
	var taken bool
	err := c.Get(&taken, `select `+emailTaken("$1", "$2", "$3"), email, aud, self)
	return taken, err
}

// emailTaken is the condition of EmailTaken for SQL expressions.
func emailTaken(email, aud, self string) string {
	return `(exists (select from users o where o.instance_id = '` + instanceID + `'
			and lower(o.email) = ` + email + ` and o.aud = ` + aud + ` and not o.is_sso_user and o.id <> ` + self + `)
		or exists (select from identities i join users o on o.id = i.user_id
			where i.email = ` + email + ` and i.provider not like 'sso:%' and o.aud = ` + aud + ` and not o.is_sso_user
			and o.id <> ` + self + `))`
}

// FindEmailChange returns the user to whom a code for one of the two addresses
// of a change was sent, with the kind of code that one of the hashes is pending
// for, empty if none. ErrNotFound when the address (lower-case) waits for nothing.
func FindEmailChange(c *storage.Conn, email, aud string, hashes []string) (*PendingUser, error) {
	u := new(PendingUser)
	err := c.Get(u, `select `+userWithRelations+`, case
			when u.email_change = $1 and u.email_change_token_new = any ($3) then 'email_change_token_new'
			when lower(u.email) = $1 and u.email_change_token_current = any ($3) then 'email_change_token_current'
			else '' end as pending_type
		from users u where u.instance_id = '`+instanceID+`' and u.aud = $2 and not u.is_sso_user and u.id in (
			select id from users o where o.instance_id = '`+instanceID+`' and lower(o.email) = $1 and o.email_change <> ''
			union
			select user_id from one_time_tokens where relates_to = $1 and token_type = 'email_change_token_new')
		order by coalesce(u.email_change = $1 and u.email_change_token_new = any ($3)
			or lower(u.email) = $1 and u.email_change_token_current = any ($3), false) desc limit 1`, email, aud, hashes)
	return u, err
}

// AcceptHalfEmailChange records the first of two confirmations. It reports
// false when the code is spent or another confirmation was recorded meanwhile.
func AcceptHalfEmailChange(c *storage.Conn, user *PendingUser, hashes []string, now time.Time) (bool, error) {
	column := string(user.Type)
	n, err := c.Exec(`with changed as (
		update users set `+column+` = '', email_change_confirm_status = 1, updated_at = $2::timestamptz
		 where id = $1 and `+column+` = any ($3) and `+column+` <> '' and email_change_confirm_status = 0
		   and email_change = $4 returning id),
		cleared as (delete from one_time_tokens where user_id = (select id from changed) and token_type::text = $5)
		select from changed`, user.ID, now, hashes, user.EmailChange, column)
	return n == 1, err
}

// EmailChangeEnd is the confirmation that ends a change of address.
type EmailChangeEnd struct {
	UserID uuid.UUID
	// Type is the kind of code that confirms.
	Type OneTimeType
	// Was is the present address, Email the new one.
	Was, Email string
	// Hashes are the forms in which the code may be stored.
	Hashes []string
	// Both asks that the other confirmation has been recorded.
	Both bool
	// AppData are the members of the project's metadata that change with the
	// identity; Identity is the one of the new address.
	AppData  map[string]any
	Identity NewIdentity
}

// moveEmail spends the code ($5 forms) of an EmailChangeEnd ($6 as JSON) for a
// user ($4) at a time ($2): the address moves, on the user and the identity,
// and every pending link of the user dies. A change of phone number that the
// same request may have begun goes on.
func moveEmail(column, condition string) string {
	return `end_of as (select * from json_to_record($6) as e(email text, was text, needs_both bool, app_data jsonb,
		identity_id uuid, identity_data jsonb)),
	changed as (
		update users u set email = e.email, email_change = '', email_change_token_new = '',
			email_change_token_current = '', email_change_confirm_status = 0,
			email_confirmed_at = coalesce(u.email_confirmed_at, $2::timestamptz), is_anonymous = false,
			raw_app_meta_data = coalesce(nullif(u.raw_app_meta_data, 'null'), '{}') || e.app_data,
			raw_user_meta_data = coalesce(nullif(u.raw_user_meta_data, 'null'), '{}') || '{"email_verified": true}',
			last_sign_in_at = $2::timestamptz, updated_at = $2::timestamptz
		  from end_of e where u.id = $4 and u.` + column + ` = any ($5) and u.` + column + ` <> ''
		   and u.email_change = e.email and coalesce(u.email, '') = e.was
		   and (not e.needs_both or u.email_change_confirm_status = 1)` + condition + ` returning u.id),
	identity as (
		insert into identities (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at)
		select e.identity_id, changed.id, 'email', changed.id::text, e.identity_data,
			$2::timestamptz, $2::timestamptz, $2::timestamptz from changed, end_of e
		on conflict (provider_id, provider) do update
			set identity_data = identities.identity_data || jsonb_build_object('email', excluded.identity_data -> 'email', 'email_verified', true),
				updated_at = excluded.updated_at),
	cleared as (delete from one_time_tokens where user_id = (select id from changed) and token_type <> 'phone_change_token')`
}

// Apply makes the same changes to the user in memory.
func (e EmailChangeEnd) Apply(u *User, now time.Time) error {
	u.Email, u.EmailChange, u.IsAnonymous = e.Email, "", false
	u.LastSignInAt, u.UpdatedAt = &now, now
	if u.EmailConfirmedAt == nil {
		u.EmailConfirmedAt = &now
	}
	if u.ConfirmedAt == nil {
		u.ConfirmedAt = &now
	}
	var err error
	if u.AppMetadata, err = withMembers(u.AppMetadata, e.AppData); err != nil {
		return err
	}
	if u.UserMetadata, err = withMembers(u.UserMetadata, map[string]any{"email_verified": true}); err != nil {
		return err
	}
	identity, err := u.putIdentity(e.Identity, map[string]any{"email": e.Email, "email_verified": true}, now)
	if err != nil {
		return err
	}
	identity.Email = e.Email
	return nil
}

// putIdentity adds an identity, or patches the one that the user has at the
// provider.
func (u *User) putIdentity(n NewIdentity, patch map[string]any, now time.Time) (*Identity, error) {
	identity := u.Identities.Of(n.Provider)
	if identity == nil {
		u.Identities = append(u.Identities, Identity{
			ID: n.ID, UserID: u.ID, Provider: n.Provider, ProviderID: n.ProviderID, LastSignInAt: &now, CreatedAt: now,
		})
		identity, patch = &u.Identities[len(u.Identities)-1], n.IdentityData
	}
	var err error
	identity.UpdatedAt = now
	identity.IdentityData, err = withMembers(identity.IdentityData, patch)
	return identity, err
}

// withMembers sets members of a JSON object.
func withMembers(raw json.RawMessage, members map[string]any) (json.RawMessage, error) {
	object, err := decodeObject(raw)
	if err != nil {
		return nil, err
	}
	maps.Copy(object, members)
	return json.Marshal(object)
}

// json renders the end for moveEmail.
func (e EmailChangeEnd) json() string {
	return mustJSON(map[string]any{
		"email": e.Email, "was": e.Was, "needs_both": e.Both, "app_data": e.AppData,
		"identity_id": e.Identity.ID, "identity_data": e.Identity.IdentityData,
	})
}

// FinishEmailChange ends a change of address and signs the user in, in one
// conditional statement: of two concurrent requests with one code exactly one
// gets true. A ConstraintError tells that the address was taken meanwhile.
func FinishEmailChange(c *storage.Conn, e EmailChangeEnd, s NewSession, trail AuditTrail, now time.Time) (bool, error) {
	return applied(c, `with `+moveEmail(string(e.Type), "")+`,`+insertSession+`,`+insertAudit+`
		select 1 from changed limit 1`, trail.json(), now, mustJSON(s), e.UserID, e.Hashes, e.json())
}

// ContinueEmailChange is FinishEmailChange for a link of a flow: no session
// starts, the code of the user's newest flow of the kind is handed out.
func ContinueEmailChange(c *storage.Conn, e EmailChangeEnd, trail AuditTrail, now time.Time) (*ContinuedFlow, error) {
	return continued(c, trail, `with flow as (
		select id, auth_code from flow_state
		 where user_id = $4 and authentication_method = $3 and auth_code <> ''
		 order by created_at desc limit 1 for update),`+
		moveEmail(string(e.Type), ` and exists (select from flow)`)+`,
		issued as (update flow_state set auth_code_issued_at = $2::timestamptz, updated_at = $2::timestamptz
		 where id = (select id from flow) and exists (select from changed)),`+insertAudit+`
		select exists (select from changed) as spent, coalesce((select auth_code from flow), '') as auth_code`,
		now, FlowEmailChange, e.UserID, e.Hashes, e.json())
}
