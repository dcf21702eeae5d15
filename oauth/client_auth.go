package oauth

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// Client authentication methods (RFC 7591 §2, token_endpoint_auth_method).
const (
	AuthNone  = "none"
	AuthBasic = "client_secret_basic"
	AuthPost  = "client_secret_post"
)

const (
	// maxClientIDBytes leaves room for a client_id that is a URL.
	maxClientIDBytes = 2048
	// maxClientSecretBytes is far beyond any secret we issue.
	maxClientSecretBytes = 1024
	// maxBasicBytes fits the two, percent-encoded and then base64-encoded.
	maxBasicBytes = 16 << 10
)

// ClientCredentials are what a client presented, not yet verified.
type ClientCredentials struct {
	// ID is the client_id, never empty.
	ID string
	// Secret is the client_secret. It is empty with AuthNone, and may be empty
	// with AuthBasic, which a client without a secret must not be let in with.
	Secret string
	// Method is the authentication method used: AuthNone, AuthBasic, AuthPost.
	Method string
}

// Credentials finds out how a client identifies itself at an endpoint that
// authenticates clients (RFC 6749 §2.3, §3.2.1). More than one method in one
// request is invalid_request; so is a client_id in the body that differs from
// the one in the header. Missing or malformed credentials are invalid_client,
// and so are methods we do not support. An Authorization header of another
// scheme is not client authentication and is ignored.
func Credentials(authorizationHeader string, p Params) (ClientCredentials, *Error) {
	id, secret, basic, err := ParseBasic(authorizationHeader)
	if err != nil {
		return ClientCredentials{}, err
	}
	if err := checkSingleMethod(basic, p); err != nil {
		return ClientCredentials{}, err
	}
	if basic {
		if p.Has("client_id") && p.Get("client_id") != id {
			return ClientCredentials{}, InvalidRequest("client_id does not match the Authorization header")
		}
		return ClientCredentials{ID: id, Secret: secret, Method: AuthBasic}, nil
	}
	c := ClientCredentials{ID: p.Get("client_id"), Secret: p.Get("client_secret"), Method: AuthNone}
	if p.Has("client_secret") {
		c.Method = AuthPost
	}
	if err := checkCredentialSyntax(c.ID, c.Secret); err != nil {
		return ClientCredentials{}, err
	}
	return c, nil
}

// ParseBasic reads an Authorization header of the Basic scheme, whose name is
// case-insensitive. Client identifier and secret are form-encoded before they
// are joined by a colon (RFC 6749 §2.3.1). ok is false without an error if the
// header is empty or of another scheme; malformed credentials are
// invalid_client.
func ParseBasic(header string) (id, secret string, ok bool, err *Error) {
	scheme, encoded, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Basic") {
		return "", "", false, nil
	}
	if len(encoded) > maxBasicBytes {
		return "", "", false, badCredentials("basic auth is too long")
	}
	decoded, decodeErr := base64.StdEncoding.DecodeString(strings.Trim(encoded, " "))
	if decodeErr != nil {
		return "", "", false, badCredentials("invalid basic auth encoding")
	}
	rawID, rawSecret, found := strings.Cut(string(decoded), ":")
	id, idErr := url.QueryUnescape(rawID)
	secret, secretErr := url.QueryUnescape(rawSecret)
	if !found || idErr != nil || secretErr != nil {
		return "", "", false, badCredentials("invalid basic auth format")
	}
	if err := checkCredentialSyntax(id, secret); err != nil {
		return "", "", false, err
	}
	return id, secret, true, nil
}

// checkSingleMethod refuses a request that authenticates in two ways (RFC 6749
// §2.3), and client assertions, which are not supported (RFC 7523 §2.2).
func checkSingleMethod(basic bool, p Params) *Error {
	post := p.Has("client_secret")
	assertion := p.Has("client_assertion") || p.Has("client_assertion_type")
	switch {
	case basic && post, basic && assertion, post && assertion:
		return InvalidRequest("only one client authentication method may be used in a request")
	case assertion:
		return badCredentials("client assertions are not supported")
	}
	return nil
}

// checkCredentialSyntax judges lengths and alphabet (VSCHAR, RFC 6749 Appendix
// A.1, A.2).
func checkCredentialSyntax(id, secret string) *Error {
	switch {
	case id == "":
		return badCredentials("client_id is required")
	case len(id) > maxClientIDBytes || !consistsOf(id, isVisibleChar):
		return badCredentials("client_id is malformed")
	case len(secret) > maxClientSecretBytes || !consistsOf(secret, isVisibleChar):
		return badCredentials("client_secret is malformed")
	}
	return nil
}

// badCredentials is invalid_client in GoTrue's words.
func badCredentials(why string) *Error {
	return InvalidClient("Invalid client credentials: " + why)
}
