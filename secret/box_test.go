package secret_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/secret"
)

const rowID = "5d0c6a4e-8f0b-4a5e-9a57-2f6f3b1d0c11"

func keyText(fill byte) string {
	return base64.RawURLEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32))
}

func newBox(t testing.TB, cfg secret.BoxConfig) *secret.Box {
	t.Helper()
	b, err := secret.NewBox(cfg, rand.Reader)
	require.NoError(t, err)
	return b
}

func writing(keyID string, fill byte) secret.BoxConfig {
	return secret.BoxConfig{
		Encrypt: true, KeyID: keyID, Key: keyText(fill),
		DecryptionKeys: map[string]string{"one": keyText(1), "two": keyText(2)},
	}
}

// TestSealForm rebuilds an envelope from first principles: HKDF is one HMAC to
// extract (RFC 5869 §2.2, zero salt) and one to expand (§2.3).
func TestSealForm(t *testing.T) {
	t.Parallel()
	nonce := []byte("twelve bytes")
	b, err := secret.NewBox(writing("one", 1), bytes.NewReader(nonce))
	require.NoError(t, err)
	got, err := b.Seal(strings.ToUpper(rowID), "JBSWY3DPEHPK3PXP")
	require.NoError(t, err)

	mac := func(key, text []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(text)
		return h.Sum(nil)
	}
	rowKey := mac(mac(make([]byte, 32), bytes.Repeat([]byte{1}, 32)), append([]byte(rowID), 1))
	block, err := aes.NewCipher(rowKey)
	require.NoError(t, err)
	gcm, err := cipher.NewGCM(block)
	require.NoError(t, err)
	data := base64.StdEncoding.EncodeToString(gcm.Seal(nil, nonce, []byte("JBSWY3DPEHPK3PXP"), nil))
	require.Equal(t, `{"key_id":"one","alg":"aes-gcm-hkdf","data":"`+data+`","nonce":"dHdlbHZlIGJ5dGVz"}`, got)

	_, err = b.Seal(rowID, "x")
	require.Error(t, err, "no chance left")
}

// An envelope of a bcrypt hash must fit into varchar(255).
func TestSealedHashFitsColumn(t *testing.T) {
	t.Parallel()
	got, err := newBox(t, writing("one", 1)).Seal(rowID, strings.Repeat("x", 60))
	require.NoError(t, err)
	require.Len(t, got, 175+len("one"))
}

func TestOpen(t *testing.T) {
	t.Parallel()
	one, two := newBox(t, writing("one", 1)), newBox(t, writing("two", 2))
	off := newBox(t, secret.BoxConfig{DecryptionKeys: map[string]string{"one": keyText(1)}})
	sealed, err := one.Seal(rowID, "plain")
	require.NoError(t, err)

	tests := []struct {
		name   string
		box    *secret.Box
		stored string
		stale  bool
	}{
		{"same key", one, sealed, false},
		{"older key", two, sealed, true},
		{"encryption switched off", off, sealed, false},
		{"plain text from before", one, "plain", true},
		{"plain text, off", off, "plain", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			plain, stale, err := tt.box.Open(rowID, tt.stored)
			require.NoError(t, err)
			require.Equal(t, "plain", plain)
			require.Equal(t, tt.stale, stale)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	b := newBox(t, writing("one", 1))
	sealed, err := b.Seal(rowID, "plain")
	require.NoError(t, err)

	_, _, err = b.Open("00000000-0000-4000-8000-000000000000", sealed)
	require.ErrorIs(t, err, secret.ErrDecrypt, "moved to another row")
	_, _, err = b.Open(rowID, strings.Replace(sealed, `"one"`, `"two"`, 1))
	require.ErrorIs(t, err, secret.ErrDecrypt, "another key")
	_, _, err = b.Open(rowID, strings.Replace(sealed, `"one"`, `"three"`, 1))
	require.ErrorIs(t, err, secret.ErrUnknownKey)
}

// What is not wholly an envelope is plain text.
func TestOpenRecognition(t *testing.T) {
	t.Parallel()
	b := newBox(t, writing("one", 1))
	sealed, err := b.Seal(rowID, "plain")
	require.NoError(t, err)
	for _, stored := range []string{
		"", "{", "{}", " " + sealed, sealed + "x", "[" + sealed + "]",
		strings.Replace(sealed, "aes-gcm-hkdf", "aes", 1),
		strings.Replace(sealed, `"one"`, `""`, 1),
		strings.Replace(sealed, `"nonce":"`, `"nonce":"AAAA`, 1),
		strings.Replace(sealed, `"data":"`, `"data":"*`, 1),
		`{"key_id":"one","alg":"aes-gcm-hkdf","data":"","nonce":"dHdlbHZlIGJ5dGVz"}`,
	} {
		plain, stale, err := b.Open(rowID, stored)
		require.NoError(t, err)
		require.Equal(t, stored, plain)
		require.True(t, stale)
	}
}

// Without encryption a plain text must not be stored that reads as an envelope.
func TestSealOff(t *testing.T) {
	t.Parallel()
	off := newBox(t, secret.BoxConfig{})
	got, err := off.Seal(rowID, "{plain}")
	require.NoError(t, err)
	require.Equal(t, "{plain}", got)

	sealed, err := newBox(t, writing("one", 1)).Seal(rowID, "x")
	require.NoError(t, err)
	_, err = off.Seal(rowID, sealed)
	require.Error(t, err)
}

func TestNewBoxReportsAllProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		cfg  secret.BoxConfig
		want string
	}{
		{"nothing set", secret.BoxConfig{Encrypt: true}, "encryption key ID must be specified\n" +
			"encryption key is not 256 bits\nencryption key must also be present in decryption keys"},
		{"short key for reading", secret.BoxConfig{DecryptionKeys: map[string]string{"b": "AAAA", "a": ""}},
			"decryption key with ID \"a\" must be 256 bits\ndecryption key with ID \"b\" must be 256 bits"},
		{"another key under the same id", writing("one", 2), "encryption key must also be present in decryption keys"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := secret.NewBox(tt.cfg, rand.Reader)
			require.EqualError(t, err, tt.want)
		})
	}
}

// Stored text never panics; what opens is either plain or was sealed here.
func FuzzOpen(f *testing.F) {
	b := newBox(f, writing("one", 1))
	sealed, err := b.Seal(rowID, "plain")
	require.NoError(f, err)
	f.Add(sealed)
	f.Add("{}")
	f.Add("$2a$10$abc")
	f.Fuzz(func(t *testing.T, stored string) {
		plain, stale, err := b.Open(rowID, stored)
		if err != nil {
			require.Empty(t, plain)
			return
		}
		if plain != stored {
			require.Equal(t, "plain", plain, "nobody else can seal")
			require.False(t, stale)
		}
	})
}

// What is sealed opens to itself.
func FuzzSeal(f *testing.F) {
	b := newBox(f, writing("one", 1))
	f.Add(rowID, "plain")
	f.Add("", "")
	f.Fuzz(func(t *testing.T, id, plain string) {
		sealed, err := b.Seal(id, plain)
		require.NoError(t, err)
		require.True(t, json.Valid([]byte(sealed)))
		got, stale, err := b.Open(id, sealed)
		require.NoError(t, err)
		require.Equal(t, plain, got)
		require.False(t, stale)
	})
}
