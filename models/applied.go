package models

import (
	"errors"

	"github.com/truegrant/truegrant/storage"
)

// applied runs a conditional statement that ends in "select 1 from changed limit
// 1" and reports whether it changed anything. One that did not has no row, so
// that its audit trail is not told to the log either (see loggedAudit).
func applied(c *storage.Conn, query string, args ...any) (bool, error) {
	var one int
	err := c.Get(&one, query, args...)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
