package keys_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/keys"
)

const testSecret = "a-secret-of-at-least-thirty-two-bytes"

// now is inside the life of the tokens that claimsAt makes.
func now() time.Time { return time.Unix(1_800_000_000, 0) }

func claims() jwt.MapClaims {
	return jwt.MapClaims{"sub": "alice", "exp": now().Unix() + 60}
}

// generate returns a new private key, its members open to change.
func generate(t testing.TB, alg string) map[string]any {
	t.Helper()
	text, err := keys.Generate(alg, rand.Reader)
	require.NoError(t, err)
	var m map[string]any
	require.NoError(t, json.Unmarshal(text, &m))
	return m
}

// list renders keys as the configuration holds them.
func list(t testing.TB, jwks ...map[string]any) string {
	t.Helper()
	text, err := json.Marshal(jwks)
	require.NoError(t, err)
	return string(text)
}

// without copies a key and leaves out some members.
func without(m map[string]any, names ...string) map[string]any {
	out := map[string]any{}
	for name, value := range m {
		out[name] = value
	}
	for _, name := range names {
		delete(out, name)
	}
	return out
}

func with(m map[string]any, name string, value any) map[string]any {
	out := without(m)
	out[name] = value
	return out
}

func newSet(t testing.TB, cfg keys.Config) *keys.Set {
	t.Helper()
	s, err := keys.New(cfg)
	require.NoError(t, err)
	return s
}

func TestSignAndParse(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"HS256", "ES256", "RS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			t.Parallel()
			s, kid := setOf(t, alg)
			require.Equal(t, alg, s.SigningMethod())
			require.Equal(t, alg != "HS256", s.Asymmetric())

			token, err := s.Sign("at+jwt", claims())
			require.NoError(t, err)
			var got jwt.MapClaims
			head, err := s.Parse(token, &got, now, "JWT", "at+jwt")
			require.NoError(t, err)
			require.Equal(t, keys.Token{Typ: "at+jwt", Kid: kid, Alg: alg}, head)
			require.Equal(t, "alice", got["sub"])

			_, err = s.Parse(token, &jwt.MapClaims{}, now, "JWT")
			require.ErrorIs(t, err, keys.ErrType)
			_, err = s.Parse(token[:len(token)-4]+"AAAA", &jwt.MapClaims{}, now)
			require.ErrorIs(t, err, jwt.ErrTokenSignatureInvalid)
		})
	}
}

// setOf returns a set that signs with alg, and the kid of its key.
func setOf(t testing.TB, alg string) (*keys.Set, string) {
	t.Helper()
	if alg == "HS256" {
		return newSet(t, keys.Config{Secret: testSecret, KeyID: "main"}), "main"
	}
	key := generate(t, alg)
	return newSet(t, keys.Config{Secret: testSecret, JWKs: list(t, key)}), key["kid"].(string)
}

func TestSignOmitsEmptyKid(t *testing.T) {
	t.Parallel()
	s := newSet(t, keys.Config{Secret: testSecret})
	token, err := s.Sign(`a"b`, claims())
	require.NoError(t, err)
	parsed, _, err := jwt.NewParser().ParseUnverified(token, jwt.MapClaims{})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"alg": "HS256", "typ": `a"b`}, parsed.Header)
	head, err := s.Parse(token, &jwt.MapClaims{}, now)
	require.NoError(t, err)
	require.Equal(t, keys.Token{Typ: `a"b`, Alg: "HS256"}, head)
}

// The vector of RFC 7515 appendix A.1 carries a line break in its header and
// has been expired since 2011; it verifies at a time before.
func TestParseRFC7515HS256(t *testing.T) {
	t.Parallel()
	const jwks = `[{"kty":"oct","key_ops":["sign","verify"],"k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}]`
	const token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9" +
		".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" +
		".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	s := newSet(t, keys.Config{JWKs: jwks})
	before := func() time.Time { return time.Unix(1300819379, 0) }
	head, err := s.Parse(token, &jwt.MapClaims{}, before, "jwt")
	require.NoError(t, err)
	require.Equal(t, "JWT", head.Typ)
	_, err = s.Parse(token, &jwt.MapClaims{}, now)
	require.EqualError(t, err, "token has invalid claims: token is expired")
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	a, b, rsaKey := generate(t, "ES256"), generate(t, "ES256"), generate(t, "RS256")
	tests := []struct {
		name, jwks, want string
	}{
		{"no signing key", list(t, without(a, "key_ops")), "no signing key found"},
		{"verify only", list(t, with(a, "key_ops", []string{"verify"})), "no signing key found"},
		{"two signing keys", list(t, a, b), "multiple signing keys detected, only 1 signing key is supported"},
		{"not an array", `{"keys":[]}`, "JWT keys are not a JSON array of JWKs"},
		{"cut off", `[{`, "JWT keys are not a JSON array of JWKs"},
		{"no key", `[1]`, "JWT key 1: not a JWK"},
		{"KMS", list(t, with(rsaKey, "aws:kms:arn", "arn:aws:kms:eu-west-1:1:key/1")), "JWT key 1: keys in AWS KMS (member aws:kms:arn) are not supported"},
		{"public part only", list(t, without(a, "d")), "JWT key 1: key_ops contains sign but the private part is missing"},
		{"parts of two keys", list(t, with(a, "d", b["d"])), "JWT key 1: private and public part of the key do not belong together"},
		{"algorithm of another type", list(t, with(rsaKey, "alg", "HS256")), `JWT key 1: algorithm "HS256" is unsupported or does not fit the key`},
		{"algorithm none", list(t, with(a, "alg", "none")), `JWT key 1: algorithm "none" is unsupported or does not fit the key`},
		{"empty oct", `[{"kty":"oct","k":"","key_ops":["sign"]}]`, "JWT key 1: symmetric key is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := keys.New(keys.Config{Secret: testSecret, JWKs: tt.jwks})
			require.EqualError(t, err, tt.want)
		})
	}
	for _, empty := range []string{"", "[]", " [ ] \n"} {
		_, err := keys.New(keys.Config{JWKs: empty})
		require.Error(t, err, "no secret, no keys")
		_, err = keys.New(keys.Config{Secret: testSecret, JWKs: empty})
		require.NoError(t, err)
	}
}

func TestErrorsNeverQuoteKeys(t *testing.T) {
	t.Parallel()
	for _, alg := range []string{"ES256", "RS256", "EdDSA"} {
		key := generate(t, alg)
		secret := key["d"].(string)
		for name := range without(key, "alg") { // alg is public and quoted
			_, err := keys.New(keys.Config{JWKs: list(t, with(key, name, secret[:20]), with(key, name, 7))})
			require.Error(t, err)
			require.NotContains(t, err.Error(), secret[:20], fmt.Sprintf("%s, member %s", alg, name))
		}
	}
}

func TestEqualKidsOverwrite(t *testing.T) {
	t.Parallel()
	old, cur := with(generate(t, "ES256"), "kid", "k"), with(generate(t, "EdDSA"), "kid", "k")
	s := newSet(t, keys.Config{JWKs: list(t, old, cur)})
	require.Equal(t, "EdDSA", s.SigningMethod())
	require.Equal(t, 1, strings.Count(string(s.JWKS()), `"kid"`))
}
