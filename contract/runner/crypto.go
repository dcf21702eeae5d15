package main

import (
	"crypto"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secpecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"golang.org/x/crypto/sha3"
)

var b64u = base64.RawURLEncoding

// ---- JWT ----

func signHS256(header, claims map[string]any, secret string) string {
	return signJWT(header, claims, "HS256", func(in []byte) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(in)
		return m.Sum(nil)
	})
}

func signJWT(header, claims map[string]any, alg string, sign func([]byte) []byte) string {
	h := map[string]any{"alg": alg, "typ": "JWT"}
	for k, v := range header {
		h[k] = v
	}
	hb, _ := json.Marshal(h)
	cb, _ := json.Marshal(claims)
	in := b64u.EncodeToString(hb) + "." + b64u.EncodeToString(cb)
	return in + "." + b64u.EncodeToString(sign([]byte(in)))
}

// Signer is the RSA key of the fake OIDC issuers.
type Signer struct{ key *rsa.PrivateKey }

func newSigner() (*Signer, error) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	return &Signer{k}, err
}

func (s *Signer) JWK() map[string]any {
	return map[string]any{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "contract-idp",
		"n": b64u.EncodeToString(s.key.N.Bytes()), "e": b64u.EncodeToString(big.NewInt(int64(s.key.E)).Bytes()),
	}
}

func (s *Signer) Sign(header, claims map[string]any) string {
	h := map[string]any{"kid": "contract-idp"}
	for k, v := range header {
		h[k] = v
	}
	return signJWT(h, claims, "RS256", func(in []byte) []byte {
		sum := sha256.Sum256(in)
		sig, _ := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
		return sig
	})
}

func (s *Signer) IDToken(iss string, claims map[string]any) string {
	now := time.Now().Unix()
	c := map[string]any{"iss": iss, "iat": now, "exp": now + 600}
	for k, v := range claims {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return s.Sign(nil, c)
}

// ---- TOTP ----

func totp(secret string, at time.Time) (string, error) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.TrimRight(secret, "=")))
	if err != nil {
		return "", err
	}
	var msg [8]byte
	binary.BigEndian.PutUint64(msg[:], uint64(at.Unix()/30))
	m := hmac.New(sha1.New, key)
	m.Write(msg[:])
	sum := m.Sum(nil)
	off := sum[len(sum)-1] & 15
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[off:])&0x7fffffff)%1_000_000), nil
}

// ---- wallets ----

type wallets struct {
	eth *secp256k1.PrivateKey
	sol ed25519.PrivateKey
}

func newWallets() (*wallets, error) {
	e, err := secp256k1.GeneratePrivateKey()
	if err != nil {
		return nil, err
	}
	_, s, err := ed25519.GenerateKey(rand.Reader)
	return &wallets{e, s}, err
}

func keccak(b []byte) []byte {
	h := sha3.NewLegacyKeccak256()
	h.Write(b)
	return h.Sum(nil)
}

func (w *wallets) ethAddress() string {
	addr := hex.EncodeToString(keccak(w.eth.PubKey().SerializeUncompressed()[1:])[12:])
	sum := hex.EncodeToString(keccak([]byte(addr)))
	out := []byte(addr)
	for i := range out {
		if out[i] >= 'a' && sum[i] >= '8' {
			out[i] -= 32
		}
	}
	return "0x" + string(out)
}

func (w *wallets) ethSign(msg string) string {
	hash := keccak([]byte(fmt.Sprintf("\x19Ethereum Signed Message:\n%d%s", len(msg), msg)))
	c := secpecdsa.SignCompact(w.eth, hash, false) // [27+v | r | s]
	return "0x" + hex.EncodeToString(append(append([]byte{}, c[1:]...), c[0]))
}

func (w *wallets) solAddress() string {
	return base58(w.sol.Public().(ed25519.PublicKey))
}

func (w *wallets) solSign(msg string) string {
	return base64.StdEncoding.EncodeToString(ed25519.Sign(w.sol, []byte(msg)))
}

func base58(b []byte) string {
	const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	n := new(big.Int).SetBytes(b)
	var out []byte
	mod := new(big.Int)
	for n.Sign() > 0 {
		n.DivMod(n, big.NewInt(58), mod)
		out = append([]byte{alphabet[mod.Int64()]}, out...)
	}
	for _, c := range b {
		if c != 0 {
			break
		}
		out = append([]byte{'1'}, out...)
	}
	return string(out)
}

// ---- WebAuthn software authenticator ----

// ---- fake SAML identity provider ----

var samlKey, samlCert = func() (*rsa.PrivateKey, string) {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	tpl := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "idp.contract.test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(10000 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, &k.PublicKey, k)
	if err != nil {
		panic(err)
	}
	return k, base64.StdEncoding.EncodeToString(der)
}()

var xmlEscape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")
