package oauth

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	whyTarget    = "must have scheme and host"
	whyFormat    = "invalid URL format"
	whyHTTP      = "HTTP scheme only allowed for localhost"
	whyFragment  = "fragment not allowed in redirect URI"
	whyAlphabet  = "only ASCII characters without spaces are allowed in redirect URI"
	whyBackslash = "backslash not allowed in redirect URI"
	whyUserinfo  = "user information not allowed in redirect URI"
	whyWildcard  = "wildcard not allowed in host of redirect URI"
)

func requireRedirectURIs(t *testing.T, cases map[string]string) {
	t.Helper()
	for uri, why := range cases {
		err := ValidateRedirectURI(uri)
		if why == "" {
			require.NoError(t, err, "%q", uri)
		} else {
			require.EqualError(t, err, why, "%q", uri)
		}
	}
}

// RFC 6749 §3.1.2: an absolute URI, with a host unless the scheme is private.
func TestRedirectURITarget(t *testing.T) {
	t.Parallel()
	requireRedirectURIs(t, map[string]string{
		"":                               "redirect URI cannot be empty",
		"https://app.example/cb":         "",
		"https://app.example":            "",
		"https://app.example:8443/cb":    "",
		"https://app.example/cb?a=1&b=2": "",
		"HTTPS://app.example/cb":         "",
		"https://[2001:db8::1]/cb":       "",
		"myapp://cb":                     "",
		"ftp://files.example/cb":         "",
		"/cb":                            whyTarget,
		"//app.example/cb":               whyTarget,
		"app.example/cb":                 whyTarget,
		"https:///cb":                    whyTarget,
		"https:/cb":                      whyTarget,
		"https:app.example/cb":           whyTarget,
		"https://:8443/cb":               whyTarget,
		"myapp:/cb":                      whyTarget,
		"mailto:a@app.example":           whyTarget,
		"https://app.example/%zz":        whyFormat,
		"https://app.example:port/cb":    whyFormat,
		"https://[::1/cb":                whyFormat,
	})
}

// RFC 8252 §7.1: private-use schemes are reversed domain names, without host.
func TestRedirectURIPrivateUseScheme(t *testing.T) {
	t.Parallel()
	requireRedirectURIs(t, map[string]string{
		"com.example.app:/cb":          "",
		"com.example.app:/cb?flow=1":   "",
		"com.example.app:/":            "",
		"com.example.app:///cb":        "",
		"com.example.app://cb":         "",
		"com.example.app:":             whyTarget,
		"com.example.app://":           whyTarget,
		"com.example.app:cb":           whyTarget,
		"com.example.app:/cb#fragment": whyFragment,
	})
}

// RFC 9700 §4.1.3, §4.11: schemes that run or read something in the browser.
func TestRedirectURIDangerousScheme(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"javascript", "data", "file", "vbscript", "about", "blob"} {
		why := "scheme '" + scheme + "' is not allowed for security reasons"
		requireRedirectURIs(t, map[string]string{
			scheme + "://host/%0aalert(1)":                    why,
			strings.ToUpper(scheme) + "://host/":              why,
			strings.ToUpper(scheme[:1]) + scheme[1:] + "://x": why,
		})
		for _, hidden := range []string{
			scheme + ":alert(1)", scheme + ":/x", " " + scheme + "://x", "\t" + scheme + "://x", "\x00" + scheme + "://x",
			scheme[:2] + "\n" + scheme[2:] + "://x", scheme + " ://x", "\u00a0" + scheme + "://x",
		} {
			require.Error(t, ValidateRedirectURI(hidden), "%q", hidden)
		}
	}
}

// RFC 8252 §7.3, RFC 9700 §2.6: http only on the loopback interface.
func TestRedirectURIHTTP(t *testing.T) {
	t.Parallel()
	requireRedirectURIs(t, map[string]string{
		"http://localhost/cb":            "",
		"http://localhost:3000/cb":       "",
		"http://127.0.0.1:3000/cb":       "",
		"http://[::1]:3000/cb":           "",
		"HTTP://localhost/cb":            "",
		"http://app.example/cb":          whyHTTP,
		"HTTP://app.example/cb":          whyHTTP,
		"http://localhost.evil.example/": whyHTTP,
		"http://127.0.0.1.evil.example/": whyHTTP,
		"http://127.0.0.2/cb":            whyHTTP,
		"http://0.0.0.0/cb":              whyHTTP,
		"http://2130706433/cb":           whyHTTP,
		"http://localhost@evil.example/": whyHTTP,
	})
}

