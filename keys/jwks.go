package keys

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// jwk is a JWK as we write it: the members of RFC 7517 §4 and the parameters
// of RFC 7518 §6 and RFC 8037 §2. The private ones are set by [Generate] only.
type jwk struct {
	Kty string   `json:"kty"`
	Kid string   `json:"kid,omitempty"`
	Use string   `json:"use"`
	Ops []string `json:"key_ops"`
	Alg string   `json:"alg"`
	Crv string   `json:"crv,omitempty"`
	X   string   `json:"x,omitempty"`
	Y   string   `json:"y,omitempty"`
	N   string   `json:"n,omitempty"`
	E   string   `json:"e,omitempty"`

	D  string `json:"d,omitempty"`
	P  string `json:"p,omitempty"`
	Q  string `json:"q,omitempty"`
	Dp string `json:"dp,omitempty"`
	Dq string `json:"dq,omitempty"`
	Qi string `json:"qi,omitempty"`
}

// JWKS returns the JWK Set (RFC 7517 §5) of the public parts of all asymmetric
// keys, the signing key first. It is rendered once. The caller must not change it.
func (s *Set) JWKS() []byte { return s.jwks }

func renderJWKS(all []key) ([]byte, error) {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range all {
		if !k.asymmetric() {
			continue
		}
		one, err := describe(k.public, k.kid, k.alg, "verify")
		if err != nil {
			return nil, err
		}
		set.Keys = append(set.Keys, one)
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("render JWK Set: %w", err)
	}
	return text, nil
}

// describe returns the JWK of key material, public or private as given.
func describe(material any, kid, alg string, ops ...string) (jwk, error) {
	text, err := jose.JSONWebKey{Key: material, KeyID: kid, Algorithm: alg, Use: "sig"}.MarshalJSON()
	if err != nil {
		return jwk{}, fmt.Errorf("render JWK: %w", err)
	}
	var out jwk
	if err := json.Unmarshal(text, &out); err != nil {
		return jwk{}, fmt.Errorf("render JWK: %w", err)
	}
	out.Ops = slices.Clone(ops)
	return out, nil
}
