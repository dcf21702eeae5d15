package oauthserver_test

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// The example of RFC 7636, Appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// bundle is a server on a database of its own.
type bundle struct {
	*apitest.App
	t *testing.T
}

// setup starts a server; each option changes its configuration.
func setup(t *testing.T, options ...func(*conf.Config)) *bundle {
	t.Helper()
	return &bundle{apitest.New(t, options...), t}
}

// run does a named part of a test with the same server. The parts follow each
// other, so that they can count rows and statements.
func (b *bundle) run(name string, do func(b *bundle)) {
	b.t.Helper()
	b.t.Run(name, func(t *testing.T) { do(&bundle{b.For(t), t}) })
}

// writesNothing demands that do leaves every table as it was.
func (b *bundle) writesNothing(do func()) {
	b.t.Helper()
	before := b.Snapshot()
	do()
	require.Equal(b.t, before, b.Snapshot())
}

// hs256 leaves the server with the project's secret as its only key.
func hs256(cfg *conf.Config) { cfg.JWT.Keys, cfg.JWT.ValidMethods = "", nil }

// public registers a client without a secret, with the redirect URI given.
func (b *bundle) public(redirectURI string) *apitest.Client {
	b.t.Helper()
	return b.Client(b.t, apitest.Public, metadata("redirect_uris", []string{redirectURI}))
}

// metadata sets one member of a client's metadata.
func metadata(name string, value any) func(map[string]any) {
	return func(members map[string]any) { members[name] = value }
}

// with returns values with some changed: pairs of name and value, where the
// empty value removes the parameter.
func with(values url.Values, changes ...string) url.Values {
	changed := url.Values{}
	for name, all := range values {
		changed[name] = all
	}
	for i := 0; i < len(changes); i += 2 {
		changed.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			changed.Del(changes[i])
		}
	}
	return changed
}

// request is a good authorization request, with changes.
func request(c *apitest.Client, changes ...string) url.Values {
	return with(url.Values{
		"client_id": {c.ID}, "redirect_uri": {c.RedirectURI}, "response_type": {"code"}, "scope": {"openid email"},
		"state": {"a state"}, "nonce": {"a nonce"}, "code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}, changes...)
}

// authorize sends an authorization request by GET.
func (b *bundle) authorize(params url.Values) *apitest.Response {
	b.t.Helper()
	return b.Do(http.MethodGet, "/oauth/authorize?"+params.Encode(), nil)
}

// ask sends a good authorization request and returns its handle.
func (b *bundle) ask(c *apitest.Client, changes ...string) string {
	b.t.Helper()
	target := b.authorize(request(c, changes...)).Location()
	handle := target.Query().Get("authorization_id")
	require.NotEmpty(b.t, handle, target.String())
	return handle
}

// details opens the consent page of a request.
func (b *bundle) details(u *apitest.User, handle string, options ...apitest.Option) *apitest.Response {
	b.t.Helper()
	return b.Do(http.MethodGet, "/oauth/authorizations/"+handle, nil, append(options, apitest.Bearer(u.AccessToken))...)
}

// decide answers a request on the consent page.
func (b *bundle) decide(u *apitest.User, handle, action string, options ...apitest.Option) *apitest.Response {
	b.t.Helper()
	return b.Do(http.MethodPost, "/oauth/authorizations/"+handle+"/consent", map[string]string{"action": action},
		append(options, apitest.Bearer(u.AccessToken))...)
}

// response is the authorization response that a consent answer redirects to.
func (b *bundle) response(answer *apitest.Response) *url.URL {
	b.t.Helper()
	body := answer.OK()
	require.Len(b.t, body, 1)
	target, err := url.Parse(body["redirect_url"].(string))
	require.NoError(b.t, err)
	return target
}

// code walks from the authorization request to the code.
func (b *bundle) code(c *apitest.Client, u *apitest.User, changes ...string) string {
	b.t.Helper()
	code := b.response(b.decide(u, b.ask(c, changes...), "approve")).Query().Get("code")
	require.NotEmpty(b.t, code)
	return code
}

// codeForm is a good token request with a code, with changes.
func codeForm(c *apitest.Client, code string, changes ...string) url.Values {
	return with(url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {c.RedirectURI}, "code_verifier": {verifier},
	}, changes...)
}

// exchange redeems a code, with changes to the request.
func (b *bundle) exchange(c *apitest.Client, code string, changes ...string) *apitest.Response {
	b.t.Helper()
	return b.Token(c, codeForm(c, code, changes...))
}

// grant walks through the whole flow.
func (b *bundle) grant(c *apitest.Client, u *apitest.User, changes ...string) *apitest.Tokens {
	b.t.Helper()
	answer := b.exchange(c, b.code(c, u, changes...))
	require.Equal(b.t, http.StatusOK, answer.Status, "%s", answer.Body)
	tokens := new(apitest.Tokens)
	answer.Into(tokens)
	tokens.SessionID = answer.Header.Get("Sb-Auth-Session-Id")
	return tokens
}

func (b *bundle) userInfo(token string) *apitest.Response {
	b.t.Helper()
	return b.Do(http.MethodGet, "/oauth/userinfo", nil, apitest.Bearer(token))
}

// alive demands that a grant's tokens still work.
func (b *bundle) alive(c *apitest.Client, tokens *apitest.Tokens) {
	b.t.Helper()
	b.userInfo(tokens.AccessToken).OK()
	b.RefreshGrant(c, tokens.RefreshToken).OK()
}

// ended demands that a grant's tokens work no longer.
func (b *bundle) ended(c *apitest.Client, tokens *apitest.Tokens) {
	b.t.Helper()
	b.userInfo(tokens.AccessToken).RefusedOAuth(http.StatusUnauthorized, "invalid_token")
	b.RefreshGrant(c, tokens.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
}

// redirected demands an error that is reported to the client and returns the
// parameters of the redirect.
func (b *bundle) redirected(answer *apitest.Response, code string) url.Values {
	b.t.Helper()
	require.Equal(b.t, http.StatusFound, answer.Status, "%s", answer.Body)
	query := answer.Location().Query()
	require.Equal(b.t, code, query.Get("error"), answer.Header.Get("Location"))
	require.NotEmpty(b.t, query.Get("error_description"))
	require.Empty(b.t, query.Get("code"))
	return query
}

// noStore demands the headers of answers that nobody may keep (RFC 6749 §5.1).
func (b *bundle) noStore(answer *apitest.Response) {
	b.t.Helper()
	require.Equal(b.t, "no-store", answer.Header.Get("Cache-Control"))
	require.Equal(b.t, "no-cache", answer.Header.Get("Pragma"))
}

// ban bans a user.
func (b *bundle) ban(u *apitest.User) {
	b.t.Helper()
	b.Do(http.MethodPut, "/admin/users/"+u.ID, `{"ban_duration":"24h"}`, apitest.Bearer(b.ServiceKey())).OK()
}

// golden compares a JSON document with a file of testdata. What differs from
// run to run is replaced first: pairs of text and placeholder.
func golden(t testing.TB, name string, document any, replacements ...string) {
	t.Helper()
	raw, err := json.MarshalIndent(document, "", "  ")
	require.NoError(t, err)
	got := strings.NewReplacer(replacements...).Replace(string(raw)) + "\n"
	path := filepath.Join("testdata", name+".golden.json")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "make golden writes it")
	require.Equal(t, string(want), got)
}

// longText is n bytes that no two calls share.
func longText(n int) string {
	return strings.Repeat(rand.Text(), n/26+1)[:n]
}
