package oauth

// ErrorCode is the value of the error member of a protocol error response.
// Which HTTP status goes with it is known to the HTTP face only.
type ErrorCode string

// Error codes of the authorization and token endpoints (RFC 6749 §4.1.2.1,
// §5.2; invalid_target: RFC 8707 §2).
const (
	CodeInvalidRequest          ErrorCode = "invalid_request"
	CodeInvalidClient           ErrorCode = "invalid_client"
	CodeInvalidGrant            ErrorCode = "invalid_grant"
	CodeUnauthorizedClient      ErrorCode = "unauthorized_client"
	CodeUnsupportedGrantType    ErrorCode = "unsupported_grant_type"
	CodeUnsupportedResponseType ErrorCode = "unsupported_response_type"
	CodeInvalidScope            ErrorCode = "invalid_scope"
	CodeInvalidTarget           ErrorCode = "invalid_target"
	CodeAccessDenied            ErrorCode = "access_denied"
	CodeServerError             ErrorCode = "server_error"
	CodeTemporarilyUnavailable  ErrorCode = "temporarily_unavailable"
)

// Error codes of OpenID Connect authentication requests (OIDC Core §3.1.2.6).
const (
	CodeLoginRequired            ErrorCode = "login_required"
	CodeRequestNotSupported      ErrorCode = "request_not_supported"
	CodeRequestURINotSupported   ErrorCode = "request_uri_not_supported"
	CodeRegistrationNotSupported ErrorCode = "registration_not_supported"
)

// Error codes of resource access (RFC 6750 §3.1) and client registration (RFC
// 7591 §3.2.2).
const (
	CodeInvalidToken          ErrorCode = "invalid_token"
	CodeInvalidRedirectURI    ErrorCode = "invalid_redirect_uri"
	CodeInvalidClientMetadata ErrorCode = "invalid_client_metadata"
)

// maxDescription bounds an error_description in bytes: it may quote a
// parameter, and it travels in a redirect's URL.
const maxDescription = 512

// Error is a protocol error: what the client is told. It never carries a
// cause; log that separately. Values are shared and must not be changed.
type Error struct {
	// Code is the machine-readable error.
	Code ErrorCode
	// Description is the error_description, empty for none. The constructors
	// keep it inside the alphabet of RFC 6749 §5.2.
	Description string
}

// NewError returns an error with the given code. Characters that RFC 6749 §5.2
// forbids in a description are replaced, and an overlong one is cut off.
func NewError(code ErrorCode, description string) *Error {
	return &Error{Code: code, Description: cleanDescription(description)}
}

// Error implements the error interface: "invalid_request: state is too long".
func (e *Error) Error() string {
	if e.Description == "" {
		return string(e.Code)
	}
	return string(e.Code) + ": " + e.Description
}

// cleanDescription maps text into %x20-21 / %x23-5B / %x5D-7E: quotes become
// single quotes, backslashes slashes, everything else a question mark.
func cleanDescription(text string) string {
	out := make([]byte, 0, min(len(text), maxDescription))
	for _, r := range text {
		if len(out) == maxDescription {
			break
		}
		switch {
		case r == '"':
			out = append(out, '\'')
		case r == '\\':
			out = append(out, '/')
		case r < 0x80 && isErrorChar(byte(r)): //nolint:gosec // below 0x80
			out = append(out, byte(r)) //nolint:gosec // below 0x80
		default:
			out = append(out, '?')
		}
	}
	return string(out)
}
