package secret

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
)

// Digest returns the SHA-256 of s as base64url text without padding (43
// characters): the form in which client secrets, codes and other values with
// at least 128 bits of chance are stored. It is not for passwords.
func Digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// DigestMatches reports whether digest is the [Digest] of candidate. The time
// it takes does not depend on where they differ.
func DigestMatches(digest, candidate string) bool {
	return subtle.ConstantTimeCompare([]byte(digest), []byte(Digest(candidate))) == 1
}

// OneTimeHash returns the form in which GoTrue stores a one-time code and
// mails it as a link: lower-case hex SHA-224 of the address (e-mail or phone)
// followed by the code, 56 characters. The address keeps equal codes of two
// users apart.
func OneTimeHash(address, code string) string {
	sum := sha256.Sum224([]byte(address + code))
	return hex.EncodeToString(sum[:])
}
