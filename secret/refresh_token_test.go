package secret_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/secret"
)

var (
	session = [16]byte{0x9b, 1, 2, 3, 4, 5, 0x46, 7, 0x88, 9, 10, 11, 12, 13, 14, 15}
	key     = []byte("0123456789abcdef0123456789abcdef")
)

// assemble builds a token from its parts, independently of the package.
func assemble(head []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(head)
	body := append(append([]byte(nil), head...), mac.Sum(nil)[:16]...)
	sum := sha256.Sum256(body)
	return base64.RawURLEncoding.EncodeToString(append(body, sum[:4]...))
}

func head(version byte, counter ...byte) []byte {
	return append(append([]byte{version}, session[:]...), counter...)
}

func TestRefreshTokenForm(t *testing.T) {
	t.Parallel()
	tests := []struct {
		counter uint64
		varint  string
		chars   int
	}{
		{0, "00", 51},
		{127, "7f", 51},
		{128, "8001", 52},
		{300, "ac02", 52},
		{math.MaxInt64, "ffffffffffffffff7f", 62},
	}
	for _, tt := range tests {
		varint, err := hex.DecodeString(tt.varint)
		require.NoError(t, err)
		text := secret.FormatRefreshToken(session, tt.counter, key)
		require.Equal(t, assemble(head(0, varint...)), text)
		require.Len(t, text, tt.chars)

		got, err := secret.ParseRefreshToken(text)
		require.NoError(t, err)
		require.Equal(t, session, got.SessionID)
		require.Equal(t, tt.counter, got.Counter)
		require.True(t, got.Verify(key))
		require.False(t, got.Verify([]byte("another key")))
		require.False(t, got.Verify(nil))
	}
}

func TestEmptyKeyVerifiesNothing(t *testing.T) {
	t.Parallel()
	forged, err := secret.ParseRefreshToken(secret.FormatRefreshToken(session, 1, nil))
	require.NoError(t, err)
	require.False(t, forged.Verify(nil))
	require.False(t, forged.Verify([]byte{}))
}

func TestChangedCounterDoesNotVerify(t *testing.T) {
	t.Parallel()
	good, err := secret.ParseRefreshToken(secret.FormatRefreshToken(session, 1, key))
	require.NoError(t, err)
	good.Counter++
	require.False(t, good.Verify(key))
	good.Counter--
	good.SessionID[0]++
	require.False(t, good.Verify(key))
}

func TestParseRefreshTokenRefuses(t *testing.T) {
	t.Parallel()
	good := secret.FormatRefreshToken(session, 1, key)
	last := strings.IndexByte(base64url, good[len(good)-1])
	tests := map[string]string{
		"empty":                   "",
		"version 1":               "abcdefgh2345",
		"one character less":      good[:len(good)-1],
		"one character more":      good + "A",
		"padded":                  good + "=",
		"line break":              good[:20] + "\n" + good[20:],
		"line break inside, full": good[:20] + "\n" + good[20:50],
		"standard alphabet":       strings.Repeat("+", 51),
		"wrong checksum":          good[:len(good)-1] + string(base64url[last^4]),
		"unknown version":         assemble(head(1, 0)),
		"padded varint":           assemble(head(0, 0x80, 0x00)),
		"unfinished varint":       assemble(head(0, 0x80)),
		"two numbers":             assemble(head(0, 1, 1)),
		"above the column":        assemble(head(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01)),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := secret.ParseRefreshToken(text)
			require.ErrorIs(t, err, secret.ErrRefreshToken)
			require.Zero(t, got)
		})
	}
}

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// One value has one text: the bits that base64 leaves over must be zero.
func TestParseRefreshTokenLeftOverBits(t *testing.T) {
	t.Parallel()
	good := secret.FormatRefreshToken(session, 128, key) // 39 bytes fill 52 characters
	require.Len(t, good, 52)
	good = secret.FormatRefreshToken(session, 1, key) // 38 bytes leave two bits over
	last := strings.IndexByte(base64url, good[len(good)-1])
	for bits := 1; bits < 4; bits++ {
		_, err := secret.ParseRefreshToken(good[:len(good)-1] + string(base64url[last|bits]))
		require.ErrorIs(t, err, secret.ErrRefreshToken)
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	text := base64.RawURLEncoding.EncodeToString(key)
	got, err := secret.ParseKey(text)
	require.NoError(t, err)
	require.Equal(t, key, got)
	for _, bad := range []string{"", text + "=", text[1:], text + "A", "\n" + text[1:]} {
		_, err := secret.ParseKey(bad)
		require.Error(t, err)
	}
}

// Whatever parses has one text, and verifies only if the key's holder made it.
func FuzzRefreshToken(f *testing.F) {
	for _, counter := range []uint64{0, 1, 127, 128, math.MaxInt64} {
		f.Add(secret.FormatRefreshToken(session, counter, key))
	}
	f.Add(assemble(head(0, 0x80, 0x00)))
	f.Add(assemble(head(1, 0)))
	f.Fuzz(func(t *testing.T, text string) {
		got, err := secret.ParseRefreshToken(text)
		if err != nil {
			require.ErrorIs(t, err, secret.ErrRefreshToken)
			return
		}
		again := secret.FormatRefreshToken(got.SessionID, got.Counter, key)
		require.Equal(t, got.Verify(key), again == text)
		require.Len(t, again, len(text))
	})
}
