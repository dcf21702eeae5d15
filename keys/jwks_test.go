package keys_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/keys"
)

func TestJWKSHoldsPublicPartsOnly(t *testing.T) {
	t.Parallel()
	rsaKey, ec := generate(t, "RS256"), generate(t, "ES256")
	old := without(generate(t, "EdDSA"), "key_ops")
	secret := map[string]any{"kty": "oct", "k": "c2VjcmV0", "kid": "hmac", "alg": "HS256"}
	delete(rsaKey, "key_ops")
	s := newSet(t, keys.Config{JWKs: list(t, rsaKey, secret, old, ec)})

	public := func(m map[string]any) map[string]any {
		m = without(m, "d", "p", "q", "dp", "dq", "qi")
		m["use"], m["key_ops"] = "sig", []any{"verify"}
		return m
	}
	var got map[string][]map[string]any
	require.NoError(t, json.Unmarshal(s.JWKS(), &got))
	require.Equal(t, map[string][]map[string]any{"keys": {public(ec), public(rsaKey), public(old)}}, got,
		"the signing key comes first")
	require.Equal(t, []string{"ES256"}, s.PublicAlgs())
}

func TestJWKSOfSecret(t *testing.T) {
	t.Parallel()
	s := newSet(t, keys.Config{Secret: testSecret, KeyID: "main"})
	require.Equal(t, `{"keys":[]}`, string(s.JWKS()))
	require.Empty(t, s.PublicAlgs())
}

// TestRFC7638Thumbprint renders the key of RFC 7638 §3.1, whose thumbprint is
// published, through the JWK Set, and hashes it the way [wantKid] does.
func TestRFC7638Thumbprint(t *testing.T) {
	t.Parallel()
	example := map[string]any{
		"kty": "RSA", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29",
		"n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs" +
			"tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbI" +
			"SD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
	}
	s := newSet(t, keys.Config{JWKs: list(t, generate(t, "ES256"), example)})
	var got struct{ Keys []map[string]any }
	require.NoError(t, json.Unmarshal(s.JWKS(), &got))
	require.Equal(t, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", wantKid(t, got.Keys[1]))
}

// wantKid computes an RFC 7638 thumbprint: the required members in
// lexicographic order, without white space.
func wantKid(t testing.TB, m map[string]any) string {
	t.Helper()
	var text string
	switch m["kty"] {
	case "RSA":
		text = fmt.Sprintf(`{"e":%q,"kty":"RSA","n":%q}`, m["e"], m["n"])
	case "EC":
		text = fmt.Sprintf(`{"crv":%q,"kty":"EC","x":%q,"y":%q}`, m["crv"], m["x"], m["y"])
	case "OKP":
		text = fmt.Sprintf(`{"crv":%q,"kty":"OKP","x":%q}`, m["crv"], m["x"])
	}
	sum := sha256.Sum256([]byte(text))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func TestGenerate(t *testing.T) {
	t.Parallel()
	for alg, kty := range map[string]string{"ES256": "EC", "RS256": "RSA", "EdDSA": "OKP"} {
		m := generate(t, alg)
		require.Equal(t, kty, m["kty"])
		require.Equal(t, alg, m["alg"])
		require.Equal(t, "sig", m["use"])
		require.Equal(t, []any{"sign", "verify"}, m["key_ops"])
		require.Equal(t, wantKid(t, m), m["kid"])
		require.NotEqual(t, m["kid"], generate(t, alg)["kid"])
	}
	_, err := keys.Generate("HS256", rand.Reader)
	require.Error(t, err)
}
