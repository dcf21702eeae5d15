// Package hooks calls the operator's code at the seven points where GoTrue lets
// it take part: before and after a user is created, when an access token is
// minted, when a password or second factor was tried, and in place of sending
// mail or SMS.
//
// One mechanism, [Hooks.Invoke], serves all points over two transports:
//
//   - HTTP: a POST signed as Standard Webhooks describe, within five seconds
//     and three attempts in all.
//   - PostgreSQL: a function of one jsonb argument, called through [Database].
//
// A hook runs while no transaction is open. What it answers is hostile until
// checked: sizes are bounded, and claims must fit a schema.
//
// Every failure is an [Error] or a [Rejection], whose text is the one GoTrue
// shows; which status of ours belongs to it is for the caller to say.
//
// Addresses come from the operator's configuration, so private networks are
// allowed and HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured. Redirects are
// not followed: a signed payload goes to the configured address or nowhere.
package hooks
