package password

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Limits on imported Argon2 hashes: what a single login may cost.
const (
	argon2MaxMemory  = 1 << 20 // KiB
	argon2MaxTime    = 20      // passes
	argon2MaxThreads = 16
)

// parseArgon2 reads a PHC string of Argon2i or Argon2id, version 19 (RFC 9106
// §3.1): `$argon2id$v=19$m=<KiB>,t=<passes>,p=<lanes>$<salt>$<hash>`, base64
// without padding. Argon2d is refused because it leaks through side channels,
// and so are the optional keyid and data parameters.
func parseArgon2(hash string) (checker, error) {
	refuse := func(why string) (checker, error) {
		return nil, fmt.Errorf("%w: argon2: %s", ErrUnsupported, why)
	}
	part := strings.Split(hash, "$")
	if len(part) != 6 {
		return refuse("malformed")
	}
	derive := argon2.IDKey
	switch part[1] {
	case "argon2id":
	case "argon2i":
		derive = argon2.Key
	default:
		return refuse("variant must be argon2i or argon2id")
	}
	if part[2] != "v=19" {
		return refuse("version must be 19")
	}
	cost, err := argon2Params(part[3])
	if err != nil {
		return refuse(err.Error())
	}
	salt, want, err := saltAndHash(base64.RawStdEncoding, part[4], part[5])
	if err != nil {
		return refuse(err.Error())
	}
	return func(plain string) error {
		got := derive([]byte(plain), salt, cost.time, cost.memory, cost.threads, uint32(len(want))) //nolint:gosec // hash text is at most 1 KiB
		if subtle.ConstantTimeCompare(got, want) != 1 {
			return ErrMismatch
		}
		return nil
	}, nil
}

type argon2Cost struct {
	memory, time uint32
	threads      uint8
}

func argon2Params(text string) (argon2Cost, error) {
	params := strings.Split(text, ",")
	if len(params) != 3 {
		return argon2Cost{}, fmt.Errorf("parameters must be m, t and p")
	}
	m, err := param(params[0], "m", argon2MaxMemory)
	if err != nil {
		return argon2Cost{}, err
	}
	t, err := param(params[1], "t", argon2MaxTime)
	if err != nil {
		return argon2Cost{}, err
	}
	p, err := param(params[2], "p", argon2MaxThreads)
	if err != nil {
		return argon2Cost{}, err
	}
	if m < 8*p { // RFC 9106 §3.1
		return argon2Cost{}, fmt.Errorf("m must be at least 8 times p")
	}
	return argon2Cost{memory: uint32(m), time: uint32(t), threads: uint8(p)}, nil //nolint:gosec // bounded above
}
