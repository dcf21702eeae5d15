package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// UserChanges are the columns of a user that an update writes; nil members
// stay as they are.
type UserChanges struct {
	Role              *string          `json:"role,omitempty"`
	Email             *string          `json:"email,omitempty"`
	Phone             *string          `json:"phone,omitempty"`
	EncryptedPassword *string          `json:"encrypted_password,omitempty"`
	EmailConfirmedAt  *time.Time       `json:"email_confirmed_at,omitempty"`
	PhoneConfirmedAt  *time.Time       `json:"phone_confirmed_at,omitempty"`
	AppMetadata       *json.RawMessage `json:"app_metadata,omitempty"`
	UserMetadata      *json.RawMessage `json:"user_metadata,omitempty"`
	// AppPatch and UserPatch change single members of the metadata.
	AppPatch    MetadataPatch `json:"app_patch"`
	UserPatch   MetadataPatch `json:"user_patch"`
	IsAnonymous *bool         `json:"is_anonymous,omitempty"`
	// BannedUntil is written when SetBan is true; nil then lifts the ban.
	BannedUntil *time.Time `json:"banned_until,omitempty"`
	SetBan      bool       `json:"set_ban,omitempty"`

	// KeepSession is the one session that survives a new password; EndSessions
	// ends the others.
	KeepSession uuid.UUID `json:"keep_session"`
	EndSessions bool      `json:"end_sessions,omitempty"`
	// NonceHash, if not empty, is the reauthentication code that permits the
	// change: without it pending nothing is written.
	NonceHash string `json:"nonce_hash"`
	// NonceChecked tells that a provider has found the code right, which has to be
	// pending all the same.
	NonceChecked bool `json:"nonce_checked"`
	// ClearTokens drops every code and link that is still pending.
	ClearTokens bool `json:"clear_tokens,omitempty"`

	// Identities are inserted, or their data replaced.
	Identities []NewIdentity `json:"identities"`
}

// MetadataPatch changes members of a metadata object where it stands, so that
// concurrent patches of different members all survive.
type MetadataPatch struct {
	// Set replaces members, Delete removes them.
	Set    map[string]any `json:"set"`
	Delete []string       `json:"delete"`
}

// NewMetadataPatch reads a patch as callers write it: null deletes a member.
func NewMetadataPatch(members map[string]any) MetadataPatch {
	patch := MetadataPatch{Set: map[string]any{}, Delete: []string{}}
	for name, value := range members {
		if value == nil {
			patch.Delete = append(patch.Delete, name)
			continue
		}
		patch.Set[name] = value
	}
	return patch
}

// UpdateUser writes changes and the audit trail in one statement and returns
// the user as it is then. ErrNotFound when the user is gone or the nonce is not pending; a ConstraintError
// tells which key is taken.
func UpdateUser(c *storage.Conn, id uuid.UUID, changes UserChanges, trail AuditTrail, now time.Time) (*User, error) {
	if changes.Identities == nil {
		changes.Identities = []NewIdentity{}
	}
	for _, patch := range []*MetadataPatch{&changes.AppPatch, &changes.UserPatch} {
		if patch.Set == nil {
			*patch = NewMetadataPatch(nil)
		}
	}
	u := new(User)
	err := c.Get(u, updateUserStatement, trail.json(), now, mustJSON(changes), id)
	if err != nil {
		return nil, err
	}
	if len(changes.Identities) == 0 {
		return u, nil
	}
	return FindUser(c, id) // a statement does not see the identities it wrote
}

const updateUserStatement = `with
n as (
	select * from json_to_record($3) as n(role text, email text, phone text, encrypted_password text,
		email_confirmed_at timestamptz, phone_confirmed_at timestamptz, app_metadata jsonb,
		user_metadata jsonb, app_patch jsonb, user_patch jsonb, is_anonymous bool, banned_until timestamptz, set_ban bool,
		keep_session uuid, end_sessions bool, clear_tokens bool, nonce_hash text, nonce_checked bool, identities json)),
changed as (
	update users u set
		role = coalesce(n.role, u.role), email = coalesce(n.email, u.email), phone = coalesce(n.phone, u.phone),
		encrypted_password = coalesce(n.encrypted_password, u.encrypted_password),
		email_confirmed_at = coalesce(n.email_confirmed_at, u.email_confirmed_at),
		phone_confirmed_at = coalesce(n.phone_confirmed_at, u.phone_confirmed_at),
		raw_app_meta_data = (coalesce(n.app_metadata, nullif(u.raw_app_meta_data, 'null'), '{}')
			- array(select jsonb_array_elements_text(n.app_patch -> 'delete'))) || (n.app_patch -> 'set'),
		raw_user_meta_data = (coalesce(n.user_metadata, nullif(u.raw_user_meta_data, 'null'), '{}')
			- array(select jsonb_array_elements_text(n.user_patch -> 'delete'))) || (n.user_patch -> 'set'),
		is_anonymous = coalesce(n.is_anonymous, u.is_anonymous),
		banned_until = case when n.set_ban then n.banned_until else u.banned_until end,
		confirmation_token = case when n.clear_tokens then '' else u.confirmation_token end,
		confirmation_sent_at = case when n.clear_tokens then null else u.confirmation_sent_at end,
		recovery_token = case when n.clear_tokens then '' else u.recovery_token end,
		recovery_sent_at = case when n.clear_tokens then null else u.recovery_sent_at end,
		email_change_token_new = case when n.clear_tokens then '' else u.email_change_token_new end,
		email_change_token_current = case when n.clear_tokens then '' else u.email_change_token_current end,
		email_change_sent_at = case when n.clear_tokens then null else u.email_change_sent_at end,
		phone_change_token = case when n.clear_tokens then '' else u.phone_change_token end,
		phone_change_sent_at = case when n.clear_tokens then null else u.phone_change_sent_at end,
		reauthentication_token = case when n.clear_tokens then '' else u.reauthentication_token end,
		reauthentication_sent_at = case when n.clear_tokens then null else u.reauthentication_sent_at end,
		updated_at = $2::timestamptz
	  from n where u.id = $4 and u.instance_id = '` + instanceID + `'
	   and (n.nonce_hash = '' or u.reauthentication_token = n.nonce_hash)
	   and (not n.nonce_checked or u.reauthentication_token <> '') returning u.*),
ended as (
	delete from sessions where user_id = (select id from changed)
	   and exists (select from n where n.end_sessions and n.keep_session <> sessions.id)),
cleared as (
	delete from one_time_tokens where user_id = (select id from changed)
	   and exists (select from n where n.clear_tokens)),
written_identities as (
	insert into identities (id, user_id, provider, provider_id, identity_data, last_sign_in_at, created_at, updated_at)
	select i.id, changed.id, i.provider, i.provider_id, i.identity_data, $2::timestamptz, $2::timestamptz, $2::timestamptz
	  from changed, n, json_to_recordset(n.identities)
		as i(id uuid, provider text, provider_id text, identity_data jsonb)
	on conflict (provider_id, provider) do update
		set identity_data = excluded.identity_data, updated_at = excluded.updated_at
		where identities.user_id = excluded.user_id),` + insertAudit + `
select ` + userWithRelations + ` from changed u`

// DeleteUser removes a user and, by cascade, all that belongs to it.
func DeleteUser(c *storage.Conn, id uuid.UUID, trail AuditTrail, now time.Time) error {
	var deleted uuid.UUID
	return c.Get(&deleted, `with changed as (
		delete from users where id = $3 and instance_id = '`+instanceID+`' returning id),`+insertAudit+`
		select id from changed`, trail.json(), now, id)
}
