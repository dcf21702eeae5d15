package password

import (
	"errors"
	"fmt"
	"regexp"

	"golang.org/x/crypto/bcrypt"
)

var bcryptForm = regexp.MustCompile(`^\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}$`)

// parseBcrypt reads `$2a$10$` followed by 22 characters of salt and 31 of
// digest. Versions a, b and y compute the same here: they differ in mistakes
// of other implementations which this one never made.
func parseBcrypt(hash string) (checker, error) {
	if !bcryptForm.MatchString(hash) {
		return nil, fmt.Errorf("%w: not a bcrypt, argon2 or fbscrypt hash", ErrUnsupported)
	}
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil || cost > bcrypt.MaxCost {
		return nil, fmt.Errorf("%w: bcrypt cost out of range", ErrUnsupported)
	}
	return func(plain string) error {
		err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(plain))
		if errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
			return ErrMismatch
		}
		return err
	}, nil
}
