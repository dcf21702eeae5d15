package oauth

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// isErrorChar reports whether b may stand in an error_description
// (%x20-21 / %x23-5B / %x5D-7E, RFC 6749 §5.2).
func isErrorChar(b byte) bool {
	return b >= 0x20 && b <= 0x7e && b != '"' && b != '\\'
}

// isScopeChar is NQCHAR, the alphabet of a scope token (RFC 6749 Appendix A).
func isScopeChar(b byte) bool {
	return b != ' ' && isErrorChar(b)
}

// isVisibleChar is VSCHAR, the alphabet of client_id and client_secret
// (RFC 6749 Appendix A.1, A.2).
func isVisibleChar(b byte) bool {
	return b >= 0x20 && b <= 0x7e
}

// isUnreserved is the alphabet of PKCE values (RFC 7636 §4.1).
func isUnreserved(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	return b == '-' || b == '.' || b == '_' || b == '~'
}

// consistsOf reports whether every byte of s is in the given class.
func consistsOf(s string, class func(byte) bool) bool {
	for i := range len(s) {
		if !class(s[i]) {
			return false
		}
	}
	return true
}

// isPlainText reports whether s is valid UTF-8 without control characters. NUL
// matters most: PostgreSQL cannot store it in a text column.
func isPlainText(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// isWebURL reports whether s is an absolute http or https URL that is safe to
// put into a link or an image: anything else, javascript: first of all, would
// be a stored cross-site script (RFC 7591 §5).
func isWebURL(s string) bool {
	if !isPlainText(s) || strings.ContainsAny(s, " \\") {
		return false
	}
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http"
}
