package mfa

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

func TestNewRecoverySet(t *testing.T) {
	t.Parallel()
	set, err := NewRecoverySet(rand.Reader)
	require.NoError(t, err)
	require.Len(t, set.Codes, 10)
	require.Len(t, set.Digests, 10)
	seen := map[string]bool{}
	for i, code := range set.Codes {
		require.Regexp(t, `^[0-9a-hjkmnp-tv-z]{16}$`, code)
		require.False(t, seen[code])
		seen[code] = true
		require.NotContains(t, strings.Join(set.Digests, " "), code)
		digest, ok, err := MatchRecoveryCode(set.Salt, set.Digests, code)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, set.Digests[i], digest)
	}

	other, err := NewRecoverySet(rand.Reader)
	require.NoError(t, err)
	_, ok, err := MatchRecoveryCode(other.Salt, other.Digests, set.Codes[0])
	require.NoError(t, err)
	require.False(t, ok)
	_, ok, err = MatchRecoveryCode(set.Salt, set.Digests[1:], set.Codes[0])
	require.NoError(t, err)
	require.False(t, ok, "spent")

	broken := errors.New("no chance left")
	_, err = NewRecoverySet(iotest.ErrReader(broken))
	require.ErrorIs(t, err, broken)
	_, err = NewRecoverySet(bytes.NewReader(make([]byte, 20)))
	require.Error(t, err)
}

func TestCanonicalRecoveryCode(t *testing.T) {
	t.Parallel()
	const code = "k4m9x7qp2ab8h103"
	for _, typed := range []string{
		code, "K4M9-X7QP-2AB8-H103", " k4m9 x7qp\t2ab8\nh103 ", "k4m9–x7qp—2ab8‑h103", "K4M9X7QP2AB8HIO3", "k4m9x7qp2ab8hLo3",
		"k4m9x7qp2ab8h103\u00a0",
	} {
		got, ok := canonicalRecoveryCode(typed)
		require.True(t, ok, "%q", typed)
		require.Equal(t, code, got, "%q", typed)
	}
	for name, typed := range map[string]string{
		"empty": "", "short": "k4m9x7qp2ab8h10", "long": "k4m9x7qp2ab8h1033", "a letter it does not have": "k4m9x7qp2ab8h10u",
		"punctuation": "k4m9.x7qp.2ab8.h103", "not ASCII": "k4m9x7qp2ab8h10é", "TOTP": "123456",
		"broken UTF-8": "k4m9x7qp2ab8h10\xff", "much": code + strings.Repeat("-", 200),
	} {
		_, ok := canonicalRecoveryCode(typed)
		require.False(t, ok, name)
	}
}

func FuzzRecoveryCode(f *testing.F) {
	for _, seed := range []string{"", "k4m9x7qp2ab8ht3z", "K4M9-X7QP 2AB8-HT3Z", "oOiIlL–0123456789", "\xff", "İ"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code, ok := canonicalRecoveryCode(typed)
		if !ok {
			require.Empty(t, code)
			return
		}
		require.Len(t, code, recoveryCodeChars)
		again, ok := canonicalRecoveryCode(strings.ToUpper(code[:5] + "-" + code[5:]))
		require.True(t, ok)
		require.Equal(t, code, again)
	})
}
