package mfa

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/truegrant/truegrant/secret"
)

// RecoveryCode is the type of the set of recovery codes, which stands beside
// the factors: it is never the only one, and not listed among them.
const RecoveryCode Type = "recovery_code"

// RecoveryCodeCount is how many codes a set has.
const RecoveryCodeCount = 10

const (
	// recoveryCodeBytes are 80 bits, 16 characters: beyond guessing even for
	// somebody who has the digests.
	recoveryCodeBytes = 10
	recoveryCodeChars = recoveryCodeBytes * 8 / 5
	// recoveryInputLimit is the longest text that is looked at, in bytes.
	recoveryInputLimit = 128
	// crockford is the alphabet of Crockford's base32, which has no letters that
	// look like others.
	crockford = "0123456789abcdefghjkmnpqrstvwxyz"
)

// Wrong codes in a row lock a set for a while. The codes cannot be guessed; the
// lock bounds the work that guessing makes.
const (
	RecoveryAttempts = 10
	RecoveryLock     = 15 * time.Minute
)

// RecoverySet is a new set of recovery codes.
type RecoverySet struct {
	// Codes are what the user gets to see, once.
	Codes []string
	// Salt and Digests are what is stored.
	Salt    string
	Digests []string
}

// NewRecoverySet makes a set of codes.
func NewRecoverySet(random io.Reader) (*RecoverySet, error) {
	salt, err := secret.Salt(random)
	if err != nil {
		return nil, fmt.Errorf("recovery codes: %w", err)
	}
	set := &RecoverySet{Salt: salt}
	encoding := base32.NewEncoding(crockford).WithPadding(base32.NoPadding)
	for range RecoveryCodeCount {
		raw := make([]byte, recoveryCodeBytes)
		if _, err := io.ReadFull(random, raw); err != nil {
			return nil, fmt.Errorf("recovery codes: %w", err)
		}
		code := encoding.EncodeToString(raw)
		digest, err := secret.SlowDigest(salt, code)
		if err != nil {
			return nil, fmt.Errorf("recovery codes: %w", err)
		}
		set.Codes, set.Digests = append(set.Codes, code), append(set.Digests, digest)
	}
	return set, nil
}

// MatchRecoveryCode looks for the digest of a code as somebody typed it. ok is
// false for anything that is none of the set's codes.
func MatchRecoveryCode(salt string, digests []string, typed string) (digest string, ok bool, err error) {
	code, ok := canonicalRecoveryCode(typed)
	if !ok {
		return "", false, nil
	}
	wanted, err := secret.SlowDigest(salt, code)
	if err != nil {
		return "", false, fmt.Errorf("recovery code: %w", err)
	}
	found := 0
	for _, each := range digests {
		found |= subtle.ConstantTimeCompare([]byte(each), []byte(wanted))
	}
	return wanted, found == 1, nil
}

// canonicalRecoveryCode reads a code as people write it: letters in any case,
// in groups, with letters in place of the digits that they look like.
func canonicalRecoveryCode(typed string) (string, bool) {
	if len(typed) > recoveryInputLimit {
		return "", false
	}
	code := strings.Map(func(r rune) rune {
		switch r = unicode.ToLower(r); {
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r): // some keyboards make long dashes of hyphens
			return -1
		case r == 'o':
			return '0'
		case r == 'i', r == 'l':
			return '1'
		}
		return r
	}, typed)
	if len(code) != recoveryCodeChars || strings.Trim(code, crockford) != "" {
		return "", false
	}
	return code, true
}
