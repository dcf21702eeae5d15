package models

import (
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// RenewPasswordHash stores the same password in another form, unless the user
// has changed it meanwhile. For the user nothing happens: updated_at stays.
func RenewPasswordHash(c *storage.Conn, user uuid.UUID, was, becomes string) error {
	_, err := c.Exec(`update users set encrypted_password = $3 where id = $1 and encrypted_password = $2`, user, was, becomes)
	return err
}
