// Package oauth holds the vocabulary and the rules of OAuth 2.1 and OpenID
// Connect as pure functions: protocol errors, request parameters, scopes,
// redirect URIs, PKCE, client credentials, client metadata, resource
// indicators and standard claims.
//
// Nothing here knows HTTP handlers, SQL or the time. A rule takes what it
// judges as arguments and answers with nil or a *Error, so that a caller reads
// as an ordered list of rules:
//
//	return cmp.Or(
//		checkResponseType(p),                           // RFC 6749 §3.1.1
//		oauth.CheckChallenge(challenge, method, false), // RFC 7636 §4.3
//		oauth.CheckResource(resource),                  // RFC 8707 §2
//	)
//
// Rules return *Error, not error: compare the result with nil before handing
// it on as an error, because a nil *Error in an error interface is not nil.
//
// Where GoTrue has a sentence for a refusal, the same sentence is used here.
package oauth
