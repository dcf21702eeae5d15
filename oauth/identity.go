package oauth

import "strings"

// IdentityAssured reports whether a repeated request of a client may be
// approved without asking the user again. A client that authenticates at the
// token endpoint is who it says; so is one whose code can only reach an https
// origin. On a custom scheme or a loopback address any local app can pretend
// to be the client (OAuth 2.1 §7.5.2, RFC 8252 §8.6).
func IdentityAssured(clientType, redirectURI string) bool {
	return clientType == ClientConfidential || strings.HasPrefix(redirectURI, "https://")
}
