package oauth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 8707 §2: an absolute URI without fragment, and here without query.
func TestCheckResource(t *testing.T) {
	t.Parallel()
	const (
		invalid  = "resource must be a valid URI"
		relative = "resource must be an absolute URI"
		fragment = "resource must not include a fragment component"
		query    = "resource must not include a query component"
	)
	for resource, why := range map[string]string{
		"https://api.example":         "",
		"https://api.example/":        "",
		"https://api.example:8443/v1": "",
		"http://localhost:3000/mcp":   "",
		"urn:example:api":             "",
		"api.example":                 relative,
		"/v1":                         relative,
		"//api.example/v1":            relative,
		"":                            relative,
		"https:":                      relative,
		"https:///v1":                 relative,
		"https://api.example/%zz":     invalid,
		"https://api.example/\x00":    invalid,
		"https://api.example/a b":     invalid,
		"https://api.example/\u0085":  invalid,
		"https://api.example/\xff":    invalid,
		`https://api.example\v1`:      invalid,
		"https://api.example/#top":    fragment,
		"https://api.example/#":       fragment,
		"https://api.example/?a=1#":   fragment,
		"https://api.example/?a=1":    query,
		"https://api.example/?":       query,
		"https://api.example/" + strings.Repeat("x", 2048): "resource must not exceed 2048 characters",
	} {
		err := CheckResource(resource)
		if why == "" {
			require.Nil(t, err, "%q", resource)
		} else {
			require.Equal(t, InvalidTarget(why), err, "%q", resource)
		}
	}
}
