package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// ClientIP tells a request's address, as sessions and hooks record it.
type ClientIP struct {
	// TrustSBForwardedFor prefers the header Sb-Forwarded-For, which the
	// platform in front of the server sets.
	TrustSBForwardedFor bool
}

// Of returns the client's address, empty if the peer's cannot be read.
func (c ClientIP) Of(r *http.Request) string {
	if ip, ok := c.sbForwardedFor(r); ok {
		return ip
	}
	for part := range strings.SplitSeq(r.Header.Get("X-Forwarded-For"), ",") {
		if addr, err := netip.ParseAddr(strings.TrimSpace(part)); err == nil {
			return addr.WithZone("").String()
		}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.WithZone("").String()
	}
	return ""
}

// Key is what a request is counted under for rate limits: the platform's
// address, or the first value of the configured header. Empty means not limited.
func (c ClientIP) Key(r *http.Request, header string) string {
	if ip, ok := c.sbForwardedFor(r); ok {
		return ip
	}
	if header == "" {
		return ""
	}
	first, _, _ := strings.Cut(r.Header.Get(header), ",")
	return strings.TrimSpace(first)
}

func (c ClientIP) sbForwardedFor(r *http.Request) (string, bool) {
	if !c.TrustSBForwardedFor {
		return "", false
	}
	first, _, _ := strings.Cut(r.Header.Get("Sb-Forwarded-For"), ",")
	addr, err := netip.ParseAddr(strings.TrimSpace(first))
	if err != nil {
		return "", false
	}
	return addr.WithZone("").String(), true
}
