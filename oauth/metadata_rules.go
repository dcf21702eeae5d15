package oauth

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const (
	maxRedirectURIs    = 10
	maxClientNameBytes = 1024
	maxClientURIBytes  = 2048
)

// Validate checks the metadata of a new client, in GoTrue's order, and returns
// the first problem or nil (RFC 7591 §2).
func (m ClientMetadata) Validate() *MetadataProblem {
	return cmp.Or(
		checkRedirectURIs(m.RedirectURIs, "redirect_uris is required"),
		checkGrantTypes(m.GrantTypes),
		checkResponseTypes(m.ResponseTypes),
		checkClientName(m.ClientName),
		checkClientLink("client_uri", m.ClientURI),
		checkClientLink("logo_uri", m.LogoURI),
		checkClientType(m.ClientType),
		checkAuthMethod(m.TokenEndpointAuthMethod),
		checkTypeAndMethod(m.ClientType, m.TokenEndpointAuthMethod),
		checkClientScope(m.Scope),
	)
}

// MetadataUpdate is a partial change of a registered client. A nil member is
// left as it is; an empty string clears name, URI or logo. The client type
// cannot change.
type MetadataUpdate struct {
	RedirectURIs            *[]string `json:"redirect_uris"`
	GrantTypes              *[]string `json:"grant_types"`
	ClientName              *string   `json:"client_name"`
	ClientURI               *string   `json:"client_uri"`
	LogoURI                 *string   `json:"logo_uri"`
	TokenEndpointAuthMethod *string   `json:"token_endpoint_auth_method"`
}

// ValidateUpdate checks a change to a client of the given type and returns the
// first problem or nil. An update without any member is a problem of no field.
func ValidateUpdate(u MetadataUpdate, clientType string) *MetadataProblem {
	if u == (MetadataUpdate{}) {
		return &MetadataProblem{Message: "No fields provided for update"}
	}
	return cmp.Or(
		checkUpdatedRedirectURIs(u.RedirectURIs),
		checkUpdatedGrantTypes(u.GrantTypes),
		checkClientName(deref(u.ClientName)),
		checkClientLink("client_uri", deref(u.ClientURI)),
		checkClientLink("logo_uri", deref(u.LogoURI)),
		checkUpdatedMethod(u.TokenEndpointAuthMethod, clientType),
	)
}

func checkRedirectURIs(uris []string, whenEmpty string) *MetadataProblem {
	const field = "redirect_uris"
	if len(uris) == 0 {
		return &MetadataProblem{field, whenEmpty}
	}
	if len(uris) > maxRedirectURIs {
		return &MetadataProblem{field, "redirect_uris cannot exceed 10 items"}
	}
	for _, uri := range uris {
		if err := ValidateRedirectURI(uri); err != nil {
			return &MetadataProblem{field, fmt.Sprintf("invalid redirect_uri '%s': %s", uri, err)}
		}
	}
	return nil
}

func checkGrantTypes(grants []string) *MetadataProblem {
	for _, grant := range grants {
		if grant != GrantAuthorizationCode && grant != GrantRefreshToken {
			return &MetadataProblem{"grant_types", "grant_types must only contain 'authorization_code' and/or 'refresh_token'"}
		}
	}
	return nil
}

// checkResponseTypes refuses the implicit and hybrid types (OAuth 2.1 §10.1)
// instead of registering a client that would never get what it asked for.
func checkResponseTypes(types []string) *MetadataProblem {
	for _, t := range types {
		if t != ResponseTypeCode {
			return &MetadataProblem{"response_types", "response_types must only contain 'code'"}
		}
	}
	return nil
}

// checkClientName refuses characters that let a name rewrite the consent page
// around it: controls and overrides of the writing direction.
func checkClientName(name string) *MetadataProblem {
	isOverride := func(r rune) bool {
		return r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069'
	}
	switch {
	case len(name) > maxClientNameBytes:
		return &MetadataProblem{"client_name", "client_name cannot exceed 1024 characters"}
	case !isPlainText(name) || strings.ContainsFunc(name, isOverride):
		return &MetadataProblem{"client_name", "client_name must be valid UTF-8 without control characters"}
	}
	return nil
}

// checkClientLink judges client_uri and logo_uri, which a consent page shows
// as a link and an image (RFC 7591 §5).
func checkClientLink(field, uri string) *MetadataProblem {
	switch {
	case uri == "":
		return nil
	case len(uri) > maxClientURIBytes:
		return &MetadataProblem{field, field + " cannot exceed 2048 characters"}
	case !isWebURL(uri):
		return &MetadataProblem{field, field + " must be a valid URL"}
	}
	return nil
}

func checkClientType(clientType string) *MetadataProblem {
	switch clientType {
	case "", ClientPublic, ClientConfidential:
		return nil
	}
	return &MetadataProblem{"client_type", "client_type must be 'public' or 'confidential'"}
}

func checkAuthMethod(method string) *MetadataProblem {
	if method == "" || isAuthMethod(method) {
		return nil
	}
	return &MetadataProblem{
		"token_endpoint_auth_method",
		"token_endpoint_auth_method must be one of: [none client_secret_basic client_secret_post]",
	}
}

func checkTypeAndMethod(clientType, method string) *MetadataProblem {
	if clientType == "" || method == "" || clientType == typeOfMethod(method) {
		return nil
	}
	return &MetadataProblem{"client_type", fmt.Sprintf(
		"client_type '%s' is inconsistent with token_endpoint_auth_method '%s' (expected client_type '%s')",
		clientType, method, typeOfMethod(method))}
}

// checkClientScope judges the syntax only: unknown scopes are not an error at
// registration, the client just never gets them.
func checkClientScope(scope string) *MetadataProblem {
	if _, err := ParseScope(scope); err != nil {
		return &MetadataProblem{"scope", err.Description}
	}
	return nil
}

func checkUpdatedRedirectURIs(uris *[]string) *MetadataProblem {
	if uris == nil {
		return nil
	}
	return checkRedirectURIs(*uris, "redirect_uris cannot be empty")
}

func checkUpdatedGrantTypes(grants *[]string) *MetadataProblem {
	switch {
	case grants == nil:
		return nil
	case len(*grants) == 0:
		return &MetadataProblem{"grant_types", "grant_types cannot be empty"}
	}
	return checkGrantTypes(*grants)
}

func checkUpdatedMethod(method *string, clientType string) *MetadataProblem {
	const field = "token_endpoint_auth_method"
	switch {
	case method == nil || slices.Contains(MethodsOf(clientType), *method):
		return nil
	case !isAuthMethod(*method):
		return &MetadataProblem{field, "invalid token_endpoint_auth_method: must be one of [none client_secret_basic client_secret_post]"}
	}
	return &MetadataProblem{field, fmt.Sprintf(
		"token_endpoint_auth_method '%s' is not valid for client_type '%s'; valid methods: %v",
		*method, clientType, MethodsOf(clientType))}
}

func isAuthMethod(method string) bool {
	return method == AuthNone || method == AuthBasic || method == AuthPost
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
