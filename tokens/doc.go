// Package tokens mints everything that proves who a user is: access tokens,
// refresh tokens and ID tokens, for the project's own apps and for OAuth
// clients alike. One function builds access-token claims, whatever the grant.
//
// The way of every operation is: read the state in one statement, decide in a
// pure function, ask the hook while no lock is held, write in one conditional
// statement. When the condition no longer holds another request was faster,
// and the operation starts again.
package tokens
