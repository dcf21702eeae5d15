package oauth

import (
	"strconv"
	"strings"
)

// sameLoopback is the one exception from exact comparison of redirect URIs. A
// native app listens on whatever port the system gives it, so for http URIs on
// the loopback interface any port may be requested, whichever was registered
// (RFC 8252 §7.3, RFC 9700 §4.1.3). Everything else must be equal byte by
// byte: localhost does not match 127.0.0.1, and the path does not vary.
func sameLoopback(registered, requested string) bool {
	host, rest, ok := splitLoopback(registered)
	if !ok {
		return false
	}
	requestedHost, requestedRest, ok := splitLoopback(requested)
	return ok && host == requestedHost && rest == requestedRest
}

// splitLoopback cuts an http loopback URI into its host and what follows the
// port. It works on the text, not on a parsed URL, so that no normalisation
// can make unequal URIs equal.
func splitLoopback(uri string) (host, rest string, ok bool) {
	authority, ok := strings.CutPrefix(uri, "http://")
	if !ok {
		return "", "", false
	}
	for _, host := range []string{"127.0.0.1", "[::1]", "localhost"} {
		if tail, ok := strings.CutPrefix(authority, host); ok {
			rest, ok := cutPort(tail)
			return host, rest, ok
		}
	}
	return "", "", false
}

// cutPort removes ":port" from the text after a host. The text must then be at
// its end, or at a path or query: localhost.example.com and
// localhost:1@example.com are other hosts.
func cutPort(tail string) (rest string, ok bool) {
	end := strings.IndexAny(tail, "/?")
	if end < 0 {
		end = len(tail)
	}
	port, rest := tail[:end], tail[end:]
	if port == "" {
		return rest, true
	}
	digits, ok := strings.CutPrefix(port, ":")
	if !ok {
		return "", false
	}
	number, err := strconv.ParseUint(digits, 10, 16)
	return rest, err == nil && number > 0
}
