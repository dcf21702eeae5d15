package oauth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/oauth"
)

// RFC 8252 §8.6: no automatic approval for a client that cannot be told apart
// from an impostor.
func TestIdentityAssured(t *testing.T) {
	t.Parallel()
	require.True(t, oauth.IdentityAssured(oauth.ClientConfidential, "http://127.0.0.1/cb"))
	require.True(t, oauth.IdentityAssured(oauth.ClientPublic, "https://client.test/cb"))
	require.False(t, oauth.IdentityAssured(oauth.ClientPublic, "http://127.0.0.1/cb"))
	require.False(t, oauth.IdentityAssured(oauth.ClientPublic, "com.example.app:/cb"))
}
