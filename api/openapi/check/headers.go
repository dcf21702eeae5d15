package check

import (
	"fmt"
	"net/http"
	"strings"
)

// compareHeaders wants the headers that are described as required, and no
// telling header that is not described.
func compareHeaders(response map[string]any, sent http.Header) error {
	described, _ := response["headers"].(map[string]any)
	known := map[string]bool{}
	for name, value := range described {
		known[http.CanonicalHeaderKey(name)] = true
		header, _ := value.(map[string]any)
		if required, _ := header["required"].(bool); required && sent.Get(name) == "" {
			return fmt.Errorf("header %s is missing", name)
		}
	}
	for name := range sent {
		if telling(name) && !known[name] {
			return fmt.Errorf("header %s is not described", name)
		}
	}
	return nil
}

// telling reports whether a header is part of the API, rather than of HTTP as
// such.
func telling(name string) bool {
	if strings.HasPrefix(name, "Sb-") {
		return true
	}
	switch name {
	case "Location", "Link", "X-Total-Count", "Etag", "Cache-Control", "Retry-After", "Www-Authenticate",
		"X-Sb-Error-Code", "X-Supabase-Api-Version":
		return true
	}
	return false
}
