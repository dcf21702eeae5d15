package secret_test

import (
	"crypto/rand"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/secret"
)

func TestSlowDigest(t *testing.T) {
	t.Parallel()
	salt, err := secret.Salt(rand.Reader)
	require.NoError(t, err)
	other, err := secret.Salt(rand.Reader)
	require.NoError(t, err)
	require.NotEqual(t, salt, other)

	digest := func(salt, value string) string {
		t.Helper()
		d, err := secret.SlowDigest(salt, value)
		require.NoError(t, err)
		return d
	}
	require.Regexp(t, `^[A-Za-z0-9_-]{43}$`, digest(salt, "value"))
	require.Equal(t, digest(salt, "value"), digest(salt, "value"))
	require.NotEqual(t, digest(salt, "value"), digest(other, "value"), "equal values of two sets differ")
	require.NotEqual(t, digest(salt, "value"), digest(salt, "valuf"))
	// A stored digest must stay readable: neither algorithm nor cost may change
	// without a new form.
	require.Equal(t, "sX6_C69Qb6onv4TT3RVu_a_EAHliHVj823nPxYvy1X0", digest("AAAAAAAAAAAAAAAAAAAAAA", "k4m9x7qp2ab8ht3z"))
}
