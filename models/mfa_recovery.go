package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// RecoveryMethod is the authentication method of a recovery code.
const RecoveryMethod = "mfa/recovery_code"

// RecoveryCodes are the recovery codes of a user, a row of
// truegrant_mfa_recovery_codes.
type RecoveryCodes struct {
	ID           uuid.UUID `db:"id"`
	FriendlyName string    `db:"friendly_name"`
	// Salt is that of all digests; new codes have a new one.
	Salt string `db:"salt"`
	// Unspent are the digests of the codes that are left, of Total.
	Unspent     Texts      `db:"unspent"`
	Total       int        `db:"total"`
	LockedUntil *time.Time `db:"locked_until"`
}

// Locked reports whether wrong codes have locked the set at now.
func (r *RecoveryCodes) Locked(now time.Time) bool {
	return r.LockedUntil != nil && now.Before(*r.LockedUntil)
}

const recoveryColumns = `r.id, r.friendly_name, r.salt, to_json(r.unspent) as unspent, r.total, r.locked_until`

// usableCodes is the condition that the codes of a user r.user_id stand beside
// a factor: alone they are good for nothing.
const usableCodes = `exists (select from mfa_factors v where v.user_id = r.user_id and v.status = 'verified')`

// FindRecoveryCodes returns the recovery codes of a user. ErrNotFound when
// there are none, or no verified factor beside them.
func FindRecoveryCodes(c *storage.Conn, user uuid.UUID) (*RecoveryCodes, error) {
	r := new(RecoveryCodes)
	err := c.Get(r, `select `+recoveryColumns+` from truegrant_mfa_recovery_codes r
		where r.user_id = $1 and `+usableCodes, user)
	return r, err
}

// NewRecoveryCodes are codes to write.
type NewRecoveryCodes struct {
	// ID and FriendlyName are those of a first set; ReplaceRecoveryCodes keeps
	// what there is.
	ID           uuid.UUID
	UserID       uuid.UUID
	FriendlyName string
	Salt         string
	Digests      []string
}

// Whatever writes recovery codes waits for the transactions about the user's
// factors, and they for it: the codes stand and fall with them.

// CreateRecoveryCodes writes the first codes of a user. ErrNotFound when the
// user has codes already or no verified factor.
func CreateRecoveryCodes(tx *storage.Conn, n NewRecoveryCodes, trail AuditTrail, now time.Time) error {
	if err := lockUser(tx, n.UserID); err != nil {
		return err
	}
	var created uuid.UUID
	return tx.Get(&created, `with changed as (
		insert into truegrant_mfa_recovery_codes (id, user_id, friendly_name, salt, unspent, total, created_at, updated_at)
		select $3, r.user_id, $5, $6, $7::text[], cardinality($7::text[]), $2::timestamptz, $2::timestamptz
		  from (select $4::uuid as user_id) r where `+usableCodes+`
		on conflict (user_id) do nothing returning id),`+insertAudit+` select id from changed`,
		trail.json(), now, n.ID, n.UserID, n.FriendlyName, n.Salt, n.Digests)
}

// ReplaceRecoveryCodes writes new codes in place of all that the user has, and
// lifts the lock. ErrNotFound when there are none to replace.
func ReplaceRecoveryCodes(tx *storage.Conn, n NewRecoveryCodes, trail AuditTrail, now time.Time) error {
	if err := lockUser(tx, n.UserID); err != nil {
		return err
	}
	var replaced uuid.UUID
	return tx.Get(&replaced, `with changed as (
		update truegrant_mfa_recovery_codes r set salt = $4, unspent = $5::text[], total = cardinality($5::text[]),
			failed_attempts = 0, locked_until = null, updated_at = $2::timestamptz
		 where r.user_id = $3 and `+usableCodes+` returning r.id),`+insertAudit+` select id from changed`,
		trail.json(), now, n.UserID, n.Salt, n.Digests)
}

// DeleteRecoveryCodes removes the codes of a user. ErrNotFound when there are
// none.
func DeleteRecoveryCodes(tx *storage.Conn, user uuid.UUID, trail AuditTrail, now time.Time) error {
	if err := lockUser(tx, user); err != nil {
		return err
	}
	var deleted uuid.UUID
	return tx.Get(&deleted, `with codes as (
		delete from truegrant_mfa_recovery_codes where user_id = $3 returning id, user_id),`+fallWithCodes+`,
		changed as (select id from codes),`+insertAudit+` select id from changed`, trail.json(), now, user)
}

// fallWithCodes are the common table expressions that let the sessions which
// reached aal2 by a recovery code fall back, once "codes" has a row: no factor
// holds them up.
const fallWithCodes = `
		fallen_with_codes as (
		update sessions set aal = 'aal1', updated_at = $2::timestamptz
		 where user_id = (select user_id from codes) and aal = 'aal2' and factor_id is null and id in (
			select session_id from mfa_amr_claims where authentication_method = '` + RecoveryMethod + `') returning id),
		forgotten_codes as (
		delete from mfa_amr_claims where session_id in (select id from fallen_with_codes)
		   and authentication_method = '` + RecoveryMethod + `')`

// RecoveryLock says when wrong codes lock a set, and for how long.
type RecoveryLock struct {
	Attempts int
	Until    time.Time
}

// RecordWrongRecoveryCode counts a wrong code. It counts against the codes that
// the user has now.
func RecordWrongRecoveryCode(tx *storage.Conn, user uuid.UUID, lock RecoveryLock) error {
	if err := lockUser(tx, user); err != nil {
		return err
	}
	_, err := tx.Exec(`update truegrant_mfa_recovery_codes set
		failed_attempts = case when failed_attempts + 1 >= $2 then 0 else failed_attempts + 1 end,
		locked_until = case when failed_attempts + 1 >= $2 then $3::timestamptz else locked_until end
		where user_id = $1`, user, lock.Attempts, lock.Until)
	return err
}

// RecoveryUse is a recovery code that brings a session to aal2.
type RecoveryUse struct {
	SessionStepUp
	UserID uuid.UUID `json:"user_id"`
	// Digest is that of the code.
	Digest string `json:"digest"`
	// FactorID stays nil: no factor was used.
	FactorID *uuid.UUID `json:"factor_id"`
}

// UseRecoveryCode spends a code and lifts its session as VerifyFactor does. It
// reports false, and the transaction must then be rolled back, when the code is
// spent, or the session no longer as it was read.
func UseRecoveryCode(tx *storage.Conn, use RecoveryUse, trail AuditTrail, now time.Time) (bool, error) {
	if err := lockUser(tx, use.UserID); err != nil {
		return false, err
	}
	return applied(tx, useRecoveryCodeStatement, trail.json(), now, mustJSON(use))
}

const useRecoveryCodeStatement = `with
n as (
	select * from json_to_record($3) as n(session_id uuid, method text, amr_id uuid, counter_from bigint,
		counter_to bigint, hmac_key text, token text, user_id uuid, factor_id uuid, digest text)),
proven as (
	update truegrant_mfa_recovery_codes r set unspent = array_remove(r.unspent, n.digest), failed_attempts = 0,
		updated_at = $2::timestamptz
	  from n where r.user_id = n.user_id and n.digest = any (r.unspent)
	   and (r.locked_until is null or r.locked_until <= $2::timestamptz) and ` + usableCodes + ` returning r.id),` +
	stepUpSession + `,
changed as (select id from session),` + settleStepUp + `,` + insertAudit + `
select 1 from changed limit 1`
