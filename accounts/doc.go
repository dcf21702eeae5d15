// Package accounts knows how a user's row is made: which addresses and
// metadata are well formed, which identities belong to a new user, how
// metadata is merged. It decides; models writes.
package accounts
