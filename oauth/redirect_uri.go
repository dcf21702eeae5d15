package oauth

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// maxRedirectURIBytes is the width of the column that holds a redirect URI.
const maxRedirectURIBytes = 2048

// ValidateRedirectURI says whether a client may register the URI, and if not,
// why, in a sentence for the developer. Allowed are https and custom schemes
// with a host, http on the loopback interface (RFC 8252 §7.3), and private-use
// schemes without a host such as com.example.app:/cb (RFC 8252 §7.1).
func ValidateRedirectURI(u string) error {
	if u == "" {
		return errors.New("redirect URI cannot be empty")
	}
	parsed, err := url.Parse(u)
	if err != nil {
		// The cause quotes the URI; the caller does so already.
		return errors.New("invalid URL format")
	}
	for _, rule := range []func(string, *url.URL) error{
		checkRedirectTarget,
		checkRedirectScheme,
		checkRedirectFragment,
		checkRedirectAlphabet,
		checkRedirectAuthority,
	} {
		if err := rule(u, parsed); err != nil {
			return err
		}
	}
	return nil
}

// MatchRedirectURI looks for the redirect URI of a request among the
// registered ones and returns the URI to redirect to. Comparison is exact, byte
// by byte (RFC 9700 §2.1), except for the port of a loopback URI: see
// loopback.go. An omitted redirect URI matches nothing, and neither does one
// that has grown too long to be stored.
func MatchRedirectURI(registered []string, requested string) (string, bool) {
	if requested == "" || len(requested) > maxRedirectURIBytes {
		return "", false
	}
	for _, candidate := range registered {
		if candidate == requested || sameLoopback(candidate, requested) {
			return requested, true
		}
	}
	return "", false
}

// AuthorizationResponse adds response parameters to the query of a redirect
// URI. Parameters the URI has already are retained (RFC 6749 §3.1.2, §4.1.2),
// unless one of the response has the same name: that one must win, or a
// registered ?code= could stand in for ours. The query is encoded sorted by
// key; everything before it stays as registered.
func AuthorizationResponse(redirectURI string, params url.Values) string {
	base, _, _ := strings.Cut(redirectURI, "#")
	base, rawQuery, _ := strings.Cut(base, "?")
	query, err := url.ParseQuery(rawQuery)
	switch {
	case err != nil && len(params) > 0:
		// Not name=value pairs as we know them: the client's own affair.
		return base + "?" + rawQuery + "&" + params.Encode()
	case err != nil:
		return base + "?" + rawQuery
	}
	maps.Copy(query, params)
	if len(query) == 0 {
		return base
	}
	return base + "?" + query.Encode()
}

// checkRedirectTarget requires a host, or a private-use scheme with a rooted
// path. Such a scheme is a domain name of the app's maker written backwards,
// so it has a dot (RFC 8252 §7.1); that keeps mailto: and tel: out.
func checkRedirectTarget(_ string, u *url.URL) error {
	privateUse := strings.Contains(u.Scheme, ".") && u.Host == "" && strings.HasPrefix(u.Path, "/")
	if u.Scheme == "" || u.Hostname() == "" && !privateUse {
		return errors.New("must have scheme and host")
	}
	return nil
}

// checkRedirectScheme refuses schemes that run or read something in the
// browser, and http beyond the loopback interface (RFC 9700 §2.6).
func checkRedirectScheme(_ string, u *url.URL) error {
	switch u.Scheme { // lower-case: url.Parse saw to that
	case "javascript", "data", "file", "vbscript", "about", "blob":
		return fmt.Errorf("scheme '%s' is not allowed for security reasons", u.Scheme)
	case "http":
		if !slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname()) {
			return errors.New("HTTP scheme only allowed for localhost")
		}
	}
	return nil
}

// checkRedirectFragment also refuses the empty fragment, which a parsed URL no
// longer shows (RFC 6749 §3.1.2).
func checkRedirectFragment(raw string, _ *url.URL) error {
	if strings.Contains(raw, "#") {
		return errors.New("fragment not allowed in redirect URI")
	}
	return nil
}

// checkRedirectAlphabet refuses what browsers and URL parsers read differently
// and what our storage cannot hold.
func checkRedirectAlphabet(raw string, _ *url.URL) error {
	isURIChar := func(b byte) bool { return b > 0x20 && b < 0x7f }
	switch {
	case len(raw) > maxRedirectURIBytes:
		return errors.New("redirect URI cannot exceed 2048 characters")
	case !consistsOf(raw, isURIChar):
		return errors.New("only ASCII characters without spaces are allowed in redirect URI")
	case strings.Contains(raw, `\`): // browsers read it as a slash
		return errors.New("backslash not allowed in redirect URI")
	case strings.Contains(raw, ","): // the list is stored joined by commas
		return errors.New("comma not allowed in redirect URI (write %2C)")
	}
	return nil
}

// checkRedirectAuthority refuses userinfo, which disguises the real host, and
// wildcards, which nothing here would expand.
func checkRedirectAuthority(_ string, u *url.URL) error {
	switch {
	case u.User != nil:
		return errors.New("user information not allowed in redirect URI")
	case strings.Contains(u.Host, "*"):
		return errors.New("wildcard not allowed in host of redirect URI")
	}
	return nil
}
