package password_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"

	"github.com/truegrant/truegrant/password"
)

func TestValidHashRefuses(t *testing.T) {
	t.Parallel()
	const tail, salted = "$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc", "$42xEC+ixf3L2lw==$lSrfV15cpx95/sZS2W9c9A=="
	tests := map[string]string{
		"empty":                    "",
		"plain text":               "password",
		"bcrypt prefix only":       "$2a$",
		"bcrypt version x":         "$2x$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
		"bcrypt cost 3":            "$2a$03$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
		"bcrypt cost 32":           "$2a$32$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe",
		"bcrypt cut off":           "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfx",
		"bcrypt with line break":   "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe\n",
		"argon2d":                  "$argon2d$v=19$m=256,t=2,p=2" + tail,
		"argon2 version 16":        "$argon2id$v=16$m=256,t=2,p=2" + tail,
		"argon2 without version":   "$argon2id$m=256,t=2,p=2" + tail,
		"argon2 keyid":             "$argon2id$v=19$m=256,t=2,p=2,keyid=AAAA" + tail,
		"argon2 data":              "$argon2id$v=19$m=256,t=2,p=2,data=AAAA" + tail,
		"argon2 memory over 1 GiB": "$argon2id$v=19$m=1048577,t=2,p=2" + tail,
		"argon2 memory overflow":   "$argon2id$v=19$m=99999999999999999999,t=2,p=2" + tail,
		"argon2 too little memory": "$argon2id$v=19$m=15,t=2,p=2" + tail,
		"argon2 21 passes":         "$argon2id$v=19$m=256,t=21,p=2" + tail,
		"argon2 no passes":         "$argon2id$v=19$m=256,t=0,p=2" + tail,
		"argon2 17 lanes":          "$argon2id$v=19$m=256,t=2,p=17" + tail,
		"argon2 negative":          "$argon2id$v=19$m=256,t=-2,p=2" + tail,
		"argon2 signed":            "$argon2id$v=19$m=256,t=+2,p=2" + tail,
		"argon2 order":             "$argon2id$v=19$t=2,m=256,p=2" + tail,
		"argon2 padded base64":     "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ=$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
		"argon2 no salt":           "$argon2id$v=19$m=256,t=2,p=2$$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
		"argon2 no hash":           "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$",
		"argon2 short hash":        "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$AAAA",
		"argon2 endless":           "$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$" + strings.Repeat("A", 2000),
		"firebase without sk":      "$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==" + salted,
		"firebase without ss, sk":  "$fbscrypt$v=1,n=14,r=8,p=1" + salted,
		"firebase empty sk":        "$fbscrypt$v=1,n=14,r=8,p=1,sk=$42xEC+ixf3L2lw==$",
		"firebase sk, no hash":     "$fbscrypt$v=1,n=14,r=8,p=1,sk=AAAA$42xEC+ixf3L2lw==$",
		"firebase lengths":         "$fbscrypt$v=1,n=14,r=8,p=1,sk=AAAA" + salted,
		"firebase version":         strings.Replace(firebaseParams, "v=1", "v=2", 1) + salted,
		"firebase exponent":        "$fbscrypt$v=1,n=21,r=8,p=1,sk=lSrfV15cpx95/sZS2W9c9A==" + salted,
		"firebase over 1 GiB":      "$fbscrypt$v=1,n=20,r=9,p=1,sk=lSrfV15cpx95/sZS2W9c9A==" + salted,
		"firebase unknown":         "$fbscrypt$v=1,n=14,r=8,p=1,sk=lSrfV15cpx95/sZS2W9c9A==,x=1" + salted,
		"firebase malformed ss":    "$fbscrypt$v=1,n=14,r=8,p=1,ss=*,sk=lSrfV15cpx95/sZS2W9c9A==" + salted,
		"encrypted":                `{"key_id":"one","alg":"aes-gcm-hkdf","data":"AAAA","nonce":"dHdlbHZlIGJ5dGVz"}`,
	}
	h := password.New(1, rand.Reader)
	for name, hash := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, password.ValidHash(hash), password.ErrUnsupported)
			if hash != "" {
				require.ErrorIs(t, h.Compare(t.Context(), hash, "x"), password.ErrUnsupported)
			}
		})
	}
}

func TestFirebaseWithoutSeparator(t *testing.T) {
	t.Parallel()
	// The separator follows the salt, so "salt‖separator" as salt is the same hash.
	with := known()["firebase"][0]
	without := strings.Replace(with, ",ss=Bw==", "", 1)
	salt, err := base64.StdEncoding.DecodeString("42xEC+ixf3L2lw==")
	require.NoError(t, err)
	without = strings.Replace(without, "42xEC+ixf3L2lw==", base64.StdEncoding.EncodeToString(append(salt, 7)), 1)
	require.NoError(t, password.New(1, rand.Reader).Compare(t.Context(), without, "user1password"))
}

func TestArgon2Limits(t *testing.T) {
	t.Parallel()
	enc := base64.RawStdEncoding
	salt := []byte("0123456789abcdef")
	hash := "$argon2id$v=19$m=128,t=20,p=16$" + enc.EncodeToString(salt) + "$" +
		enc.EncodeToString(argon2.IDKey([]byte("x"), salt, 20, 128, 16, 64))
	require.NoError(t, password.New(1, rand.Reader).Compare(t.Context(), hash, "x"))
	require.NoError(t, password.ValidHash("$argon2i$v=19$m=1048576,t=20,p=16$AAAA$AAAAAAA"))
}

// Parsing never panics, and accepts nothing it would not check at bounded cost.
func FuzzValidHash(f *testing.F) {
	for _, vector := range known() {
		f.Add(vector[0])
	}
	f.Add("$argon2id$v=19$m=1048576,t=20,p=16$AAAA$AAAAAAA")
	h := password.New(1, rand.Reader)
	f.Fuzz(func(t *testing.T, hash string) {
		err := password.ValidHash(hash)
		if err != nil {
			require.ErrorIs(t, err, password.ErrUnsupported)
			return
		}
		require.LessOrEqual(t, len(hash), 1024)
		require.Regexp(t, `^\$(2[aby]|argon2id?|fbscrypt)\$`, hash)
		// What is valid gets as far as the work, which an ended context stops.
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := h.Compare(ctx, hash, "x"); !errors.Is(err, context.Canceled) {
			t.Fatalf("valid hash is not compared: %v", err)
		}
	})
}
