package secret_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/secret"
)

func TestRandomForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, form string
		make       func(io.Reader) (string, error)
	}{
		{"token", `^[A-Za-z0-9_-]{43}$`, func(r io.Reader) (string, error) { return secret.Token(r, 32) }},
		{"id", `^[a-z2-7]{32}$`, secret.ID},
		{"refresh token", `^[a-z2-7]{12}$`, secret.RefreshTokenV1},
		{"digits", `^[0-9]{10}$`, func(r io.Reader) (string, error) { return secret.Digits(r, 10) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, err := tt.make(rand.Reader)
			require.NoError(t, err)
			require.Regexp(t, tt.form, a)
			b, err := tt.make(rand.Reader)
			require.NoError(t, err)
			require.NotEqual(t, a, b)

			broken := errors.New("no chance left")
			_, err = tt.make(iotest.ErrReader(broken))
			require.ErrorIs(t, err, broken)
			_, err = tt.make(bytes.NewReader([]byte{1}))
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		})
	}
}

func TestTokenIsBase64URL(t *testing.T) {
	t.Parallel()
	got, err := secret.Token(bytes.NewReader([]byte{0xfb, 0xff, 0xfe}), 3)
	require.NoError(t, err)
	require.Equal(t, "-__-", got)
	for _, n := range []int{0, -1} {
		_, err = secret.Token(rand.Reader, n)
		require.Error(t, err)
		_, err = secret.Digits(rand.Reader, n)
		require.Error(t, err)
	}
}

func TestDigitsRejectWhatWouldBias(t *testing.T) {
	t.Parallel()
	got, err := secret.Digits(bytes.NewReader([]byte{0, 255, 249, 250, 10, 7, 12}), 4)
	require.NoError(t, err)
	require.Equal(t, "0907", got)

	// All 250 accepted bytes together give each digit equally often.
	count := map[rune]int{}
	for v := range 256 {
		digit, err := secret.Digits(bytes.NewReader([]byte{byte(v), 0}), 1)
		require.NoError(t, err)
		if v < 250 {
			count[rune(digit[0])]++
		}
	}
	for digit := '0'; digit <= '9'; digit++ {
		require.Equal(t, 25, count[digit])
	}
}

func TestDigitsGiveUp(t *testing.T) {
	t.Parallel()
	_, err := secret.Digits(bytes.NewReader(bytes.Repeat([]byte{255}, 4096)), 6)
	require.ErrorContains(t, err, "repeats itself")
}

func TestDigest(t *testing.T) {
	t.Parallel()
	const abc = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0" // FIPS 180-4, "abc"
	require.Equal(t, abc, secret.Digest("abc"))
	require.True(t, secret.DigestMatches(abc, "abc"))
	require.False(t, secret.DigestMatches(abc, "abd"))
	require.False(t, secret.DigestMatches("", ""))
	require.False(t, secret.DigestMatches("", "abc"))
}

func TestOneTimeHash(t *testing.T) {
	t.Parallel()
	// FIPS 180-4, SHA-224 of "abc".
	require.Equal(t, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7", secret.OneTimeHash("a", "bc"))
	require.NotEqual(t, secret.OneTimeHash("a@example.com", "123456"), secret.OneTimeHash("b@example.com", "123456"))
}
