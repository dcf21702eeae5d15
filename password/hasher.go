package password

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

const (
	bcryptCost = 10
	maxBytes   = 72 // bcrypt ignores what follows

	maxHashBytes = 1024 // longer text is not a hash, whatever it says

	// dummyHash has the form and the cost of a hash of ours and was made of
	// no password.
	dummyHash = "$2a$10$......................" + "..............................."
)

var (
	// ErrMismatch is returned when the password is not the one of the hash.
	ErrMismatch = errors.New("password does not match")
	// ErrNoPassword is returned when there is no hash, so no password fits.
	ErrNoPassword = errors.New("no password set")
	// ErrUnsupported is returned for a hash of unknown or refused form.
	ErrUnsupported = errors.New("unsupported password hash")
	// ErrTooLong is returned for a new password above 72 bytes. Its text is
	// the one GoTrue shows.
	ErrTooLong = errors.New("Password cannot be longer than 72 characters") //nolint:staticcheck // shown to users as it is
)

// A Hasher computes and compares password hashes. It is safe for concurrent
// use; make one per process with [New].
type Hasher struct {
	slots  chan struct{}
	random io.Reader
}

// New returns a Hasher that works on at most concurrency passwords at once
// (at least one); further callers wait in line until their context ends. As many
// as there are processors keep them busy; GOMAXPROCS must be larger, so that a
// storm of logins leaves Go's scheduler room for the rest. random serves [Hasher.Unguessable].
func New(concurrency int, random io.Reader) *Hasher {
	return &Hasher{slots: make(chan struct{}, max(concurrency, 1)), random: random}
}

// Hash returns the bcrypt hash of plain at cost 10. It fails with [ErrTooLong]
// or with the context's error.
func (h *Hasher) Hash(ctx context.Context, plain string) (string, error) {
	if err := CheckLength(plain); err != nil {
		return "", err
	}
	var hash []byte
	err := h.work(ctx, func() (err error) {
		hash, err = bcrypt.GenerateFromPassword([]byte(plain), bcryptCost)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// Unguessable returns a bcrypt hash to which nobody knows a password: random
// salt and digest, made without bcrypt's work. It stands where GoTrue stores
// the hash of a random password that is thrown away at once.
func (h *Hasher) Unguessable() (string, error) {
	const saltBytes, digestBytes = 16, 23
	b := make([]byte, saltBytes+digestBytes)
	if _, err := io.ReadFull(h.random, b); err != nil {
		return "", fmt.Errorf("make unguessable hash: %w", err)
	}
	enc := base64.NewEncoding("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789").WithPadding(base64.NoPadding)
	return fmt.Sprintf("$2a$%02d$%s%s", bcryptCost, enc.EncodeToString(b[:saltBytes]), enc.EncodeToString(b[saltBytes:])), nil
}

// Compare returns nil when plain is the password of hash, else [ErrMismatch],
// [ErrNoPassword] for an empty hash, [ErrUnsupported] for one that cannot be
// checked, or the context's error. An empty hash costs as much time as a
// bcrypt hash of ours, so that an answer's time does not tell who has a password.
func (h *Hasher) Compare(ctx context.Context, hash, plain string) error {
	if hash == "" {
		if err := h.CompareDummy(ctx, plain); !errors.Is(err, ErrMismatch) {
			return err
		}
		return ErrNoPassword
	}
	check, err := parse(hash)
	if err != nil {
		return fmt.Errorf("compare password: %w", err)
	}
	if err := h.work(ctx, func() error { return check(plain) }); err != nil {
		return fmt.Errorf("compare password: %w", err)
	}
	return nil
}

// CompareDummy does the work of a comparison that cannot succeed and returns
// [ErrMismatch] or the context's error. Call it for unknown users: otherwise
// the fast answer tells which accounts exist.
func (h *Hasher) CompareDummy(ctx context.Context, plain string) error {
	if err := h.Compare(ctx, dummyHash, plain); err != nil {
		return err
	}
	return ErrMismatch
}

// ValidHash returns nil when [Hasher.Compare] can check passwords against
// hash, else an error wrapping [ErrUnsupported]. It checks imported hashes,
// limits on their cost included, without computing anything.
func ValidHash(hash string) error {
	_, err := parse(hash)
	return err
}

// work runs f in one of the slots. Hashing cannot be interrupted, so the
// context counts only while waiting.
func (h *Hasher) work(ctx context.Context, f func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case h.slots <- struct{}{}:
		defer func() { <-h.slots }()
		return inBackground(f)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// checker compares one parsed hash with a password: nil or ErrMismatch.
type checker func(plain string) error

func parse(hash string) (checker, error) {
	switch {
	case len(hash) > maxHashBytes:
		return nil, fmt.Errorf("%w: too long", ErrUnsupported)
	case strings.HasPrefix(hash, "$argon2"):
		return parseArgon2(hash)
	case strings.HasPrefix(hash, "$fbscrypt$"):
		return parseFirebase(hash)
	}
	return parseBcrypt(hash)
}
