package secret

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
)

const (
	idBytes             = 20 // 160 bits: 32 base32 characters without a remainder
	refreshTokenV1Chars = 12 // 60 bits
)

// Token returns n random bytes as base64url text without padding (RFC 4648
// §5). 32 bytes give 43 characters. It fails when n is not positive or random
// fails.
func Token(random io.Reader, n int) (string, error) {
	b, err := randomBytes(random, n)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// ID returns 160 random bits as 32 characters of [a-z2-7]: safe in URLs, file
// names and where letter case is not kept.
func ID(random io.Reader) (string, error) {
	b, err := randomBytes(random, idBytes)
	if err != nil {
		return "", err
	}
	return lowerBase32(b), nil
}

// RefreshTokenV1 returns a refresh token of GoTrue's version 1: 12 characters
// of [a-z2-7], opaque and stored as a row.
func RefreshTokenV1(random io.Reader) (string, error) {
	b, err := randomBytes(random, 8)
	if err != nil {
		return "", err
	}
	return lowerBase32(b)[:refreshTokenV1Chars], nil
}

// Digits returns n random decimal digits, leading zeros included, each number
// equally likely. It fails when n is not positive or random fails.
func Digits(random io.Reader, n int) (string, error) {
	// 250 is the largest multiple of 10 in a byte; the six values above it
	// would make the digits 0 to 5 more likely than the others.
	const limit, maxRounds = 250, 64
	digits := make([]byte, 0, max(n, 0))
	for range maxRounds {
		b, err := randomBytes(random, n-len(digits))
		if err != nil {
			return "", err
		}
		for _, v := range b {
			if v < limit {
				digits = append(digits, '0'+v%10)
			}
		}
		if len(digits) == n {
			return string(digits), nil
		}
	}
	return "", errors.New("random digits: the source of chance repeats itself")
}

func randomBytes(random io.Reader, n int) ([]byte, error) {
	if n <= 0 {
		return nil, fmt.Errorf("read random bytes: %d is not a positive number", n)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, fmt.Errorf("read random bytes: %w", err)
	}
	return b, nil
}

func lowerBase32(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}
