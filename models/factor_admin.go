package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// AdminFactor is a factor as administrators see it.
type AdminFactor struct {
	Factor
	LastChallengedAt *time.Time `json:"last_challenged_at"`
}

// Scan reads the JSON that adminFactor builds.
func (f *AdminFactor) Scan(src any) error { return storage.ScanJSON(src, f) }

// adminFactor is an AdminFactor, from the table alias f.
const adminFactor = `json_build_object('id', f.id, 'created_at', f.created_at, 'updated_at', f.updated_at,
	'status', f.status, 'friendly_name', coalesce(f.friendly_name, ''), 'factor_type', f.factor_type,
	'phone', coalesce(f.phone, ''), 'last_challenged_at', f.last_challenged_at,
	'web_authn_aaguid', f.web_authn_aaguid, 'last_webauthn_challenge_data', f.last_webauthn_challenge_data)`

// AdminFactors returns the factors of a user, oldest first.
func AdminFactors(c *storage.Conn, user uuid.UUID) ([]AdminFactor, error) {
	factors := []AdminFactor{}
	err := c.Select(&factors, `select `+adminFactor+` from mfa_factors f
		where f.user_id = $1 order by f.created_at, f.id`, user)
	return factors, err
}

// FactorChange says what an administrator changes of a factor; empty members
// stay as they are.
type FactorChange struct {
	UserID       uuid.UUID
	FactorID     uuid.UUID
	FriendlyName string
	// Phone is the new number in digits, for phone factors only.
	Phone string
}

// UpdateFactor changes a factor and returns it as it is then. ErrNotFound when
// the user has no such factor; a ConstraintError tells that another factor of
// the user has the name (IsFactorNameTaken) or the number (IsFactorPhoneTaken).
func UpdateFactor(c *storage.Conn, change FactorChange, trail AuditTrail, now time.Time) (*AdminFactor, error) {
	f := new(AdminFactor)
	err := c.Get(f, `with changed as (
		update mfa_factors set friendly_name = coalesce(nullif($5::text, ''), friendly_name),
			phone = coalesce(nullif($6::text, ''), phone), updated_at = $2::timestamptz
		 where id = $3 and user_id = $4 returning *),`+insertAudit+`
		select `+adminFactor+` from changed f`,
		trail.json(), now, change.FactorID, change.UserID, change.FriendlyName, change.Phone)
	return f, err
}

// IsFactorNameTaken reports whether err says that another factor of the user
// has the friendly name.
func IsFactorNameTaken(err error) bool {
	return storage.IsUnique(err, "mfa_factors_user_friendly_name_unique")
}

// IsFactorPhoneTaken reports whether err says that another factor of the user
// has the phone number.
func IsFactorPhoneTaken(err error) bool {
	return storage.IsUnique(err, "unique_phone_factor_per_user")
}
