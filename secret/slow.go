package secret

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
)

const (
	// slowIterations makes a guess cost milliseconds. They add 14 bits to values
	// that have enough bits to be typed, not enough for Digest.
	slowIterations = 20_000
	saltBytes      = 16
)

// Salt returns 128 random bits as text, for SlowDigest.
func Salt(random io.Reader) (string, error) { return Token(random, saltBytes) }

// SlowDigest returns the form in which values are stored that people copy by
// hand, with some 80 bits of chance: PBKDF2-HMAC-SHA-256 (RFC 8018 §5.2) under
// a salt that no other set of values has, as base64url text without padding.
// Values that people choose belong to package password.
func SlowDigest(salt, s string) (string, error) {
	key, err := pbkdf2.Key(sha256.New, s, []byte(salt), slowIterations, keyBytes)
	if err != nil {
		return "", fmt.Errorf("slow digest: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key), nil
}
