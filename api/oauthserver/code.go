package oauthserver

import (
	"fmt"
	"io"

	"github.com/gofrs/uuid"
)

// newCode returns an authorization code: 128 random bits (RFC 6749 §10.10) in
// the form of a UUID, which tools made for GoTrue expect.
func newCode(random io.Reader) (string, error) {
	var code uuid.UUID
	if _, err := io.ReadFull(random, code[:]); err != nil {
		return "", fmt.Errorf("authorization code: %w", err)
	}
	return code.String(), nil
}
