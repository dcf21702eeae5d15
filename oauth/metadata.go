package oauth

import "slices"

// Client types (RFC 6749 §2.1).
const (
	ClientPublic       = "public"
	ClientConfidential = "confidential"
)

// Grant types a client may register.
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
)

// ResponseTypeCode is the only response type of OAuth 2.1.
const ResponseTypeCode = "code"

// ClientMetadata is what a client says about itself when it is registered
// (RFC 7591 §2); client_type is GoTrue's addition. Empty members count as
// absent.
type ClientMetadata struct {
	RedirectURIs            []string `json:"redirect_uris,omitempty"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	GrantTypes              []string `json:"grant_types,omitempty"`
	ResponseTypes           []string `json:"response_types,omitempty"`
	ClientName              string   `json:"client_name,omitempty"`
	ClientURI               string   `json:"client_uri,omitempty"`
	LogoURI                 string   `json:"logo_uri,omitempty"`
	Scope                   string   `json:"scope,omitempty"`
	ClientType              string   `json:"client_type,omitempty"`
}

// MetadataProblem is the first thing wrong with client metadata.
type MetadataProblem struct {
	// Field is the JSON name of the member at fault, empty if none is. A
	// problem with redirect_uris is invalid_redirect_uri, any other
	// invalid_client_metadata (RFC 7591 §3.2.2).
	Field string
	// Message is a sentence for the developer, GoTrue's where it has one. It
	// may quote the value at fault.
	Message string
}

// Error implements the error interface.
func (p *MetadataProblem) Error() string {
	return p.Message
}

// Normalize validates the metadata and fills in what was left out: the type
// follows from the method and the method from the type, confidential with
// client_secret_basic if neither is given; both grant types; response type
// code. Normalizing twice changes nothing. The receiver is left alone.
func (m ClientMetadata) Normalize() (ClientMetadata, *MetadataProblem) {
	if problem := m.Validate(); problem != nil {
		return ClientMetadata{}, problem
	}
	scope, _ := ParseScope(m.Scope) // valid, as Validate has found
	m.Scope = scope.String()
	m.RedirectURIs = slices.Clone(m.RedirectURIs)
	m.GrantTypes = distinct(m.GrantTypes)
	if len(m.GrantTypes) == 0 {
		m.GrantTypes = []string{GrantAuthorizationCode, GrantRefreshToken}
	}
	m.ResponseTypes = []string{ResponseTypeCode}
	if m.ClientType == "" {
		m.ClientType = ClientConfidential
		if m.TokenEndpointAuthMethod != "" {
			m.ClientType = typeOfMethod(m.TokenEndpointAuthMethod)
		}
	}
	if m.TokenEndpointAuthMethod == "" {
		m.TokenEndpointAuthMethod = MethodsOf(m.ClientType)[0]
	}
	return m, nil
}

// MethodsOf lists the authentication methods a client of the given type may
// use, the default first: a public client has no secret to authenticate with.
func MethodsOf(clientType string) []string {
	if clientType == ClientPublic {
		return []string{AuthNone}
	}
	return []string{AuthBasic, AuthPost}
}

// typeOfMethod is the client type that an authentication method implies.
func typeOfMethod(method string) string {
	if method == AuthNone {
		return ClientPublic
	}
	return ClientConfidential
}

// distinct returns the values without repetitions, in order, as a new slice.
func distinct(values []string) []string {
	var out []string
	for _, value := range values {
		if !slices.Contains(out, value) {
			out = append(out, value)
		}
	}
	return out
}
