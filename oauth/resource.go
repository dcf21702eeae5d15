package oauth

import (
	"net/url"
	"strings"
)

// maxResourceBytes is the width of the column that holds a resource.
const maxResourceBytes = 2048

// CheckResource judges one resource indicator: an absolute URI without
// fragment (RFC 8707 §2). A query is refused as well: the RFC discourages it,
// and GoTrue refuses it. The answer is invalid_target.
func CheckResource(r string) *Error {
	if len(r) > maxResourceBytes {
		return InvalidTarget("resource must not exceed 2048 characters")
	}
	u, err := url.Parse(r)
	if err != nil || !isPlainText(r) || strings.ContainsAny(r, ` \`) {
		return InvalidTarget("resource must be a valid URI")
	}
	isWeb := u.Scheme == "https" || u.Scheme == "http"
	switch {
	case !u.IsAbs(), isWeb && u.Hostname() == "":
		return InvalidTarget("resource must be an absolute URI")
	case strings.Contains(r, "#"): // also the empty fragment
		return InvalidTarget("resource must not include a fragment component")
	case strings.Contains(r, "?"):
		return InvalidTarget("resource must not include a query component")
	}
	return nil
}
