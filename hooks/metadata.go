package hooks

import (
	"fmt"
	"time"
)

// Metadata describes one call; it is the "metadata" member of every payload.
type Metadata struct {
	UUID string    `json:"uuid"`
	Time time.Time `json:"time"`
	Name Point     `json:"name"`
	// IPAddress is the end user's, "" if unknown.
	IPAddress string `json:"ip_address,omitempty"`
}

// NewMetadata describes a call at point, made now, for a request from
// ipAddress, which may be empty. It fails only if randomness does.
func (h *Hooks) NewMetadata(point Point, ipAddress string) (Metadata, error) {
	id, err := h.ids.NewV4()
	if err != nil {
		return Metadata{}, fmt.Errorf("hook metadata: %w", err)
	}
	return Metadata{UUID: id.String(), Time: h.now().UTC(), Name: point, IPAddress: ipAddress}, nil
}
