// Package password hashes and checks passwords, and says whether a new one is
// strong enough.
//
// New hashes are bcrypt. Besides bcrypt, imported Argon2 and Firebase scrypt
// hashes are checked. The work is bounded: see [New].
package password
