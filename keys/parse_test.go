package keys_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/keys"
)

// forge signs with any method and key and any header.
func forge(t testing.TB, method jwt.SigningMethod, key any, header map[string]any, body jwt.Claims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, body)
	for name, value := range header {
		token.Header[name] = value
	}
	text, err := token.SignedString(key)
	require.NoError(t, err)
	return text
}

// material returns the Go form of a JWK.
func material(t testing.TB, key map[string]any) any {
	t.Helper()
	text, err := json.Marshal(key)
	require.NoError(t, err)
	var parsed jose.JSONWebKey
	require.NoError(t, parsed.UnmarshalJSON(text))
	return parsed.Key
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	key := generate(t, "ES256")
	kid, private := key["kid"].(string), material(t, key)
	other := material(t, generate(t, "ES256"))
	s := newSet(t, keys.Config{
		Secret: testSecret, KeyID: "legacy", JWKs: list(t, key), ValidMethods: []string{"ES256", "HS256"},
	})
	head := map[string]any{"kid": kid}
	es, hs, secret := jwt.SigningMethodES256, jwt.SigningMethodHS256, []byte(testSecret)
	tests := []struct {
		name, token, want string
		is                error
	}{
		{"no dots", "nonsense", "token is malformed: token contains an invalid number of segments", jwt.ErrTokenMalformed},
		{"header not base64", "*.e30.x", "token is malformed: could not base64 decode header: illegal base64 data at input byte 0", jwt.ErrTokenMalformed},
		{"none", forge(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, head, claims()), "token signature is invalid: signing method none is invalid", jwt.ErrTokenSignatureInvalid},
		{"method not accepted", forge(t, jwt.SigningMethodHS512, secret, nil, claims()), "token signature is invalid: signing method HS512 is invalid", jwt.ErrTokenSignatureInvalid},
		{"unknown kid", forge(t, es, private, map[string]any{"kid": "nope"}, claims()), "token is unverifiable: error while executing keyfunc: unrecognized JWT kid nope for algorithm ES256", jwt.ErrTokenUnverifiable},
		{"missing kid", forge(t, es, private, nil, claims()), "token is unverifiable: error while executing keyfunc: unrecognized JWT kid  for algorithm ES256", jwt.ErrTokenUnverifiable},
		{"kid of another type", forge(t, hs, secret, map[string]any{"kid": 7}, claims()), "token is unverifiable: error while executing keyfunc: kid is not a string", jwt.ErrTokenUnverifiable},
		{"critical extension", forge(t, es, private, map[string]any{"kid": kid, "crit": []string{"b64"}}, claims()), "token is unverifiable: error while executing keyfunc: critical header parameters are not supported", jwt.ErrTokenUnverifiable},
		{"key of the secret, other method", forge(t, es, private, map[string]any{"kid": "legacy"}, claims()), "token is unverifiable: error while executing keyfunc: algorithm ES256 is not that of JWT kid legacy", jwt.ErrTokenUnverifiable},
		{"secret under a key's kid", forge(t, hs, secret, head, claims()), "token is unverifiable: error while executing keyfunc: algorithm HS256 is not that of JWT kid " + kid, jwt.ErrTokenUnverifiable},
		{"wrong secret", forge(t, hs, []byte("wrong"), nil, claims()), "token signature is invalid: signature is invalid", jwt.ErrTokenSignatureInvalid},
		{"wrong key", forge(t, es, other, head, claims()), "token signature is invalid: crypto/ecdsa: verification error", jwt.ErrTokenSignatureInvalid},
		{"expired", forge(t, es, private, head, jwt.MapClaims{"exp": now().Unix()}), "token has invalid claims: token is expired", jwt.ErrTokenExpired},
		{"not yet valid", forge(t, es, private, head, jwt.MapClaims{"nbf": now().Unix() + 1}), "token has invalid claims: token is not valid yet", jwt.ErrTokenNotValidYet},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			head, err := s.Parse(tt.token, &jwt.MapClaims{}, now)
			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, tt.is)
			require.Zero(t, head)
		})
	}
}

