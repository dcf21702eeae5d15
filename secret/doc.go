// Package secret makes and recognises values that must not be guessed: random
// strings and ids, digests of them, GoTrue's two refresh token formats, and
// the envelope in which database columns are encrypted at rest.
//
// Every function that needs chance takes an [io.Reader]; pass crypto/rand's
// Reader outside tests. Errors never contain the secret itself.
package secret