// RFC 6749 §3.1.2: no fragment, not even an empty one.
func TestRedirectURIFragment(t *testing.T) {
	t.Parallel()
	requireRedirectURIs(t, map[string]string{
		"https://app.example/cb#part":   whyFragment,
		"https://app.example/cb#":       whyFragment,
		"https://app.example/cb?a=1#":   whyFragment,
		"https://app.example/cb%23part": "",
	})
}

// RFC 3986 §2: characters outside the URI alphabet, and those that browsers
// and parsers disagree about.
func TestRedirectURIAlphabet(t *testing.T) {
	t.Parallel()
	fits := "https://app.example/" + strings.Repeat("x", 2048-len("https://app.example/"))
	requireRedirectURIs(t, map[string]string{
		"https://app.example/a b":                whyAlphabet,
		"https://app.example/cb ":                whyAlphabet,
		" https://app.example/cb":                whyFormat,
		"https://app.example/\n":                 whyFormat,
		"https://app.example/\x00":               whyFormat,
		"https://app.example/\u202e":             whyAlphabet,
		"https://app.example/\xff":               whyAlphabet,
		"https://аpp.example/cb":                 whyAlphabet, // a Cyrillic а
		`https://app.example/a\b`:                whyBackslash,
		`https://app.example/?\evil.example`:     whyBackslash,
		"https://app.example/cb?x=1,2":           "comma not allowed in redirect URI (write %2C)",
		"https://app.example/cb?x=1%2C2":         "",
		fits:                                     "",
		fits + "x":                               "redirect URI cannot exceed 2048 characters",
		"https://app.example/(cb)?x=[1]&y='*'~!": "",
	})
}

// RFC 9700 §4.1: nothing that disguises the host or stands for many hosts.
func TestRedirectURIAuthority(t *testing.T) {
	t.Parallel()
	requireRedirectURIs(t, map[string]string{
		"https://app.example@evil.example/": whyUserinfo,
		"https://user:pw@app.example/":      whyUserinfo,
		"https://@app.example/":             whyUserinfo,
		"https://*.app.example/cb":          whyWildcard,
		"https://app.example:*/cb":          whyFormat,
		"https://*/cb":                      whyWildcard,
		"https://app.example/*":             "",
	})
}

// RFC 9700 §2.1: exact string comparison.
func TestMatchRedirectURI(t *testing.T) {
	t.Parallel()
	registered := []string{"https://app.example/cb?a=1", "com.example.app:/cb", "https://127.0.0.1:1/cb"}
	for _, uri := range registered {
		got, ok := MatchRedirectURI(registered, uri)
		require.True(t, ok, uri)
		require.Equal(t, uri, got)
	}
	for _, uri := range []string{
		"", "https://app.example/cb", "https://app.example/cb?a=1&b=2", "https://app.example/cb?a=1#",
		"https://app.example/CB?a=1", "HTTPS://app.example/cb?a=1", "https://APP.example/cb?a=1",
		"https://app.example:443/cb?a=1", "https://app.example/./cb?a=1", "https://app.example/%63b?a=1",
		"https://app.example/cb?a=1 ", "http://app.example/cb?a=1", "https://evil.example/cb?a=1",
		"com.example.app:/cb/", "https://127.0.0.1:2/cb",
	} {
		got, ok := MatchRedirectURI(registered, uri)
		require.False(t, ok, uri)
		require.Empty(t, got)
	}
	_, ok := MatchRedirectURI([]string{""}, "")
	require.False(t, ok)

	longest := "http://localhost:1/" + strings.Repeat("x", 2048-len("http://localhost:1/"))
	_, ok = MatchRedirectURI([]string{longest}, longest)
	require.True(t, ok)
	_, ok = MatchRedirectURI([]string{longest}, strings.Replace(longest, ":1/", ":51004/", 1))
	require.False(t, ok)
}

