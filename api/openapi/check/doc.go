// Package check holds requests and answers against the API's description. It is
// for tests: package apitest passes every exchange through it, so that neither
// the description nor a handler can change alone.
package check
