// Package conf turns the environment into validated values.
//
// Load merges the sources of configuration (process environment, .env, a file,
// a directory), decodes them into Config and checks the whole, so that every
// problem is reported at once. The result is never changed afterwards: a
// reload loads a new Config and swaps it.
//
// Config has one struct per topic, and a constructor receives only the struct
// it needs. Names, types and defaults are those of GoTrue; differences and
// additions are described at the fields concerned and in
// docs/configuration.md.
//
// # Tags
//
// Each default is written once, in a tag:
//
//   - default: the value when the variable is unset (envconfig)
//   - zero: the value that replaces a zero value, set or not
//   - min: the value that replaces smaller ones
//   - secret: the value is masked in Config.Effective and kept out of
//     messages; "url" masks a password only, "jwks" private key members only
//
// # Inputs
//
// Some variables are written in another form than the one consumers want: a
// number of seconds, a JSON text. Such a variable is decoded into an embedded
// …Input struct, and the field of the same name in the outer struct, which
// hides it, holds the effective value.
package conf
