package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	_ "crypto/sha256" // the thumbprint's hash

	"github.com/go-jose/go-jose/v4"
)

// Generate returns a new private signing key as a JWK: ES256, RS256 (2048
// bits) or EdDSA (Ed25519), with its RFC 7638 thumbprint as kid and key_ops
// sign and verify, ready to be an element of [Config].JWKs. Pass crypto/rand's
// Reader as random; the standard library may use its own source instead.
func Generate(alg string, random io.Reader) ([]byte, error) {
	material, err := generate(alg, random)
	if err != nil {
		return nil, fmt.Errorf("generate %s key: %w", alg, err)
	}
	thumbprint, err := (&jose.JSONWebKey{Key: material}).Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("generate %s key: %w", alg, err)
	}
	out, err := describe(material, base64.RawURLEncoding.EncodeToString(thumbprint), alg, "sign", "verify")
	if err != nil {
		return nil, fmt.Errorf("generate %s key: %w", alg, err)
	}
	return json.Marshal(out)
}

func generate(alg string, random io.Reader) (any, error) {
	switch alg {
	case "ES256":
		return ecdsa.GenerateKey(elliptic.P256(), random)
	case "RS256":
		return rsa.GenerateKey(random, minRSABits)
	case "EdDSA":
		_, private, err := ed25519.GenerateKey(random)
		return private, err
	}
	return nil, errors.New("algorithm must be ES256, RS256 or EdDSA")
}
