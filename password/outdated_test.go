package password_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/password"
)

func TestOutdated(t *testing.T) {
	t.Parallel()
	const argonTail = "$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc"
	for hash, want := range map[string]bool{
		"$2a$04$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe": true,
		"$2a$10$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe": false,
		"$2b$12$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe": false,
		"$argon2id$v=19$m=19456,t=2,p=1" + argonTail:                   false,
		"$argon2id$v=19$m=65536,t=1,p=4" + argonTail:                   false,
		"$argon2id$v=19$m=7168,t=5,p=1" + argonTail:                    false,
		"$argon2id$v=19$m=7168,t=4,p=1" + argonTail:                    true,
		"$argon2i$v=19$m=4096,t=3,p=1" + argonTail:                     true,
		"$fbscrypt$v=1,n=14,r=8,p=1,sk=AAAA$42xEC+ixf3L2lw==$AAAA":     true,
		"": false, "nonsense": false, "$argon2id$": false,
	} {
		require.Equal(t, want, password.Outdated(hash), hash)
	}
}
