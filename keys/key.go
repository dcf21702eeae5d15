package keys

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
)

// minRSABits is the least that RFC 7518 §3.3 allows.
const minRSABits = 2048

// key is one key with the only algorithm it may be used with. For HS256 secret
// and public are the same bytes.
type key struct {
	kid     string
	alg     string
	method  jwt.SigningMethod
	private any // nil when only the public part is known
	public  any
	signs   bool // key_ops contains "sign"
}

// meta holds the members of a JWK that go-jose does not read.
type meta struct {
	Ops []string        `json:"key_ops"`
	KMS json.RawMessage `json:"aws:kms:arn"`
}

func hmacKey(kid string, secret []byte) key {
	return key{kid: kid, alg: "HS256", method: jwt.SigningMethodHS256, private: secret, public: secret}
}

// parseKeys reads a JSON array of JWKs. Of keys with equal kid the last one
// counts; a key without kid has the empty one.
func parseKeys(text string) ([]key, error) {
	var raw []json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, errors.New("JWT keys are not a JSON array of JWKs")
	}
	var parsed []key
	for i, one := range raw {
		k, err := parseKey(one)
		if err != nil {
			return nil, fmt.Errorf("JWT key %d: %w", i+1, err)
		}
		parsed = slices.DeleteFunc(parsed, func(other key) bool { return other.kid == k.kid })
		parsed = append(parsed, k)
	}
	return parsed, nil
}

func parseKey(raw []byte) (key, error) {
	var m meta
	if err := json.Unmarshal(raw, &m); err != nil {
		return key{}, errors.New("not a JWK")
	}
	if m.KMS != nil {
		return key{}, errors.New("keys in AWS KMS (member aws:kms:arn) are not supported")
	}
	var jwk jose.JSONWebKey
	if err := jwk.UnmarshalJSON(raw); err != nil {
		return key{}, fmt.Errorf("not a usable JWK: %w", err)
	}
	k := key{kid: jwk.KeyID, signs: slices.Contains(m.Ops, "sign")}
	var err error
	if k.private, k.public, err = split(jwk.Key); err != nil {
		return key{}, err
	}
	if k.alg, err = algorithm(k.public, jwk.Algorithm); err != nil {
		return key{}, err
	}
	k.method = jwt.GetSigningMethod(k.alg)
	if k.signs {
		return k, k.probe()
	}
	return k, nil
}

// split returns the private part of a key, if any, and the public one, in the
// types that the signing methods expect.
func split(material any) (private, public any, err error) {
	switch m := material.(type) {
	case []byte:
		return m, m, nil
	case *rsa.PrivateKey:
		m.Precompute()
		return m, &m.PublicKey, nil
	case *ecdsa.PrivateKey:
		return m, &m.PublicKey, nil
	case ed25519.PrivateKey:
		return m, m.Public(), nil
	case *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey:
		return nil, m, nil
	}
	return nil, nil, errors.New("unsupported key type")
}

// algorithm checks that the named algorithm fits the key. A key that names
// none gets the usual one of its type.
func algorithm(public any, named string) (string, error) {
	fitting, err := algorithms(public)
	if err != nil {
		return "", err
	}
	if named == "" {
		return fitting[0], nil
	}
	if !slices.Contains(fitting, named) {
		return "", fmt.Errorf("algorithm %q is unsupported or does not fit the key", named)
	}
	return named, nil
}

func algorithms(public any) ([]string, error) {
	switch p := public.(type) {
	case []byte:
		if len(p) == 0 {
			return nil, errors.New("symmetric key is empty")
		}
		return []string{"HS256"}, nil
	case *rsa.PublicKey:
		if p.N.BitLen() < minRSABits {
			return nil, fmt.Errorf("RSA key is shorter than %d bits", minRSABits)
		}
		return []string{"RS256", "RS512"}, nil
	case *ecdsa.PublicKey:
		switch p.Curve {
		case elliptic.P256():
			return []string{"ES256"}, nil
		case elliptic.P521():
			return []string{"ES512"}, nil
		}
		return nil, errors.New("curve must be P-256 or P-521")
	case ed25519.PublicKey:
		return []string{"EdDSA"}, nil
	}
	return nil, errors.New("unsupported key type")
}

// probe signs and verifies a text: a private part that does not belong to the
// public one shows at start-up, not at the first login.
func (k key) probe() error {
	if k.private == nil {
		return errors.New("key_ops contains sign but the private part is missing")
	}
	const text = "probe"
	sig, err := k.method.Sign(text, k.private)
	if err == nil {
		err = k.method.Verify(text, sig, k.public)
	}
	if err != nil {
		return errors.New("private and public part of the key do not belong together")
	}
	return nil
}

func (k key) asymmetric() bool {
	_, symmetric := k.public.([]byte)
	return !symmetric
}

// isEmptyList reports whether the configured keys mean "none".
func isEmptyList(text string) bool {
	var list []json.RawMessage
	text = string(bytes.TrimSpace([]byte(text)))
	return text == "" || (json.Unmarshal([]byte(text), &list) == nil && len(list) == 0)
}
