// Package e2e holds the tests that drive Truegrant with clients which know
// nothing of it: libraries, SDKs and a browser, unmodified.
//
// The Go tests run with go test: golang.org/x/oauth2 with go-oidc as a relying
// party, and policies of Row Level Security with the claims of issued tokens.
// Everything written in JavaScript is a Node workspace in the same folder; see
// README.md.
package e2e
