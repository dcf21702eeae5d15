// Package oauthserver is the HTTP face of the OAuth 2.1 and OpenID Connect
// authorization server. The rules live in package oauth; here they are put in
// order, joined with the database, and their outcomes become responses.
//
// Three kinds of callers meet here: browsers and third-party clients at
// /oauth/authorize, /oauth/token, /oauth/userinfo and the metadata, with the
// RFCs' shapes; the project's consent page at /oauth/authorizations, and users
// at /user/oauth/grants, with GoTrue's shapes, because supabase-js calls them;
// administrators at /admin/oauth/clients, likewise.
package oauthserver
