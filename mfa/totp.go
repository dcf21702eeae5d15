package mfa

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 6238 §1.2; HMAC-SHA-1 is what authenticator apps know
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"
)

const (
	totpSecretBytes = 20 // as long as the digest, RFC 4226 §4, R6
	totpDigits      = 6
	totpModulus     = 1_000_000
	totpSeconds     = 30 // RFC 6238 §4.1, X
	totpSkew        = 1  // steps before and after the present one, RFC 6238 §5.2
)

// NoStep is the last spent step of a factor that was never used.
const NoStep int64 = -1

// NewSecret returns the secret of a TOTP factor: 160 random bits as 32
// characters of base32.
func NewSecret(random io.Reader) (string, error) {
	raw := make([]byte, totpSecretBytes)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("totp secret: %w", err)
	}
	return totpEncoding().EncodeToString(raw), nil
}

// Code returns the six digits of a secret at a time (RFC 6238 §4.2).
func Code(secret string, at time.Time) (string, error) {
	key, err := totpKey(secret)
	if err != nil {
		return "", err
	}
	return hotp(key, at.Unix()/totpSeconds), nil
}

// MatchCode looks for the time step that a code belongs to: the present one or
// a neighbour, as clocks and fingers are slow, but none up to spent. A
// password is good for one verification only (RFC 6238 §5.2). ok is false for
// a wrong or spent code; err tells of an unreadable secret.
func MatchCode(secret, code string, spent int64, now time.Time) (step int64, ok bool, err error) {
	key, err := totpKey(secret)
	if err != nil {
		return 0, false, err
	}
	present := now.Unix() / totpSeconds
	code = strings.TrimSpace(code)
	for candidate := present - totpSkew; candidate <= present+totpSkew; candidate++ {
		same := subtle.ConstantTimeCompare([]byte(hotp(key, candidate)), []byte(code)) == 1
		if same && candidate > spent {
			step, ok = candidate, true
		}
	}
	return step, ok, nil
}

// SpentSince is when the oldest code that counts at a time could first have
// been used: one step early, by a fast clock.
func SpentSince(now time.Time) time.Time {
	return time.Unix((now.Unix()/totpSeconds-2*totpSkew)*totpSeconds, 0)
}

// KeyURI returns the text that authenticator apps scan.
func KeyURI(issuer, account, secret string) string {
	query := url.Values{
		"algorithm": {"SHA1"}, "digits": {"6"}, "issuer": {issuer}, "period": {"30"}, "secret": {secret},
	}
	return (&url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account,
		RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20"), // some apps show the plus sign
	}).String()
}

// hotp is the value of RFC 4226 §5.3 in decimal digits.
func hotp(key []byte, counter int64) string {
	var message [8]byte
	binary.BigEndian.PutUint64(message[:], uint64(counter)) //nolint:gosec // the bits count, not the sign
	mac := hmac.New(sha1.New, key)
	mac.Write(message[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0x0f
	truncated := binary.BigEndian.Uint32(sum[offset:]) & 0x7fff_ffff
	return fmt.Sprintf("%0*d", totpDigits, truncated%totpModulus)
}

func totpKey(secret string) ([]byte, error) {
	key, err := totpEncoding().DecodeString(strings.TrimRight(strings.ToUpper(secret), "="))
	if err != nil || len(key) == 0 {
		return nil, fmt.Errorf("totp secret is not base32")
	}
	return key, nil
}

func totpEncoding() *base32.Encoding { return base32.StdEncoding.WithPadding(base32.NoPadding) }
