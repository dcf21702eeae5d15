package redirects

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/gobwas/glob"
)

// AllowList knows the permitted targets. It is immutable.
type AllowList struct {
	site  *url.URL
	raw   string
	globs []*glob.Pattern
	host  *regexp.Regexp
	digit *regexp.Regexp
}

// New compiles the allow-list: globs in which '*' stops at '.' and '/', and
// '**' does not.
func New(siteURL string, patterns []string) (*AllowList, error) {
	site, err := url.Parse(siteURL)
	if err != nil {
		return nil, fmt.Errorf("site URL cannot be parsed")
	}
	list := &AllowList{
		site: site, raw: siteURL,
		host:  regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?$`),
		digit: regexp.MustCompile(`^[0-9]+$`),
	}
	for _, pattern := range patterns {
		compiled, err := glob.Compile(closeBraces(pattern), '.', '/')
		if err != nil {
			return nil, fmt.Errorf("redirect pattern %q: %w", pattern, err)
		}
		list.globs = append(list.globs, compiled)
	}
	return list, nil
}

// closeBraces closes alternatives that a comma of the list has cut in two: the
// first part still means what it says.
func closeBraces(pattern string) string {
	open := 0
	for i := 0; i < len(pattern); i++ {
		switch pattern[i] {
		case '\\':
			i++
		case '{':
			open++
		case '}':
			open = max(0, open-1)
		}
	}
	return pattern + strings.Repeat("}", open)
}

// First returns the first permitted target, else the site.
func (l *AllowList) First(targets ...string) string {
	for _, target := range targets {
		if target != "" && l.Allows(target) {
			return target
		}
	}
	return l.raw
}

// Allows reports whether a browser may be sent to target.
func (l *AllowList) Allows(target string) bool {
	u, err := url.Parse(target)
	if err != nil || target == "" {
		return false
	}
	host := u.Hostname()
	if l.isSite(u) {
		return true
	}
	if l.digit.MatchString(host) {
		return false // a decimal IP address in disguise
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.IsLoopback()
	}
	if (u.Scheme == "http" || u.Scheme == "https") && !l.host.MatchString(host) {
		return false
	}
	withoutFragment, _, _ := strings.Cut(target, "#")
	for _, pattern := range l.globs {
		if pattern.Match(withoutFragment) {
			return true
		}
	}
	return false
}

// isSite reports whether u has the site's scheme, host (as written) and port; on a loopback
// host the port may differ.
func (l *AllowList) isSite(u *url.URL) bool {
	if u.Scheme != l.site.Scheme || u.Hostname() != l.site.Hostname() || u.Hostname() == "" {
		return false
	}
	return u.Port() == l.site.Port() || isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	switch host {
	case "localhost", "127.0.0.1", "::1", "0.0.0.0", "::":
		return true
	}
	return false
}
