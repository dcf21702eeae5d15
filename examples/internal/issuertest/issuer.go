package issuertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// Issuer is a running authorization server with metadata and keys, and what
// else a test puts on its Mux. Its methods may be called from any goroutine.
type Issuer struct {
	// URL is the issuer identifier.
	URL string
	// Mux takes the endpoints that a test needs.
	Mux *http.ServeMux

	mu       sync.Mutex
	key      *ecdsa.PrivateKey
	metadata map[string]any
}

// New starts an issuer that lives as long as the test.
func New(t *testing.T) *Issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i := &Issuer{Mux: http.NewServeMux(), key: key}
	server := httptest.NewServer(i.Mux)
	t.Cleanup(server.Close)
	i.URL = server.URL
	i.metadata = map[string]any{
		"issuer":                                i.URL,
		"authorization_endpoint":                i.URL + "/oauth/authorize",
		"token_endpoint":                        i.URL + "/oauth/token",
		"userinfo_endpoint":                     i.URL + "/oauth/userinfo",
		"jwks_uri":                              i.URL + "/.well-known/jwks.json",
		"id_token_signing_alg_values_supported": []string{"ES256"},
		"response_types_supported":              []string{"code"},
		"code_challenge_methods_supported":      []string{"S256"},
	}
	i.Mux.HandleFunc("GET /.well-known/openid-configuration", i.serveMetadata)
	i.Mux.HandleFunc("GET /.well-known/oauth-authorization-server", i.serveMetadata)
	i.Mux.HandleFunc("GET /.well-known/jwks.json", i.serveKeys)
	return i
}

// SetMetadata changes one member of the metadata.
func (i *Issuer) SetMetadata(name string, value any) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.metadata[name] = value
}

// Rotate replaces the signing key; the old one is no longer published.
func (i *Issuer) Rotate(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.key = key
}

// Sign returns a JWT of the claims with the given typ, signed by the issuer.
func (i *Issuer) Sign(t *testing.T, typ string, claims map[string]any) string {
	t.Helper()
	i.mu.Lock()
	key := i.key
	i.mu.Unlock()
	return Sign(t, key, typ, claims)
}

// Sign returns a JWT of the claims with the given typ, signed by any key.
func Sign(t *testing.T, key *ecdsa.PrivateKey, typ string, claims map[string]any) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType(jose.ContentType(typ)).WithHeader("kid", keyID(key))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, options)
	require.NoError(t, err)
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := signer.Sign(payload)
	require.NoError(t, err)
	raw, err := signed.CompactSerialize()
	require.NoError(t, err)
	return raw
}

// JSON answers with a JSON body.
func JSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func (i *Issuer) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	JSON(w, http.StatusOK, i.metadata)
}

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	JSON(w, http.StatusOK, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{
		Key: i.key.Public(), KeyID: keyID(i.key), Algorithm: string(jose.ES256), Use: "sig",
	}}})
}

// keyID differs between keys, as JWKS caches expect.
func keyID(key *ecdsa.PrivateKey) string {
	thumbprint, err := (&jose.JSONWebKey{Key: key.Public()}).Thumbprint(crypto.SHA256)
	if err != nil {
		return ""
	}
	return hex.EncodeToString(thumbprint[:8])
}
