// Package keys holds the keys that sign and verify this server's tokens: it
// reads them from the configuration, signs and parses JSON Web Tokens (RFC
// 7519), renders the public JWK Set (RFC 7517 §5) and makes new keys.
//
// A key is used with its own algorithm only, whatever a token's header asks
// for (RFC 8725 §3.1), and a set accepts only the algorithms it was made with.
package keys
