// Package mfa holds the rules of second factors: which factors a user may
// enroll, the one-time passwords of authenticator apps (RFC 6238) with the QR
// code that hands their secret over, WebAuthn ceremonies (W3C Web
// Authentication Level 3), and recovery codes.
//
// It knows neither HTTP nor SQL. The caller brings the rows and the time, and
// writes what is decided here.
package mfa
