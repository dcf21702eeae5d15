package password

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// Limits on imported Firebase hashes: what a single login may cost.
const (
	firebaseMaxExponent = 20
	firebaseMaxRounds   = 1024
	firebaseMaxThreads  = 16
	firebaseMaxMemory   = 1 << 30 // bytes
	firebaseKeyBytes    = 32
)

type firebaseHash struct {
	exponent, r, p    int
	separator, signer []byte
	salt, want        []byte
}

// parseFirebase reads `$fbscrypt$v=1,n=<exponent>,r=<r>,p=<p>[,ss=<salt
// separator>],sk=<signer key>$<salt>$<hash>`, standard base64. Firebase's
// scrypt does not store the derived key: it encrypts the project's signer key
// with it and stores the result. A hash without signer key would match every
// password, so it is refused.
func parseFirebase(hash string) (checker, error) {
	part := strings.Split(hash, "$")
	if len(part) != 5 {
		return nil, fmt.Errorf("%w: fbscrypt: malformed", ErrUnsupported)
	}
	var f firebaseHash
	err := f.parseParams(strings.Split(part[2], ","))
	if err == nil {
		f.salt, f.want, err = saltAndHash(base64.StdEncoding, part[3], part[4])
	}
	if err == nil && len(f.signer) != len(f.want) {
		err = errors.New("signer key and hash differ in length")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: fbscrypt: %w", ErrUnsupported, err)
	}
	return f.check, nil
}

func (f *firebaseHash) parseParams(params []string) (err error) {
	if len(params) < 5 || params[0] != "v=1" {
		return errors.New("parameters must be v=1, n, r, p and sk")
	}
	if f.exponent, err = param(params[1], "n", firebaseMaxExponent); err != nil {
		return err
	}
	if f.r, err = param(params[2], "r", firebaseMaxRounds); err != nil {
		return err
	}
	if f.p, err = param(params[3], "p", firebaseMaxThreads); err != nil {
		return err
	}
	if 128*f.r<<f.exponent > firebaseMaxMemory {
		return errors.New("n and r ask for more than 1 GiB")
	}
	rest := params[4:]
	if text, ok := strings.CutPrefix(rest[0], "ss="); ok {
		if f.separator, err = decode(base64.StdEncoding, text); err != nil {
			return err
		}
		rest = rest[1:]
	}
	if len(rest) != 1 || !strings.HasPrefix(rest[0], "sk=") {
		return errors.New("signer key is missing")
	}
	f.signer, err = decode(base64.StdEncoding, rest[0][len("sk="):])
	return err
}

func (f *firebaseHash) check(plain string) error {
	salt := append(append([]byte(nil), f.salt...), f.separator...)
	key, err := scrypt.Key([]byte(plain), salt, 1<<f.exponent, f.r, f.p, firebaseKeyBytes)
	if err != nil {
		return fmt.Errorf("%w: fbscrypt: %w", ErrUnsupported, err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return fmt.Errorf("fbscrypt: %w", err)
	}
	got := make([]byte, len(f.signer))
	cipher.NewCTR(block, make([]byte, aes.BlockSize)).XORKeyStream(got, f.signer)
	if subtle.ConstantTimeCompare(got, f.want) != 1 {
		return ErrMismatch
	}
	return nil
}
