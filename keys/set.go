package keys

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/golang-jwt/jwt/v5"
)

// Config says which keys a server has.
type Config struct {
	Secret       string   // HS256 secret, its bytes as they are
	KeyID        string   // kid of the secret; may be empty
	JWKs         string   // JSON array of private JWKs; empty or [] means the secret alone
	ValidMethods []string // accepted values of alg; empty means those of all keys
}

// A Set is the immutable set of keys of one configuration: one signs, all
// verify. It is safe for concurrent use.
type Set struct {
	signing  key
	byKid    map[string]key
	secret   []byte
	secretID string
	methods  []string
	jwks     []byte
	header   []byte // start of the signing key's header, up to the value of typ
}

// New parses the keys and picks the signing key: the one whose key_ops
// contains "sign", or the secret when there are no JWKs. It fails when there
// is not exactly one, or when a key is malformed, too weak, of an unsupported
// type, or in AWS KMS. Supported are HS256, RS256, RS512, ES256, ES512 and
// EdDSA.
func New(cfg Config) (*Set, error) {
	s := &Set{secret: []byte(cfg.Secret), secretID: cfg.KeyID, byKid: map[string]key{}}
	all, err := s.load(cfg)
	if err != nil {
		return nil, err
	}
	s.methods = slices.Clone(cfg.ValidMethods)
	for _, k := range all {
		s.byKid[k.kid] = k
		if len(cfg.ValidMethods) == 0 && !slices.Contains(s.methods, k.alg) {
			s.methods = append(s.methods, k.alg)
		}
	}
	if s.header, err = headerStart(s.signing); err != nil {
		return nil, err
	}
	if s.jwks, err = renderJWKS(all); err != nil {
		return nil, err
	}
	return s, nil
}

// load returns all keys, the signing key first.
func (s *Set) load(cfg Config) ([]key, error) {
	if isEmptyList(cfg.JWKs) {
		if cfg.Secret == "" {
			return nil, errors.New("JWT secret is empty and there are no JWT keys")
		}
		s.signing = hmacKey(cfg.KeyID, s.secret)
		return []key{s.signing}, nil
	}
	all, err := parseKeys(cfg.JWKs)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(k key) bool { return k.signs })
	if at < 0 {
		return nil, errors.New("no signing key found")
	}
	s.signing = all[at]
	all = slices.Delete(all, at, at+1)
	if slices.ContainsFunc(all, func(k key) bool { return k.signs }) {
		return nil, errors.New("multiple signing keys detected, only 1 signing key is supported")
	}
	return slices.Insert(all, 0, s.signing), nil
}

// SigningMethod returns the alg of the tokens that [Set.Sign] makes.
func (s *Set) SigningMethod() string { return s.signing.alg }

// Asymmetric reports whether others can verify the tokens that [Set.Sign]
// makes, with the keys of [Set.JWKS].
func (s *Set) Asymmetric() bool { return s.signing.asymmetric() }

// PublicAlgs returns the algorithms with which tokens that others can verify
// are signed, for server metadata: that of the signing key, or none when it is
// symmetric.
func (s *Set) PublicAlgs() []string {
	if !s.Asymmetric() {
		return []string{}
	}
	return []string{s.signing.alg}
}

// Sign returns the compact form of a JWT with the given typ header parameter
// (RFC 7519 §5.1) and claims, signed by the signing key. The header names alg,
// typ, and kid when the key has one.
func (s *Set) Sign(typ string, claims jwt.Claims) (string, error) {
	typJSON, err := json.Marshal(typ)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	header := slices.Concat(s.header, typJSON, []byte{'}'})

	enc := base64.RawURLEncoding
	text := make([]byte, 0, enc.EncodedLen(len(header))+enc.EncodedLen(len(payload))+1)
	text = enc.AppendEncode(text, header)
	text = append(text, '.')
	text = enc.AppendEncode(text, payload)
	signed := string(text)

	sig, err := s.signing.method.Sign(signed, s.signing.private)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	return signed + "." + enc.EncodeToString(sig), nil
}

// headerStart renders what all headers of one key have in common.
func headerStart(k key) ([]byte, error) {
	header, err := json.Marshal(struct {
		Alg string `json:"alg"`
		Kid string `json:"kid,omitempty"`
	}{k.alg, k.kid})
	if err != nil {
		return nil, fmt.Errorf("render token header: %w", err)
	}
	return append(header[:len(header)-1], `,"typ":`...), nil
}
