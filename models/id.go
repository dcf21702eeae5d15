package models

import (
	"fmt"
	"io"

	"github.com/gofrs/uuid"
)

// IDs makes row ids: random UUIDs of version 4 (RFC 9562 §5.4).
type IDs struct{ Random io.Reader }

// New returns a fresh id. It panics when Random fails, which the operating
// system's source does not.
func (g IDs) New() uuid.UUID {
	var id uuid.UUID
	if _, err := io.ReadFull(g.Random, id[:]); err != nil {
		panic(fmt.Sprintf("models: no randomness: %v", err))
	}
	id.SetVersion(uuid.V4)
	id.SetVariant(uuid.VariantRFC4122)
	return id
}
