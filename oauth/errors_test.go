package oauth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 6749 §5.2: error_description has a restricted alphabet.
func TestDescriptionAlphabet(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ in, want string }{
		"plain":        {"state is too long", "state is too long"},
		"quotes":       {`say "no"`, "say 'no'"},
		"backslash":    {`a\b`, "a/b"},
		"line breaks":  {"a\r\nb", "a??b"},
		"not ASCII":    {"früh", "fr?h"},
		"DEL":          {"a\x7fb", "a?b"},
		"invalid UTF8": {"a\xffb", "a?b"},
		"overlong":     {strings.Repeat("x", 600), strings.Repeat("x", 512)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, InvalidRequest(tc.in).Description)
		})
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	require.EqualError(t, InvalidGrant("Invalid authorization code"), "invalid_grant: Invalid authorization code")
	require.EqualError(t, AccessDenied(""), "access_denied")
}

// Each constructor carries the code its RFC registered.
func TestConstructors(t *testing.T) {
	t.Parallel()
	for code, construct := range map[string]func(string) *Error{
		"invalid_request":            InvalidRequest,
		"invalid_client":             InvalidClient,
		"invalid_grant":              InvalidGrant,
		"unauthorized_client":        UnauthorizedClient,
		"unsupported_grant_type":     UnsupportedGrantType,
		"unsupported_response_type":  UnsupportedResponseType,
		"invalid_scope":              InvalidScope,
		"invalid_target":             InvalidTarget,
		"access_denied":              AccessDenied,
		"server_error":               ServerError,
		"temporarily_unavailable":    TemporarilyUnavailable,
		"login_required":             LoginRequired,
		"request_not_supported":      RequestNotSupported,
		"request_uri_not_supported":  RequestURINotSupported,
		"registration_not_supported": RegistrationNotSupported,
		"invalid_token":              InvalidToken,
		"invalid_redirect_uri":       InvalidRedirectURI,
		"invalid_client_metadata":    InvalidClientMetadata,
	} {
		require.Equal(t, &Error{Code: ErrorCode(code), Description: "why"}, construct("why"))
	}
}
