package oauth

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func parseLogin(t *testing.T, query string) (LoginRequest, *Error) {
	t.Helper()
	values, err := url.ParseQuery(query)
	require.NoError(t, err)
	params, problem := ParseParams(values)
	require.Nil(t, problem)
	return ParseLoginRequest(params)
}

// OpenID Connect Core §3.1.2.1.
func TestParseLoginRequest(t *testing.T) {
	t.Parallel()
	empty, problem := parseLogin(t, "scope=openid")
	require.Nil(t, problem)
	require.True(t, empty.SaysNothing())

	age := int64(0)
	full, problem := parseLogin(t, "prompt=login+consent&max_age=0&acr_values=aal2+x&login_hint=ann%40app.test&ui_locales=de+en&display=touch")
	require.Nil(t, problem)
	require.Equal(t, LoginRequest{
		Prompt: []string{"login", "consent"}, MaxAge: &age, ACRValues: []string{"aal2", "x"},
		LoginHint: "ann@app.test", UILocales: []string{"de", "en"}, Display: "touch",
	}, full)
	require.False(t, full.SaysNothing())

	for query, code := range map[string]ErrorCode{
		"prompt=none": CodeLoginRequired, "prompt=none+login": CodeInvalidRequest, "prompt=magic": CodeInvalidRequest,
		"max_age=-1": CodeInvalidRequest, "max_age=x": CodeInvalidRequest, "max_age=1.5": CodeInvalidRequest,
		"max_age=99999999999":                         CodeInvalidRequest,
		"login_hint=" + strings.Repeat("a", 1025):     CodeInvalidRequest,
		"ui_locales=" + strings.Repeat("a", 1025):     CodeInvalidRequest,
		"acr_values=" + strings.Repeat("aal1+", 1024): CodeInvalidRequest,
	} {
		_, problem := parseLogin(t, query)
		require.NotNil(t, problem, query)
		require.Equal(t, code, problem.Code, query)
	}
}

func TestWhatALoginLacks(t *testing.T) {
	t.Parallel()
	asked := time.Date(2030, 1, 1, 12, 0, 0, 500, time.UTC)
	before := func(d time.Duration) Login { return Login{Time: asked.Add(-d), ACR: "aal1"} }
	seconds := func(n int64) *int64 { return &n }
	stepped, able := before(0), before(0)
	stepped.ACR, able.CanStepUp = "aal2", true
	for _, test := range []struct {
		name  string
		asks  LoginRequest
		login Login
		want  []string
	}{
		{"nothing asked", LoginRequest{}, before(24 * time.Hour), nil},
		{"a new login, old one", LoginRequest{Prompt: []string{"login"}}, before(time.Minute), []string{"login"}},
		{"a new login, after the request", LoginRequest{Prompt: []string{"login"}}, before(-time.Minute), nil},
		{"a new login, the same second", LoginRequest{Prompt: []string{"login"}}, before(0), nil},
		{"a new account", LoginRequest{Prompt: []string{"create"}}, before(time.Minute), []string{"login"}},
		{"consent", LoginRequest{Prompt: []string{"consent"}}, before(time.Minute), nil},
		{"young enough", LoginRequest{MaxAge: seconds(60)}, before(time.Minute), nil},
		{"too old", LoginRequest{MaxAge: seconds(59)}, before(time.Minute), []string{"login"}},
		{"no age at all", LoginRequest{MaxAge: seconds(0)}, before(time.Second), []string{"login"}},
		{"second factor, none", LoginRequest{ACRValues: []string{"aal2"}}, before(0), nil},
		{"second factor, not used", LoginRequest{ACRValues: []string{"x", "aal2"}}, able, []string{"aal2"}},
		{"second factor, used", LoginRequest{ACRValues: []string{"aal2"}}, stepped, nil},
		{"first factor", LoginRequest{ACRValues: []string{"aal1"}}, able, nil},
	} {
		require.Equal(t, test.want, test.asks.Missing(test.login, asked), test.name)
	}
	require.False(t, LoginRequest{Prompt: []string{"login"}}.Asks())
	require.True(t, LoginRequest{Prompt: []string{"login", "consent"}}.Asks())
	require.True(t, LoginRequest{Prompt: []string{"select_account"}}.Asks())
}
