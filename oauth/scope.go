package oauth

import (
	"slices"
	"strings"
)

// The scopes of OpenID Connect (OIDC Core §5.4, §11).
const (
	ScopeOpenID        = "openid"
	ScopeProfile       = "profile"
	ScopeEmail         = "email"
	ScopePhone         = "phone"
	ScopeOfflineAccess = "offline_access"
)

// maxScopeBytes is the width of the columns that hold a scope.
const maxScopeBytes = 4096

// Scope is an ordered set of scope tokens: no token appears twice (RFC 6749
// §3.3). Its methods return new values and leave their operands alone.
type Scope []string

// ParseScope reads a space-delimited scope (RFC 6749 §3.3). Superfluous spaces
// and repeated tokens are dropped; the order is kept. The answer is
// invalid_scope for any other character outside NQCHAR and for more than 4096
// bytes. The empty string is the empty scope.
func ParseScope(s string) (Scope, *Error) {
	if len(s) > maxScopeBytes {
		return nil, InvalidScope("scope must not exceed 4096 characters")
	}
	var scope Scope
	seen := make(map[string]bool)
	for token := range strings.SplitSeq(s, " ") {
		if token == "" || seen[token] {
			continue
		}
		if !consistsOf(token, isScopeChar) {
			return nil, InvalidScope("scope contains a character that is not allowed")
		}
		seen[token] = true
		scope = append(scope, token)
	}
	return scope, nil
}

// SupportedScopes returns the scopes this server knows, in the order in which
// metadata lists them.
func SupportedScopes() Scope {
	return Scope{ScopeOpenID, ScopeProfile, ScopeEmail, ScopePhone, ScopeOfflineAccess}
}

// Supported splits a requested scope into the tokens this server knows and
// those it does not, both in the order requested.
func Supported(scope Scope) (known, unknown Scope) {
	supported := SupportedScopes()
	return scope.Intersect(supported), scope.Without(supported)
}

// String returns the wire form, tokens joined by single spaces.
func (s Scope) String() string {
	return strings.Join(s, " ")
}

// Has reports whether the token is in the scope. Tokens are case-sensitive.
func (s Scope) Has(token string) bool {
	return slices.Contains(s, token)
}

// Subset reports whether every token of s is in the other scope, as a refresh
// demands of the scope it asks for (RFC 6749 §6). The empty scope is a subset
// of every scope.
func (s Scope) Subset(of Scope) bool {
	return len(s.Without(of)) == 0
}

// Union returns the tokens of s followed by those of other that s lacks.
func (s Scope) Union(other Scope) Scope {
	return slices.Concat(s, other.Without(s))
}

// Intersect returns the tokens of s that are also in other, in the order of s.
func (s Scope) Intersect(other Scope) Scope {
	return s.filter(other, true)
}

// Without returns the tokens of s that are not in other, in the order of s.
func (s Scope) Without(other Scope) Scope {
	return s.filter(other, false)
}

// filter keeps the tokens whose membership in other is as wanted. A set keeps
// it linear: a scope may have two thousand tokens.
func (s Scope) filter(other Scope, wanted bool) Scope {
	members := make(map[string]bool, len(other))
	for _, token := range other {
		members[token] = true
	}
	var kept Scope
	for _, token := range s {
		if members[token] == wanted {
			kept = append(kept, token)
		}
	}
	return kept
}
