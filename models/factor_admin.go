package models

import (
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

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
func UpdateFactor(c *storage.Conn, change FactorChange, trail AuditTrail, now time.Time) (*Factor, error) {
	f := new(Factor)
	err := c.Get(f, `with changed as (
		update mfa_factors set friendly_name = coalesce(nullif($5::text, ''), friendly_name),
			phone = coalesce(nullif($6::text, ''), phone), updated_at = $2::timestamptz
		 where id = $3 and user_id = $4 returning *),`+insertAudit+`
		select `+factorJSON+` from changed f`,
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
