package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// FactorUnverified is the status of a factor that was never used with success.
const FactorUnverified = "unverified"

// EnrolledFactor is a factor as a new enrolment looks at it.
type EnrolledFactor struct {
	ID           uuid.UUID `db:"id"`
	CreatedAt    time.Time `db:"created_at"`
	Status       string    `db:"status"`
	FriendlyName string    `db:"friendly_name"`
	FactorType   string    `db:"factor_type"`
	Phone        string    `db:"phone"`
	// Challenged tells that the factor has a challenge, spent or not.
	Challenged bool `db:"challenged"`
}

// Verified reports whether the factor was used once with success.
func (f EnrolledFactor) Verified() bool { return f.Status == FactorVerified }

// LockFactors returns the factors of a user, oldest first, and keeps other
// enrolments and verifications of the user waiting until the transaction ends:
// they all depend on which factors there are.
func LockFactors(tx *storage.Conn, user uuid.UUID) ([]EnrolledFactor, error) {
	if err := lockUser(tx, user); err != nil {
		return nil, err
	}
	var factors []EnrolledFactor
	err := tx.Select(&factors, `select f.id, f.created_at, f.status::text as status,
		coalesce(f.friendly_name, '') as friendly_name, f.factor_type::text as factor_type,
		coalesce(f.phone, '') as phone,
		exists (select from mfa_challenges c where c.factor_id = f.id) as challenged
		from mfa_factors f where f.user_id = $1 order by f.created_at`, user)
	return factors, err
}

// lockUser makes transactions about the factors of one user wait for each
// other. A statement after it sees what the ones before have committed.
func lockUser(tx *storage.Conn, user uuid.UUID) error {
	var locked uuid.UUID
	return tx.Get(&locked, `select id from users where id = $1 for no key update`, user)
}

// NewFactor is what an enrolment writes.
type NewFactor struct {
	ID     uuid.UUID
	UserID uuid.UUID
	Type   string
	// FriendlyName may be empty.
	FriendlyName string
	// Secret is that of a TOTP factor, base32 or sealed, else ''.
	Secret string
	// Phone is the number of a phone factor in digits, else ''.
	Phone string
	// Replaced are factors of the user that make room.
	Replaced []uuid.UUID
}

// EnrollFactor inserts an unverified factor.
func EnrollFactor(tx *storage.Conn, f NewFactor, trail AuditTrail, now time.Time) error {
	if len(f.Replaced) > 0 {
		ids := make([]string, 0, len(f.Replaced))
		for _, id := range f.Replaced {
			ids = append(ids, id.String())
		}
		_, err := tx.Exec(`delete from mfa_factors where user_id = $1 and id::text = any ($2::text[])`, f.UserID, ids)
		if err != nil {
			return err
		}
	}
	var enrolled uuid.UUID
	return tx.Get(&enrolled, `with changed as (
		insert into mfa_factors (id, user_id, friendly_name, factor_type, status, created_at, updated_at, secret, phone)
		values ($3, $4, $5, $6::text::factor_type, 'unverified', $2::timestamptz, $2::timestamptz, $7, nullif($8, ''))
		returning id),`+insertAudit+` select id from changed`,
		trail.json(), now, f.ID, f.UserID, f.FriendlyName, f.Type, f.Secret, f.Phone)
}

// WebAuthnFactor is a verified WebAuthn factor with its credential.
type WebAuthnFactor struct {
	ID         uuid.UUID       `db:"id"`
	Credential json.RawMessage `db:"credential"`
}

// WebAuthnFactors returns the verified WebAuthn factors of a user.
func WebAuthnFactors(c *storage.Conn, user uuid.UUID) ([]WebAuthnFactor, error) {
	var factors []WebAuthnFactor
	err := c.Select(&factors, `select id, web_authn_credential as credential from mfa_factors
		where user_id = $1 and factor_type = 'webauthn' and status = 'verified'
		  and jsonb_typeof(web_authn_credential) = 'object' order by created_at`, user)
	return factors, err
}

// Unenrolment is the removal of a factor.
type Unenrolment struct {
	UserID   uuid.UUID
	FactorID uuid.UUID
	// Status is what the decision to remove it was made on.
	Status string
	// Method is the authentication method that the factor gave to sessions.
	Method string
}

// DeleteFactor removes a factor, and with the last verified one the recovery
// codes. Sessions that reached aal2 by what is removed fall back to aal1 and
// lose its authentication method. ErrNotFound when the factor is gone
// or no longer has the status.
func DeleteFactor(tx *storage.Conn, u Unenrolment, trail AuditTrail, now time.Time) error {
	if err := lockUser(tx, u.UserID); err != nil {
		return err
	}
	var deleted uuid.UUID
	return tx.Get(&deleted, `with changed as (
		delete from mfa_factors where id = $3 and user_id = $4 and status::text = $5 returning id),
		fallen as (
		update sessions set aal = 'aal1', factor_id = null, updated_at = $2::timestamptz
		 where user_id = $4 and factor_id = (select id from changed) returning id),
		forgotten as (
		delete from mfa_amr_claims where session_id in (select id from fallen) and authentication_method = $6),
		codes as (
		delete from truegrant_mfa_recovery_codes where user_id = $4 and $5 = 'verified' and exists (select from changed)
		   and not exists (select from mfa_factors o where o.user_id = $4 and o.id <> $3 and o.status = 'verified')
		returning user_id),`+fallWithCodes+`,`+
		insertAudit+` select id from changed`,
		trail.json(), now, u.FactorID, u.UserID, u.Status, u.Method)
}
