package password

import (
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// argon2MinWork is the least memory in KiB times passes that the usual advice
// for Argon2 allows (7 MiB with 5 passes; more memory needs fewer passes).
const argon2MinWork = 7168 * 5

// Outdated reports whether a valid hash protects its password worse than the
// ones that [Hasher.Hash] makes: bcrypt below cost 10, Argon2 with too little
// work, and every Firebase hash, since its key is the whole project's. Replace
// it when the password is at hand.
func Outdated(hash string) bool {
	if strings.HasPrefix(hash, "$argon2") {
		part := strings.Split(hash, "$")
		if len(part) != 6 {
			return false
		}
		cost, err := argon2Params(part[3])
		return err == nil && uint64(cost.memory)*uint64(cost.time) < argon2MinWork
	}
	if strings.HasPrefix(hash, "$fbscrypt$") {
		return true
	}
	cost, err := bcrypt.Cost([]byte(hash))
	return err == nil && cost < bcryptCost
}
