// Package web is the HTTP kit of the API: the shapes of handlers, decoding,
// encoding, the caller, and the middleware that every request passes.
package web
