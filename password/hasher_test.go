package password_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/password"
)

const firebaseParams = "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==," +
	"sk=jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA=="

// known are published vectors.
func known() map[string][2]string {
	return map[string][2]string{
		// Vectors of jBCrypt; the versions differ in name only.
		"bcrypt 2a": {"$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe", "a"},
		"bcrypt 2b": {"$2b$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i", "abc"},
		"bcrypt 2y": {"$2y$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC", "abcdefghijklmnopqrstuvwxyz"},
		// The reference implementation's test suite, version 19.
		"argon2id": {"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "password"},
		"argon2i":  {"$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8", "password"},
		// The example of Firebase's scrypt tool.
		"firebase": {firebaseParams + "$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==", "user1password"},
	}
}

func TestCompareKnownHashes(t *testing.T) {
	t.Parallel()
	h := password.New(2, rand.Reader)
	for name, vector := range known() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hash, plain := vector[0], vector[1]
			require.NoError(t, password.ValidHash(hash))
			require.NoError(t, h.Compare(t.Context(), hash, plain))
			require.ErrorIs(t, h.Compare(t.Context(), hash, plain+"x"), password.ErrMismatch)
		})
	}
}

func TestHash(t *testing.T) {
	t.Parallel()
	h := password.New(1, rand.Reader)
	longest := strings.Repeat("x", 72)
	hash, err := h.Hash(t.Context(), longest)
	require.NoError(t, err)
	require.Regexp(t, `^\$2a\$10\$`, hash)
	require.NoError(t, h.Compare(t.Context(), hash, longest))
	require.ErrorIs(t, h.Compare(t.Context(), hash, longest[1:]), password.ErrMismatch)

	_, err = h.Hash(t.Context(), longest+"x")
	require.ErrorIs(t, err, password.ErrTooLong)
}

func TestCompareNoPassword(t *testing.T) {
	t.Parallel()
	h := password.New(1, rand.Reader)
	require.ErrorIs(t, h.Compare(t.Context(), "", ""), password.ErrNoPassword)
	require.ErrorIs(t, h.Compare(t.Context(), "", "x"), password.ErrNoPassword)
	require.ErrorIs(t, h.CompareDummy(t.Context(), ""), password.ErrMismatch)
}

// Answers for unknown users and users without password must not be faster: the
// work of each is that of a bcrypt hash of ours, some 40 ms, not microseconds.
func TestDummyDoesTheWork(t *testing.T) {
	t.Parallel()
	h := password.New(1, rand.Reader)
	for name, compare := range map[string]func() error{
		"unknown user": func() error { return h.CompareDummy(t.Context(), "x") },
		"no password":  func() error { return h.Compare(t.Context(), "", "x") },
	} {
		start := time.Now() //nolint:forbidigo // the test is about real time
		require.Error(t, compare())
		require.Greater(t, time.Since(start), 5*time.Millisecond, name)
	}
}

func TestUnguessable(t *testing.T) {
	t.Parallel()
	h := password.New(1, rand.Reader)
	a, err := h.Unguessable()
	require.NoError(t, err)
	b, err := h.Unguessable()
	require.NoError(t, err)
	require.NotEqual(t, a, b)
	require.NoError(t, password.ValidHash(a))
	require.ErrorIs(t, h.Compare(t.Context(), a, "x"), password.ErrMismatch)

	// The form is that of real hashes: the same length, and salts that other
	// implementations decode, left-over bits zero.
	made, err := h.Hash(t.Context(), "x")
	require.NoError(t, err)
	require.Len(t, a, len(made))
	require.Contains(t, ".Oeu", a[28:29])

	broken := errors.New("no chance left")
	_, err = password.New(1, iotest.ErrReader(broken)).Unguessable()
	require.ErrorIs(t, err, broken)
	_, err = password.New(1, bytes.NewReader(nil)).Unguessable()
	require.Error(t, err)
}
