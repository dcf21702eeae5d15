// Package mfatest makes the authenticators that tests hold.
package mfatest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"

	"github.com/descope/virtualwebauthn"
)

// coordinateLength is the length of each coordinate of a P-256 key in a COSE
// key (RFC 9053 §7.1.1).
const coordinateLength = 32

// NewCredential returns a P-256 credential. virtualwebauthn writes a coordinate
// without its leading zeros, which about one key in 128 has and no verifier
// accepts, so such keys are passed over.
func NewCredential() virtualwebauthn.Credential {
	for {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			panic(err)
		}
		point, err := key.PublicKey.Bytes() // 4, then x and y
		if err != nil {
			panic(err)
		}
		if point[1] == 0 || point[1+coordinateLength] == 0 {
			continue
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			panic(err)
		}
		return virtualwebauthn.NewCredentialWithImportedKey(virtualwebauthn.KeyTypeEC2, der)
	}
}
