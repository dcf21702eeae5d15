package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

const (
	envelopeAlg = "aes-gcm-hkdf"
	nonceBytes  = 12
)

var (
	// ErrUnknownKey is returned by [Box.Open] for a value that is encrypted
	// under a key which is not configured.
	ErrUnknownKey = errors.New("encrypted value names an unknown key")
	// ErrDecrypt is returned by [Box.Open] for a value that was changed, was
	// moved from another row, or was encrypted under a different key.
	ErrDecrypt = errors.New("encrypted value cannot be decrypted")
)

// BoxConfig says how columns are encrypted. Keys are 32 bytes as base64url
// text without padding.
type BoxConfig struct {
	Encrypt        bool              // encrypt on write; reading always decrypts
	KeyID          string            // names the key for writing; required with Encrypt
	Key            string            // the key for writing; required with Encrypt
	DecryptionKeys map[string]string // keys for reading by id, the writing key among them
}

// A Box encrypts single database values in GoTrue's format. Each row has its
// own key, derived from the configured one and the row's id, so that a value
// copied into another row does not decrypt there. A Box is safe for concurrent
// use.
type Box struct {
	encrypt bool
	keyID   string
	keys    map[string][]byte
	random  io.Reader
}

// envelope is the stored text. The order of the fields is part of the format.
type envelope struct {
	KeyID string `json:"key_id"`
	Alg   string `json:"alg"`
	Data  []byte `json:"data"`
	Nonce []byte `json:"nonce"`
}

// NewBox checks the configuration and decodes its keys. Nonces are read from
// random. The error joins all problems found, in GoTrue's words.
func NewBox(cfg BoxConfig, random io.Reader) (*Box, error) {
	b := &Box{encrypt: cfg.Encrypt, keyID: cfg.KeyID, keys: map[string][]byte{}, random: random}
	var problems []error
	for _, id := range slices.Sorted(maps.Keys(cfg.DecryptionKeys)) {
		key, err := ParseKey(cfg.DecryptionKeys[id])
		if err != nil {
			problems = append(problems, fmt.Errorf("decryption key with ID %q must be 256 bits", id))
			continue
		}
		b.keys[id] = key
	}
	if cfg.Encrypt {
		problems = append(problems, checkWritingKey(cfg)...)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	return b, nil
}

func checkWritingKey(cfg BoxConfig) (problems []error) {
	if cfg.KeyID == "" {
		problems = append(problems, errors.New("encryption key ID must be specified"))
	}
	if _, err := ParseKey(cfg.Key); err != nil {
		problems = append(problems, errors.New("encryption key is not 256 bits"))
	}
	// A different key under the same id would write values nobody can read.
	if known, ok := cfg.DecryptionKeys[cfg.KeyID]; !ok || known != cfg.Key {
		problems = append(problems, errors.New("encryption key must also be present in decryption keys"))
	}
	return problems
}

// Seal returns the text to store for plaintext in the row with the given UUID:
// an envelope, or plaintext itself when encryption is off. With encryption off
// it refuses plaintext that [Box.Open] would take for an envelope.
func (b *Box) Seal(id, plaintext string) (string, error) {
	if !b.encrypt {
		if _, ok := parseEnvelope(plaintext); ok {
			return "", errors.New("seal: plain text has the form of an encrypted value")
		}
		return plaintext, nil
	}
	aead, err := rowCipher(b.keys[b.keyID], id)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	nonce, err := randomBytes(b.random, nonceBytes)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	text, err := json.Marshal(envelope{
		KeyID: b.keyID,
		Alg:   envelopeAlg,
		Data:  aead.Seal(nil, nonce, []byte(plaintext), nil),
		Nonce: nonce,
	})
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return string(text), nil
}

// Open returns the plain text of a stored value of the row with the given
// UUID. Text that is not an envelope is plain already. stale says that
// encryption is on and the value should be written again because it is plain
// or under an older key. Errors are [ErrUnknownKey] and [ErrDecrypt].
func (b *Box) Open(id, stored string) (plain string, stale bool, err error) {
	e, ok := parseEnvelope(stored)
	if !ok {
		return stored, b.encrypt, nil
	}
	key, ok := b.keys[e.KeyID]
	if !ok {
		return "", false, fmt.Errorf("open: %w: %q", ErrUnknownKey, e.KeyID)
	}
	aead, err := rowCipher(key, id)
	if err != nil {
		return "", false, fmt.Errorf("open: %w", err)
	}
	text, err := aead.Open(nil, e.Nonce, e.Data, nil)
	if err != nil {
		return "", false, fmt.Errorf("open: %w", ErrDecrypt)
	}
	return string(text), b.encrypt && e.KeyID != b.keyID, nil
}

// parseEnvelope recognises an encrypted value. Whatever is not one is plain
// text, because columns may hold values from before encryption was switched on.
func parseEnvelope(stored string) (envelope, bool) {
	var e envelope
	if !strings.HasPrefix(stored, "{") || json.Unmarshal([]byte(stored), &e) != nil {
		return envelope{}, false
	}
	ok := e.KeyID != "" && e.Alg == envelopeAlg && len(e.Data) > 0 && len(e.Nonce) == nonceBytes
	return e, ok
}

// rowCipher derives the key of one row (RFC 5869, no salt, the row's id as
// info) and returns AES-256-GCM under it.
func rowCipher(master []byte, id string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, master, nil, strings.ToLower(id), keyBytes)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	return cipher.NewGCM(block)
}
