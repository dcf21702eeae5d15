// Package password hashes and checks passwords, and says whether a new one is
// strong enough: [Policy] looks at it, [Checker] also asks HaveIBeenPwned.org.
//
// New hashes are bcrypt. Besides bcrypt, imported Argon2 and Firebase scrypt
// hashes are checked. The work is bounded: see [New].
package password
