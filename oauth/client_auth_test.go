package oauth

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// basic builds a header as RFC 6749 §2.3.1 describes it.
func basic(id, secret string) string {
	return "Basic " + encodePair(url.QueryEscape(id)+":"+url.QueryEscape(secret))
}

func encodePair(pair string) string {
	return base64.StdEncoding.EncodeToString([]byte(pair))
}

// RFC 6749 §2.3.1, with its example.
func TestParseBasic(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ header, id, secret string }{
		"RFC example":            {"Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW", "s6BhdRkqt3", "gX1fBat3bV"},
		"lower-case scheme":      {"basic czZCaGRSa3F0MzpnWDFmQmF0M2JW", "s6BhdRkqt3", "gX1fBat3bV"},
		"upper-case scheme":      {"BASIC czZCaGRSa3F0MzpnWDFmQmF0M2JW", "s6BhdRkqt3", "gX1fBat3bV"},
		"two spaces":             {"Basic  czZCaGRSa3F0MzpnWDFmQmF0M2JW", "s6BhdRkqt3", "gX1fBat3bV"},
		"form-encoded":           {"Basic " + encodePair("a%3Ab:p%2Bq+r%25"), "a:b", "p+q r%"},
		"colon in the secret":    {"Basic " + encodePair("a:b:c"), "a", "b:c"},
		"no secret":              {"Basic " + encodePair("a:"), "a", ""},
		"identifier is a URL":    {basic("https://client.example/meta?x=1", "s"), "https://client.example/meta?x=1", "s"},
		"longest":                {basic(strings.Repeat("/", 2048), strings.Repeat("%", 1024)), strings.Repeat("/", 2048), strings.Repeat("%", 1024)},
		"secret of our own form": {basic("id", "q-_0"), "id", "q-_0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, secret, ok, err := ParseBasic(tc.header)
			require.Nil(t, err)
			require.True(t, ok)
			require.Equal(t, tc.id, id)
			require.Equal(t, tc.secret, secret)
		})
	}
}

// RFC 6749 §5.2: malformed credentials are invalid_client.
func TestParseBasicMalformed(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ header, why string }{
		"not base64":        {"Basic !!!", "invalid basic auth encoding"},
		"no padding":        {"Basic YTpi" + "YQ", "invalid basic auth encoding"},
		"scheme only":       {"Basic", "invalid basic auth format"},
		"no colon":          {"Basic " + encodePair("ab"), "invalid basic auth format"},
		"bad escape in id":  {"Basic " + encodePair("a%zz:b"), "invalid basic auth format"},
		"bad escape":        {"Basic " + encodePair("a:b%"), "invalid basic auth format"},
		"no identifier":     {"Basic " + encodePair(":b"), "client_id is required"},
		"NUL in identifier": {"Basic " + encodePair("a%00:b"), "client_id is malformed"},
		"not ASCII":         {basic("é", "b"), "client_id is malformed"},
		"long identifier":   {basic(strings.Repeat("a", 2049), "b"), "client_id is malformed"},
		"newline in secret": {basic("a", "b\n"), "client_secret is malformed"},
		"long secret":       {basic("a", strings.Repeat("b", 1025)), "client_secret is malformed"},
		"much too long":     {"Basic " + strings.Repeat("YTpi", 5000), "basic auth is too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id, secret, ok, err := ParseBasic(tc.header)
			require.Equal(t, InvalidClient("Invalid client credentials: "+tc.why), err)
			require.False(t, ok)
			require.Empty(t, id+secret)
		})
	}
}

// An Authorization header of another scheme is not client authentication.
func TestParseBasicOtherScheme(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"", " ", "Bearer abc", "DPoP abc", "BasicYTpi", " Basic YTpi"} {
		_, _, ok, err := ParseBasic(header)
		require.Nil(t, err, header)
		require.False(t, ok, header)
	}
}

// RFC 6749 §2.3: exactly one authentication method in a request.
func TestCredentials(t *testing.T) {
	t.Parallel()
	twoMethods := InvalidRequest("only one client authentication method may be used in a request")
	for name, tc := range map[string]struct {
		header string
		form   url.Values
		want   ClientCredentials
		err    *Error
	}{
		"none":                 {"", url.Values{"client_id": {"a"}}, ClientCredentials{"a", "", AuthNone}, nil},
		"post":                 {"", url.Values{"client_id": {"a"}, "client_secret": {"s"}}, ClientCredentials{"a", "s", AuthPost}, nil},
		"empty secret":         {"", url.Values{"client_id": {"a"}, "client_secret": {""}}, ClientCredentials{"a", "", AuthNone}, nil},
		"basic":                {basic("a", "s"), nil, ClientCredentials{"a", "s", AuthBasic}, nil},
		"basic without secret": {basic("a", ""), nil, ClientCredentials{"a", "", AuthBasic}, nil},
		"basic, same id":       {basic("a", "s"), url.Values{"client_id": {"a"}}, ClientCredentials{"a", "s", AuthBasic}, nil},
		"bearer is ignored":    {"Bearer x", url.Values{"client_id": {"a"}}, ClientCredentials{"a", "", AuthNone}, nil},
		"basic, other id": {basic("a", "s"), url.Values{"client_id": {"b"}}, ClientCredentials{},
			InvalidRequest("client_id does not match the Authorization header")},
		"basic and post":          {basic("a", "s"), url.Values{"client_id": {"a"}, "client_secret": {"s"}}, ClientCredentials{}, twoMethods},
		"basic and secret":        {basic("a", "s"), url.Values{"client_secret": {"s"}}, ClientCredentials{}, twoMethods},
		"basic and assertion":     {basic("a", "s"), url.Values{"client_assertion": {"j"}}, ClientCredentials{}, twoMethods},
		"post and assertion":      {"", url.Values{"client_id": {"a"}, "client_secret": {"s"}, "client_assertion_type": {"t"}}, ClientCredentials{}, twoMethods},
		"assertion":               {"", url.Values{"client_id": {"a"}, "client_assertion": {"j"}}, ClientCredentials{}, badCredentials("client assertions are not supported")},
		"nothing":                 {"", nil, ClientCredentials{}, badCredentials("client_id is required")},
		"secret without id":       {"", url.Values{"client_secret": {"s"}}, ClientCredentials{}, badCredentials("client_id is required")},
		"malformed basic":         {"Basic !", url.Values{"client_id": {"a"}}, ClientCredentials{}, badCredentials("invalid basic auth encoding")},
		"not ASCII identifier":    {"", url.Values{"client_id": {"é"}}, ClientCredentials{}, badCredentials("client_id is malformed")},
		"overlong secret in form": {"", url.Values{"client_id": {"a"}, "client_secret": {strings.Repeat("s", 1025)}}, ClientCredentials{}, badCredentials("client_secret is malformed")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := ParseParams(tc.form)
			require.Nil(t, err)
			got, err := Credentials(tc.header, p)
			require.Equal(t, tc.err, err)
			require.Equal(t, tc.want, got)
		})
	}
}
