package oauth

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"time"
)

// maxClaimBytes bounds a claim taken from metadata. Users write that
// themselves, and an ID token has to fit into a header or a URL; pictures
// embedded as data: URLs do not.
const maxClaimBytes = 2048

// Subject is what is known of the user whom claims speak about.
type Subject struct {
	// ID is the subject identifier.
	ID string
	// Email is empty if the user has none.
	Email         string
	EmailVerified bool
	// Phone is empty if the user has none.
	Phone         string
	PhoneVerified bool
	// UserMetadata is the free-form object that the user may write.
	UserMetadata map[string]any
	// UpdatedAt is zero if unknown.
	UpdatedAt time.Time
}

// StandardClaims returns sub and the standard claims that the granted scopes
// release (OIDC Core §5.1, §5.4), for ID token and UserInfo alike. What the
// user does not have is left out rather than null or empty (OIDC Core §5.3.2).
// Of the metadata only the named claims are released, never the whole object.
func StandardClaims(s Subject, granted Scope) map[string]any {
	claims := map[string]any{"sub": s.ID}
	if granted.Has(ScopeEmail) && s.Email != "" {
		claims["email"] = s.Email
		claims["email_verified"] = s.EmailVerified
	}
	if granted.Has(ScopePhone) && s.Phone != "" {
		claims["phone_number"] = s.Phone
		claims["phone_number_verified"] = s.PhoneVerified
	}
	if granted.Has(ScopeProfile) {
		addProfile(claims, s)
	}
	return claims
}

// ATHash returns the at_hash of an access token: the left half of its hash,
// base64url-encoded (OIDC Core §3.1.3.6). The hash is that of the JWS
// algorithm of the ID token; EdDSA with Ed25519 uses SHA-512. For an unknown
// algorithm it is empty, and the claim must be left out.
func ATHash(alg, accessToken string) string {
	var sum []byte
	switch alg {
	case "RS256", "PS256", "ES256", "HS256":
		digest := sha256.Sum256([]byte(accessToken))
		sum = digest[:]
	case "RS384", "PS384", "ES384", "HS384":
		digest := sha512.Sum384([]byte(accessToken))
		sum = digest[:]
	case "RS512", "PS512", "ES512", "HS512", "EdDSA", "Ed25519":
		digest := sha512.Sum512([]byte(accessToken))
		sum = digest[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// addProfile adds the claims of the profile scope. The name never falls back
// to the e-mail address: that needs the email scope.
func addProfile(claims map[string]any, s Subject) {
	for _, source := range []struct {
		claim string
		keys  []string // in order of preference
		valid func(string) bool
	}{
		{"name", []string{"name", "full_name"}, isPlainText},
		{"given_name", []string{"given_name"}, isPlainText},
		{"family_name", []string{"family_name"}, isPlainText},
		{"nickname", []string{"nickname"}, isPlainText},
		{"preferred_username", []string{"preferred_username", "user_name", "username"}, isPlainText},
		{"profile", []string{"profile"}, isWebURL},
		{"picture", []string{"picture", "avatar_url"}, isWebURL},
		{"website", []string{"website"}, isWebURL},
		{"zoneinfo", []string{"zoneinfo"}, isPlainText},
		{"locale", []string{"locale"}, isPlainText},
	} {
		for _, key := range source.keys {
			text, _ := s.UserMetadata[key].(string)
			if text != "" && len(text) <= maxClaimBytes && source.valid(text) {
				claims[source.claim] = text
				break
			}
		}
	}
	if !s.UpdatedAt.IsZero() {
		claims["updated_at"] = s.UpdatedAt.Unix()
	}
}
