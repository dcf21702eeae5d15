package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// minDigestBytes is the shortest Argon2 tag (RFC 9106 §3.1).
const minDigestBytes = 4

// param reads `name=value`, value a decimal number from 1 to limit without
// leading zeros.
func param(text, name string, limit int) (int, error) {
	digits, ok := strings.CutPrefix(text, name+"=")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || strconv.Itoa(n) != digits {
		return 0, fmt.Errorf("parameter %s is missing or malformed", name)
	}
	if n < 1 || n > limit {
		return 0, fmt.Errorf("parameter %s must be from 1 to %d", name, limit)
	}
	return n, nil
}

func saltAndHash(enc *base64.Encoding, saltText, hashText string) (salt, hash []byte, err error) {
	if salt, err = decode(enc, saltText); err != nil {
		return nil, nil, err
	}
	if hash, err = decode(enc, hashText); err != nil {
		return nil, nil, err
	}
	if len(salt) == 0 || len(hash) < minDigestBytes {
		return nil, nil, errors.New("salt or hash is too short")
	}
	return salt, hash, nil
}

// decode hides the decoder's error, which would quote nothing useful.
func decode(enc *base64.Encoding, text string) ([]byte, error) {
	b, err := enc.DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("malformed base64")
	}
	return b, nil
}
