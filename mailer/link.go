package mailer

import (
	"net/url"
	"strings"
)

// ConfirmationURL builds the link of a mail. Base is the service's external
// URL; path, "/verify" if empty, is a reference resolved against it (RFC 3986
// §5.2): an absolute path replaces the path of base, a URL all of it, and a
// query or fragment in it is dropped. LinkType is invite, signup, recovery,
// magiclink or email_change.
//
// RedirectTo is inserted as it is unless it contains '&', '=' or '#': existing
// mail templates and tests compare links of exactly this form.
func ConfirmationURL(base, path, tokenHash, linkType, redirectTo string) string {
	if path == "" {
		path = "/verify"
	}
	if strings.ContainsAny(redirectTo, "&=#") {
		redirectTo = url.QueryEscape(redirectTo)
	}
	link := resolve(base, path)
	link.RawQuery = "token=" + url.QueryEscape(tokenHash) +
		"&type=" + url.QueryEscape(linkType) +
		"&redirect_to=" + redirectTo
	link.Fragment, link.RawFragment = "", ""
	return link.String()
}

// resolve reads path relative to base. Both come from validated configuration;
// a path that cannot be parsed is taken as plain characters.
func resolve(base, path string) *url.URL {
	reference, err := url.Parse(path)
	if err != nil {
		reference = &url.URL{Path: path}
	}
	origin, err := url.Parse(base)
	if err != nil {
		return reference
	}
	return origin.ResolveReference(reference)
}
