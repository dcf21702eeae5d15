// Package flow holds the rules of GoTrue's PKCE flow: an app begins a sign-in
// with a challenge, the user continues it elsewhere (a link in a mail), and the
// app ends it with the code that comes back and the verifier that only it has
// (RFC 7636, with GoTrue's parameters and limits). It decides; package models
// reads and writes the rows.
package flow
