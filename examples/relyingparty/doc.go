// Package relyingparty is a minimal third-party application that logs its users
// in with Truegrant. It uses golang.org/x/oauth2 and go-oidc as they are: what
// works here works with any OpenID Connect client.
//
// It shows what a client has to do and in which order: discovery, the
// authorization request with state, nonce and PKCE (RFC 9700 §2.1), the checks
// on the response including its issuer (RFC 9207), the code exchange, the ID
// token's verification (OpenID Connect Core §3.1.3.7), the UserInfo request and
// the refresh of the tokens.
//
// Sessions are kept in memory, so an instance forgets its users when it stops.
package relyingparty
