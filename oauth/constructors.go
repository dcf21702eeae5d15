package oauth

// InvalidRequest says that a parameter is missing, repeated or malformed (RFC
// 6749 §5.2).
func InvalidRequest(desc string) *Error {
	return NewError(CodeInvalidRequest, desc)
}

// InvalidClient says that client authentication failed (RFC 6749 §5.2).
func InvalidClient(desc string) *Error {
	return NewError(CodeInvalidClient, desc)
}

// InvalidGrant says that a code or refresh token is invalid, expired, revoked
// or someone else's (RFC 6749 §5.2).
func InvalidGrant(desc string) *Error {
	return NewError(CodeInvalidGrant, desc)
}

// UnauthorizedClient says that the client may not use this grant (RFC 6749
// §5.2).
func UnauthorizedClient(desc string) *Error {
	return NewError(CodeUnauthorizedClient, desc)
}

// UnsupportedGrantType says that the server does not know the grant type (RFC
// 6749 §5.2).
func UnsupportedGrantType(desc string) *Error {
	return NewError(CodeUnsupportedGrantType, desc)
}

// UnsupportedResponseType says that the server does not know the response type
// (RFC 6749 §4.1.2.1).
func UnsupportedResponseType(desc string) *Error {
	return NewError(CodeUnsupportedResponseType, desc)
}

// InvalidScope says that the scope is malformed, unknown or wider than granted
// (RFC 6749 §5.2).
func InvalidScope(desc string) *Error {
	return NewError(CodeInvalidScope, desc)
}

// InvalidTarget says that the resource is malformed or unknown (RFC 8707 §2).
func InvalidTarget(desc string) *Error {
	return NewError(CodeInvalidTarget, desc)
}

// AccessDenied says that the user or the server refused the request (RFC 6749
// §4.1.2.1).
func AccessDenied(desc string) *Error {
	return NewError(CodeAccessDenied, desc)
}

// ServerError says that the server failed, where no 500 can be sent (RFC 6749
// §4.1.2.1).
func ServerError(desc string) *Error {
	return NewError(CodeServerError, desc)
}

// TemporarilyUnavailable says that the server is overloaded, where no 503 can
// be sent (RFC 6749 §4.1.2.1).
func TemporarilyUnavailable(desc string) *Error {
	return NewError(CodeTemporarilyUnavailable, desc)
}

// LoginRequired says that prompt=none, and nobody is signed in (OIDC Core
// §3.1.2.6).
func LoginRequired(desc string) *Error {
	return NewError(CodeLoginRequired, desc)
}

// RequestNotSupported says that the request parameter is not supported (OIDC
// Core §3.1.2.6).
func RequestNotSupported(desc string) *Error {
	return NewError(CodeRequestNotSupported, desc)
}

// RequestURINotSupported says that the request_uri parameter is not supported
// (OIDC Core §3.1.2.6).
func RequestURINotSupported(desc string) *Error {
	return NewError(CodeRequestURINotSupported, desc)
}

// RegistrationNotSupported says that the registration parameter is not
// supported (OIDC Core §3.1.2.6).
func RegistrationNotSupported(desc string) *Error {
	return NewError(CodeRegistrationNotSupported, desc)
}

// InvalidToken says that the access token is expired, revoked or malformed
// (RFC 6750 §3.1).
func InvalidToken(desc string) *Error {
	return NewError(CodeInvalidToken, desc)
}

// InvalidRedirectURI says that a redirect URI may not be registered (RFC 7591
// §3.2.2).
func InvalidRedirectURI(desc string) *Error {
	return NewError(CodeInvalidRedirectURI, desc)
}

// InvalidClientMetadata says that client metadata is invalid (RFC 7591
// §3.2.2).
func InvalidClientMetadata(desc string) *Error {
	return NewError(CodeInvalidClientMetadata, desc)
}
