package secret

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Layout of a counter refresh token: version · session id · counter ·
// MAC · checksum. The checksum lets a server tell a mistyped or truncated
// token from a foreign one without reading the session.
const (
	refreshTokenVersion = 0x00
	sessionIDBytes      = 16
	macBytes            = 16
	checksumBytes       = 4
	keyBytes            = 32

	minRefreshTokenBytes = 1 + sessionIDBytes + 1 + macBytes + checksumBytes
	maxRefreshTokenBytes = 1 + sessionIDBytes + 9 + macBytes + checksumBytes
)

// MaxRefreshCounter is the largest counter of a refresh token: the column that
// holds it is a signed 64-bit integer.
const MaxRefreshCounter = math.MaxInt64

// ErrRefreshToken is returned for text that is not a counter refresh token.
var ErrRefreshToken = errors.New("malformed refresh token")

// A RefreshToken is GoTrue's refresh token of version 2: it names its session
// and its generation and is authenticated with the session's key, so nothing
// secret but the key is stored. A parsed token is only a claim until
// [RefreshToken.Verify] has returned true.
type RefreshToken struct {
	SessionID [sessionIDBytes]byte // UUID of the session
	Counter   uint64               // generation: 0 for the first token of a session

	mac [macBytes]byte
}

// ParseRefreshToken reads the text of a counter refresh token and checks its
// structure and checksum, not its authenticity. Exactly one text is accepted
// for each token; anything else gives [ErrRefreshToken].
func ParseRefreshToken(s string) (RefreshToken, error) {
	var t RefreshToken
	raw, ok := decodeCanonical(s, minRefreshTokenBytes, maxRefreshTokenBytes)
	if !ok {
		return t, fmt.Errorf("%w: not base64url of the right length", ErrRefreshToken)
	}
	if raw[0] != refreshTokenVersion {
		return t, fmt.Errorf("%w: unknown version", ErrRefreshToken)
	}
	body, sum := raw[:len(raw)-checksumBytes], raw[len(raw)-checksumBytes:]
	if subtle.ConstantTimeCompare(checksum(body), sum) != 1 {
		return t, fmt.Errorf("%w: wrong checksum", ErrRefreshToken)
	}

	copy(t.SessionID[:], body[1:])
	number := body[1+sessionIDBytes : len(body)-macBytes]
	counter, n := binary.Uvarint(number)
	if n != len(number) || counter > MaxRefreshCounter || (n > 1 && number[n-1] == 0) {
		return RefreshToken{}, fmt.Errorf("%w: counter is not a minimal varint", ErrRefreshToken)
	}
	t.Counter = counter
	copy(t.mac[:], body[len(body)-macBytes:])
	return t, nil
}

// Verify reports whether the token was made with key, the session's HMAC key,
// in constant time. An empty key verifies nothing.
func (t RefreshToken) Verify(key []byte) bool {
	if len(key) == 0 {
		return false
	}
	return hmac.Equal(t.mac[:], refreshTokenMAC(refreshTokenHead(t.SessionID, t.Counter), key))
}

// FormatRefreshToken returns the text of the refresh token with the given
// generation of a session: base64url without padding, 51 to 62 characters.
// counter must not exceed [MaxRefreshCounter]; key is the session's HMAC key,
// see [ParseKey].
func FormatRefreshToken(sessionID [16]byte, counter uint64, key []byte) string {
	head := refreshTokenHead(sessionID, counter)
	body := append(head, refreshTokenMAC(head, key)...)
	return base64.RawURLEncoding.EncodeToString(append(body, checksum(body)...))
}

// ParseKey decodes a 256-bit key from base64url text without padding (43
// characters), as sessions and the configuration hold them.
func ParseKey(text string) ([]byte, error) {
	key, ok := decodeCanonical(text, keyBytes, keyBytes)
	if !ok {
		return nil, errors.New("key is not 256 bits of base64url text")
	}
	return key, nil
}

func refreshTokenHead(sessionID [sessionIDBytes]byte, counter uint64) []byte {
	head := make([]byte, 0, maxRefreshTokenBytes+1)
	head = append(head, refreshTokenVersion)
	head = append(head, sessionID[:]...)
	return binary.AppendUvarint(head, counter)
}

func refreshTokenMAC(head, key []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(head)
	return mac.Sum(nil)[:macBytes]
}

func checksum(body []byte) []byte {
	sum := sha256.Sum256(body)
	return sum[:checksumBytes]
}

// decodeCanonical decodes base64url text of minBytes to maxBytes bytes and
// accepts only what encoding them again gives: the standard decoder skips line
// breaks and ignores left-over bits, which would let one value have many texts.
func decodeCanonical(s string, minBytes, maxBytes int) ([]byte, bool) {
	enc := base64.RawURLEncoding
	if len(s) < enc.EncodedLen(minBytes) || len(s) > enc.EncodedLen(maxBytes) {
		return nil, false
	}
	raw, err := enc.DecodeString(s)
	if err != nil || enc.EncodeToString(raw) != s {
		return nil, false
	}
	return raw, true
}
