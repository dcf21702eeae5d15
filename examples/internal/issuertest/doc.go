// Package issuertest is a small authorization server for the tests of the
// examples: real HTTP, metadata, keys and signatures, so that the libraries the
// examples use run unchanged.
package issuertest