// RFC 8252 §7.3, RFC 9700 §4.1.3: any port of a loopback URI.
func TestLoopbackPort(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		registered, requested string
		want                  bool
	}{
		{"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", true},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1:51004/cb", true},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.1/cb", true},
		{"http://[::1]:3000/cb", "http://[::1]:65535/cb", true},
		{"http://localhost:3000/cb?a=1", "http://localhost:4000/cb?a=1", true},
		{"http://localhost:3000", "http://localhost:4000", true},
		{"http://localhost:3000?a=1", "http://localhost:4000?a=1", true},
		{"http://localhost:3000/cb", "http://localhost:4000/cb/", false},
		{"http://localhost:3000/cb", "http://localhost:4000/cb?a=1", false},
		{"http://localhost:3000/cb", "http://localhost:4000/cb#", false},
		{"http://localhost:3000/cb", "https://localhost:4000/cb", false},
		{"https://localhost:3000/cb", "https://localhost:4000/cb", false},
		{"http://localhost:3000/cb", "http://127.0.0.1:3000/cb", false},
		{"http://127.0.0.1:3000/cb", "http://[::1]:3000/cb", false},
		{"http://127.0.0.1:3000/cb", "http://127.0.0.2:3000/cb", false},
		{"http://localhost:3000/cb", "HTTP://localhost:4000/cb", false},
		{"http://localhost:3000/cb", "http://LOCALHOST:4000/cb", false},
		{"http://localhost:3000/cb", "http://localhost.evil.example/cb", false},
		{"http://localhost:3000/cb", "http://localhost:4000@evil.example/cb", false},
		{"http://localhost:3000/cb", "http://localhost@evil.example/cb", false},
		{"http://localhost/@evil.example/cb", "http://localhost:1@evil.example/cb", false},
		{"http://localhost:3000/cb", "http://user@localhost:4000/cb", false},
		{"http://localhost:3000/cb", "http://localhost:/cb", false},
		{"http://localhost:3000/cb", "http://localhost:0/cb", false},
		{"http://localhost:3000/cb", "http://localhost:65536/cb", false},
		{"http://localhost:3000/cb", "http://localhost:+80/cb", false},
		{"http://localhost:3000/cb", "http://localhost:80a/cb", false},
		{"http://app.example:3000/cb", "http://app.example:4000/cb", false},
		{"com.example.app://localhost:1/cb", "com.example.app://localhost:2/cb", false},
	} {
		got, ok := MatchRedirectURI([]string{"https://app.example/", tc.registered}, tc.requested)
		require.Equal(t, tc.want, ok, "%s -> %s", tc.registered, tc.requested)
		if ok {
			require.Equal(t, tc.requested, got, "the answer goes to the port that was requested")
		}
	}
}

// RFC 6749 §3.1.2, §4.1.2: the response is added to the query, which stays.
func TestAuthorizationResponse(t *testing.T) {
	t.Parallel()
	response := url.Values{"code": {"c 1"}, "state": {"a&b"}}
	for uri, want := range map[string]string{
		"https://c.example/cb":               "https://c.example/cb?code=c+1&state=a%26b",
		"https://c.example":                  "https://c.example?code=c+1&state=a%26b",
		"https://c.example/cb?":              "https://c.example/cb?code=c+1&state=a%26b",
		"https://c.example/cb?z=1&a=2":       "https://c.example/cb?a=2&code=c+1&state=a%26b&z=1",
		"https://c.example/cb?a=2&a=1":       "https://c.example/cb?a=2&a=1&code=c+1&state=a%26b",
		"https://c.example/cb?a=x%20y":       "https://c.example/cb?a=x+y&code=c+1&state=a%26b",
		"https://c.example/cb?code=mine":     "https://c.example/cb?code=c+1&state=a%26b",
		"https://c.example/a%2Fb":            "https://c.example/a%2Fb?code=c+1&state=a%26b",
		"https://c.example/cb?a;b":           "https://c.example/cb?a;b&code=c+1&state=a%26b",
		"com.example.app:/cb":                "com.example.app:/cb?code=c+1&state=a%26b",
		"com.example.app:///cb?a=1":          "com.example.app:///cb?a=1&code=c+1&state=a%26b",
		"http://[::1]:5000/cb":               "http://[::1]:5000/cb?code=c+1&state=a%26b",
		"https://c.example/cb#from-long-ago": "https://c.example/cb?code=c+1&state=a%26b",
	} {
		require.Equal(t, want, AuthorizationResponse(uri, response))
	}
	require.Equal(t, "https://c.example/cb", AuthorizationResponse("https://c.example/cb", nil))
	require.Equal(t, "https://c.example/cb?a;b", AuthorizationResponse("https://c.example/cb?a;b", nil))
	require.Len(t, response, 2, "the caller's values are left alone")
}
