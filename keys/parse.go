package keys

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// ErrType is returned for a genuine token whose typ is none of those asked for.
var ErrType = errors.New("token has unexpected type")

// A Token is what the header of a verified token says.
type Token struct {
	Typ string // as written; empty when absent
	Kid string // empty when absent
	Alg string
}

// HasType reports whether the token is of type typ. Letter case and a leading
// "application/" make no difference (RFC 7515 §4.1.9); the empty typ stands
// for an absent one.
func (t Token) HasType(typ string) bool {
	return strings.EqualFold(bareType(t.Typ), bareType(typ))
}

// Parse verifies a token made by this server, or by a holder of its keys, and
// decodes its claims into claims, a pointer. The algorithm must be an accepted
// one and that of the key. exp and nbf are checked against now when present;
// iat is not. When types are given, the token must be of one of them: kinds of
// tokens are told apart by typ (RFC 8725 §3.11).
//
// Errors are those of golang-jwt ([jwt.ErrTokenMalformed],
// [jwt.ErrTokenSignatureInvalid], [jwt.ErrTokenExpired] and so on), with its
// texts, and [ErrType]. After an error claims may hold unverified values.
func (s *Set) Parse(token string, claims jwt.Claims, now func() time.Time, types ...string) (Token, error) {
	parser := jwt.NewParser(jwt.WithValidMethods(s.methods), jwt.WithTimeFunc(now))
	parsed, err := parser.ParseWithClaims(token, claims, s.verificationKey)
	if err != nil {
		return Token{}, err //nolint:wrapcheck // its text is part of GoTrue's answer
	}
	t := Token{Alg: parsed.Method.Alg()}
	t.Typ, _ = parsed.Header["typ"].(string)
	t.Kid, _ = parsed.Header["kid"].(string)
	if len(types) > 0 && !slices.ContainsFunc(types, t.HasType) {
		return Token{}, fmt.Errorf("%w: %w", jwt.ErrTokenUnverifiable, ErrType)
	}
	return t, nil
}

// verificationKey picks the key for a token: the one that kid names; the
// secret when kid is the secret's, or when it names no key and alg is HS256.
func (s *Set) verificationKey(t *jwt.Token) (any, error) {
	// An extension marked critical must not be ignored (RFC 7515 §4.1.11).
	if _, ok := t.Header["crit"]; ok {
		return nil, errors.New("critical header parameters are not supported")
	}
	kid, ok := t.Header["kid"].(string)
	if !ok && t.Header["kid"] != nil {
		return nil, errors.New("kid is not a string")
	}
	alg := t.Method.Alg()
	k, known := s.byKid[kid]
	if !known && len(s.secret) > 0 && (alg == "HS256" || (kid != "" && kid == s.secretID)) {
		k, known = hmacKey(kid, s.secret), true
	}
	if !known {
		return nil, fmt.Errorf("unrecognized JWT kid %s for algorithm %s", kid, alg)
	}
	// The header must not choose how a key is used: an RSA public key taken as
	// an HS256 secret would let anyone sign (RFC 8725 §2.1, §3.1).
	if alg != k.alg {
		return nil, fmt.Errorf("algorithm %s is not that of JWT kid %s", alg, kid)
	}
	return k.public, nil
}

func bareType(typ string) string {
	const prefix = "application/"
	if len(typ) >= len(prefix) && strings.EqualFold(typ[:len(prefix)], prefix) {
		return typ[len(prefix):]
	}
	return typ
}
