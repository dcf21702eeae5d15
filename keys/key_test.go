package keys_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/keys"
)

// signingKey renders key material as a JWK that signs.
func signingKey(t testing.TB, material any, alg string) map[string]any {
	t.Helper()
	text, err := jose.JSONWebKey{Key: material, KeyID: "k", Algorithm: alg}.MarshalJSON()
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	return with(m, "key_ops", []string{"sign"})
}

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

func TestAlgorithmOfTheKey(t *testing.T) {
	t.Parallel()
	rsaKey := without(generate(t, "RS256"), "alg")
	tests := []struct {
		name string
		key  map[string]any
		want string
	}{
		{"ES512", signingKey(t, ecKey(t, elliptic.P521()), "ES512"), "ES512"},
		{"P-521 without alg", signingKey(t, ecKey(t, elliptic.P521()), ""), "ES512"},
		{"P-256 without alg", signingKey(t, ecKey(t, elliptic.P256()), ""), "ES256"},
		{"RS512", with(rsaKey, "alg", "RS512"), "RS512"},
		{"RSA without alg", rsaKey, "RS256"},
		{"oct without alg", map[string]any{"kty": "oct", "k": "c2VjcmV0", "key_ops": []string{"sign"}}, "HS256"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSet(t, keys.Config{JWKs: list(t, tt.key)})
			require.Equal(t, tt.want, s.SigningMethod())
			token, err := s.Sign("JWT", claims())
			require.NoError(t, err)
			head, err := s.Parse(token, &jwt.MapClaims{}, now, "JWT")
			require.NoError(t, err)
			require.Equal(t, tt.want, head.Alg)
		})
	}
}

func TestUnfitKeys(t *testing.T) {
	t.Parallel()
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	require.NoError(t, err)
	for want, key := range map[string]map[string]any{
		"JWT key 1: RSA key is shorter than 2048 bits":                            signingKey(t, weak, "RS256"),
		"JWT key 1: curve must be P-256 or P-521":                                 signingKey(t, ecKey(t, elliptic.P384()), "ES384"),
		`JWT key 1: algorithm "ES256" is unsupported or does not fit the key`:     signingKey(t, ecKey(t, elliptic.P521()), "ES256"),
		`JWT key 1: algorithm "PS256" is unsupported or does not fit the key`:     with(generate(t, "RS256"), "alg", "PS256"),
		"JWT key 1: not a usable JWK: go-jose/go-jose: missing json web key type": without(generate(t, "ES256"), "kty"),
	} {
		_, err := keys.New(keys.Config{JWKs: list(t, key)})
		require.EqualError(t, err, want)
	}
}