func TestParseAccepts(t *testing.T) {
	t.Parallel()
	cur, old := generate(t, "ES256"), without(generate(t, "EdDSA"), "key_ops", "alg", "d")
	oldPrivate := generate(t, "EdDSA")
	old["x"], old["kid"] = oldPrivate["x"], "old"
	s := newSet(t, keys.Config{
		Secret: testSecret, KeyID: "legacy", JWKs: list(t, old, cur), ValidMethods: []string{"ES256", "HS256", "EdDSA"},
	})
	hs, secret := jwt.SigningMethodHS256, []byte(testSecret)
	tests := map[string]string{
		"no exp, iat in the future":   forge(t, jwt.SigningMethodES256, material(t, cur), map[string]any{"kid": cur["kid"]}, jwt.MapClaims{"iat": now().Unix() + 99}),
		"public key kept from before": forge(t, jwt.SigningMethodEdDSA, material(t, oldPrivate), map[string]any{"kid": "old"}, claims()),
		"secret by its kid":           forge(t, hs, secret, map[string]any{"kid": "legacy"}, claims()),
		"secret by unknown kid":       forge(t, hs, secret, map[string]any{"kid": "?"}, claims()),
		"secret without kid":          forge(t, hs, secret, nil, claims()),
	}
	for name, token := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := s.Parse(token, &jwt.MapClaims{}, now, "JWT")
			require.NoError(t, err)
		})
	}
}

// With only an asymmetric key configured, tokens of the secret are refused.
func TestAcceptedMethodsAreThoseOfTheKeys(t *testing.T) {
	t.Parallel()
	s := newSet(t, keys.Config{Secret: testSecret, JWKs: list(t, generate(t, "ES256"))})
	_, err := s.Parse(forge(t, jwt.SigningMethodHS256, []byte(testSecret), nil, claims()), &jwt.MapClaims{}, now)
	require.EqualError(t, err, "token signature is invalid: signing method HS256 is invalid")
}

// RFC 8725 §2.1: the attacker signs with what everybody knows, the public key
// in each of its usual encodings, or with nothing at all.
func TestPublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	key := generate(t, "RS256")
	public := material(t, without(key, "d", "p", "q", "dp", "dq", "qi"))
	der, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	modulus, err := base64.RawURLEncoding.DecodeString(key["n"].(string))
	require.NoError(t, err)
	s := newSet(t, keys.Config{JWKs: list(t, key), ValidMethods: []string{"RS256", "RS512", "HS256"}})
	for _, guess := range [][]byte{der, modulus, s.JWKS(), {}} {
		for _, header := range []map[string]any{{"kid": key["kid"]}, {"kid": "?"}, {"kid": ""}, nil} {
			_, err = s.Parse(forge(t, jwt.SigningMethodHS256, guess, header, claims()), &jwt.MapClaims{}, now)
			require.ErrorIs(t, err, jwt.ErrTokenUnverifiable)
		}
	}
	// The right key under another algorithm of its family is refused, too.
	_, err = s.Parse(forge(t, jwt.SigningMethodRS512, material(t, key), map[string]any{"kid": key["kid"]}, claims()), &jwt.MapClaims{}, now)
	require.ErrorIs(t, err, jwt.ErrTokenUnverifiable)
}

func TestHasType(t *testing.T) {
	t.Parallel()
	require.True(t, keys.Token{Typ: "at+JWT"}.HasType("AT+jwt"))
	require.True(t, keys.Token{Typ: "Application/at+jwt"}.HasType("at+jwt"))
	require.True(t, keys.Token{}.HasType(""))
	require.False(t, keys.Token{Typ: "JWT"}.HasType(""))
	require.False(t, keys.Token{Typ: "application/"}.HasType("JWT"))
	require.False(t, keys.Token{Typ: "JWT"}.HasType("at+jwt"))
}

// Whatever the text, a token that verifies is one that the set could have signed.
func FuzzParse(f *testing.F) {
	s := newSet(f, keys.Config{Secret: testSecret, KeyID: "main"})
	good, err := s.Sign("JWT", claims())
	require.NoError(f, err)
	f.Add(good)
	f.Add("a.b.c")
	f.Add(forge(f, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, nil, claims()))
	late := func() time.Time { return now().Add(-time.Hour) }
	f.Fuzz(func(t *testing.T, token string) {
		head, err := s.Parse(token, &jwt.MapClaims{}, late)
		if err != nil {
			require.Zero(t, head)
			return
		}
		require.Equal(t, "HS256", head.Alg)
		require.Equal(t, good[:len(good)-43], token[:len(token)-43], "only our own header and claims verify")
	})
}
