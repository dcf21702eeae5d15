package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

// caller is who called: a user, through a client that the user has allowed to.
type caller struct {
	Subject  string `json:"sub"`
	ClientID string `json:"client_id"`
	Scope    string `json:"scope"`
	Email    string `json:"email,omitempty"`
}

// tokenError says why a token is not accepted. It goes into a quoted header
// parameter, so it is always one of the sentences in this file.
type tokenError string

func (e tokenError) Error() string { return string(e) }

// signatures are the algorithms that are accepted: public keys only, since
// anybody can make an HS256 signature with a key that is published.
func signatures() []string {
	return []string{oidc.ES256, oidc.RS256, oidc.ES384, oidc.ES512, oidc.RS384, oidc.RS512, oidc.EdDSA}
}

// tokenVerifier checks access tokens. The issuer is discovered when the first
// token arrives, and again for each one until that has worked.
type tokenVerifier struct {
	config Config
	mu     sync.Mutex
	found  *oidc.IDTokenVerifier
}

// verify returns the caller of an access token: a tokenError if the token is
// not good, another error if the issuer can not be asked for its metadata.
func (v *tokenVerifier) verify(ctx context.Context, raw string) (caller, error) {
	typ, err := tokenType(raw)
	if err != nil {
		return caller{}, err
	}
	verifier, err := v.issuer(ctx)
	if err != nil {
		return caller{}, fmt.Errorf("discover the issuer: %w", err)
	}
	// go-oidc's verifier checks what all JWTs of an issuer have in common:
	// signature, iss, exp and nbf. What makes it an access token follows.
	token, err := verifier.Verify(ctx, raw)
	if err != nil {
		return caller{}, tokenError("the token is expired, malformed or not from the issuer")
	}
	var claims accessClaims
	if err := token.Claims(&claims); err != nil {
		return caller{}, tokenError("the claims are malformed")
	}
	claims.typ, claims.audience = typ, token.Audience
	if err := claims.check(v.config.Audience); err != nil {
		return caller{}, err
	}
	return caller{token.Subject, claims.ClientID, *claims.Scope, claims.Email}, nil
}

// issuer returns the verifier for the issuer's keys.
func (v *tokenVerifier) issuer(ctx context.Context) (*oidc.IDTokenVerifier, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.found == nil {
		provider, err := oidc.NewProvider(oidc.ClientContext(ctx, v.config.HTTPClient), v.config.Issuer)
		if err != nil {
			return nil, err
		}
		v.found = provider.Verifier(&oidc.Config{
			SkipClientIDCheck: true, SupportedSigningAlgs: signatures(), Now: v.config.Now,
		})
	}
	return v.found, nil
}

// tokenType returns the JWT's typ in short lower-case form (RFC 7515 §4.1.9).
// The header is not verified yet; a wrong one makes verification fail later.
func tokenType(raw string) (string, error) {
	var accepted []jose.SignatureAlgorithm
	for _, name := range signatures() {
		accepted = append(accepted, jose.SignatureAlgorithm(name))
	}
	token, err := jose.ParseSignedCompact(raw, accepted)
	if err != nil {
		return "", tokenError("the token is not a signed JWT")
	}
	typ, _ := token.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string)
	return strings.TrimPrefix(strings.ToLower(typ), "application/"), nil
}

// accessClaims are the claims that decide whether a JWT is an access token that
// a client may use here.
type accessClaims struct {
	ClientID string          `json:"client_id"`
	Scope    *string         `json:"scope"`
	Email    string          `json:"email"`
	Nonce    string          `json:"nonce"`
	Confirm  json.RawMessage `json:"cnf"`

	typ      string
	audience []string
}

func (c accessClaims) check(audience string) error {
	switch {
	case !c.isAccessToken():
		return tokenError("this is not an access token")
	case c.ClientID == "" || c.Scope == nil: // RFC 9068 §2.2, §2.2.3
		// The user's own session: it may do everything and was not given to us.
		return tokenError("the token was not issued to an OAuth client")
	case c.Confirm != nil:
		// Bound to a key (RFC 9449 §6): a bearer has not shown that it has it.
		return tokenError("the token is bound to a key")
	case audience != "" && !slices.Contains(c.audience, audience):
		return tokenError("the token is for another resource")
	}
	return nil
}

// isAccessToken tells access tokens from ID tokens and others that the issuer
// signs with the same keys. RFC 9068 §2.1 gives access tokens a type of their
// own; tokens in GoTrue's form have the general one, as ID tokens have, but
// unlike those they are not addressed to the client and have no nonce.
func (c accessClaims) isAccessToken() bool {
	switch c.typ {
	case "at+jwt":
		return true
	case "jwt", "":
		return c.Nonce == "" && (c.ClientID == "" || !slices.Contains(c.audience, c.ClientID))
	}
	return false
}
