// Package redirects decides where GoTrue's own flows may send a browser: to
// the site itself, to loopback addresses, and to what the allow-list matches.
// OAuth clients' redirect URIs are another matter, see package oauth.
package redirects
