package oauthserver_test

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// post sends a token request with the client's credentials as parameters.
func (b *bundle) post(form url.Values, options ...apitest.Option) *apitest.Response {
	b.t.Helper()
	return b.Do(http.MethodPost, "/oauth/token", form, options...)
}

// invalidClient demands 401 and the challenge that goes with it (RFC 6749
// §5.2), whatever exactly was wrong.
func (b *bundle) invalidClient(answer *apitest.Response) {
	b.t.Helper()
	answer.RefusedOAuth(http.StatusUnauthorized, "invalid_client")
	require.True(b.t, strings.HasPrefix(answer.Header.Get("WWW-Authenticate"), "Basic "), answer.Header)
	b.noStore(answer)
}

// RFC 6749 §2.3.1, RFC 7591 §2: a client authenticates by the method that it
// is registered for.
func TestClientAuthentication(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	basic := b.Client(t)
	post := b.Client(t, metadata("token_endpoint_auth_method", "client_secret_post"))
	none := b.Client(t, apitest.Public)
	for name, test := range map[string]struct {
		client *apitest.Client
		works  string
	}{"basic": {basic, "basic"}, "post": {post, "post"}, "none": {none, "none"}} {
		b.run(name, func(b *bundle) {
			c := test.client
			code := b.code(c, u)
			form := codeForm(c, code)
			send := map[string]func() *apitest.Response{
				"basic": func() *apitest.Response { return b.post(form, apitest.Basic(c.ID, c.Secret)) },
				"post": func() *apitest.Response {
					return b.post(with(form, "client_id", c.ID, "client_secret", cmp.Or(c.Secret, "x")))
				},
				"none": func() *apitest.Response { return b.post(with(form, "client_id", c.ID)) },
			}
			for method, attempt := range send {
				if method != test.works {
					b.invalidClient(attempt())
				}
			}
			answer := send[test.works]()
			answer.OK() // the failed attempts have not spent the code
			require.Empty(b.t, answer.Header.Get("WWW-Authenticate"))
		})
	}
}

// RFC 6749 §2.3, §5.2: everything else that can be wrong with credentials.
func TestClientAuthenticationFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	c, other := b.Client(t), b.Client(t)
	post := b.Client(t, metadata("token_endpoint_auth_method", "client_secret_post"))
	public := b.Client(t, apitest.Public)
	form := codeForm(c, b.code(c, u))
	header := func(value string) apitest.Option { return apitest.Header("Authorization", value) }
	encoded := func(text string) apitest.Option {
		return header("Basic " + base64.StdEncoding.EncodeToString([]byte(text)))
	}
	const unknown = "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b"
	b.writesNothing(func() {
		for name, attempt := range map[string]struct {
			form    url.Values
			options []apitest.Option
		}{
			"no credentials":         {form, nil},
			"wrong secret":           {form, []apitest.Option{apitest.Basic(c.ID, other.Secret)}},
			"empty secret":           {form, []apitest.Option{apitest.Basic(c.ID, "")}},
			"secret of another case": {form, []apitest.Option{apitest.Basic(c.ID, strings.ToUpper(c.Secret))}},
			"secret with a tail":     {form, []apitest.Option{apitest.Basic(c.ID, c.Secret+" ")}},
			"wrong secret by post":   {with(form, "client_id", post.ID, "client_secret", c.Secret), nil},
			"unknown client":         {form, []apitest.Option{apitest.Basic(unknown, c.Secret)}},
			"unknown by post":        {with(form, "client_id", unknown, "client_secret", c.Secret), nil},
			"unknown public":         {with(form, "client_id", unknown), nil},
			"not a UUID":             {with(form, "client_id", "mobile-app"), nil},
			"bad base64":             {form, []apitest.Option{header("Basic !!!")}},
			"no colon":               {form, []apitest.Option{encoded(c.ID)}},
			"bad percent-encoding":   {form, []apitest.Option{encoded(c.ID + ":%zz")}},
			"empty id":               {form, []apitest.Option{encoded(":" + c.Secret)}},
			"empty header":           {form, []apitest.Option{header("Basic")}},
			"bearer is none":         {form, []apitest.Option{header("Bearer " + u.AccessToken)}},
			"public with a secret":   {with(form, "client_id", public.ID, "client_secret", "x"), nil},
			"public with Basic":      {form, []apitest.Option{apitest.Basic(public.ID, "")}},
			"assertion": {with(form, "client_id", c.ID, "client_assertion", "eyJ",
				"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"), nil},
			"secret with NUL": {form, []apitest.Option{encoded(c.ID + ":\x00")}},
		} {
			b.run(name, func(b *bundle) { b.invalidClient(b.post(attempt.form, attempt.options...)) })
		}
	})
}

// RFC 6749 §2.3: one method in one request.
func TestClientAuthenticationBySeveralMethods(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other := b.Client(t), b.Client(t)
	form := codeForm(c, b.code(c, b.User(t)))
	header := apitest.Basic(c.ID, c.Secret)
	assertion := []string{"client_assertion", "eyJ"}
	b.writesNothing(func() {
		for name, answer := range map[string]*apitest.Response{
			"basic and post":      b.post(with(form, "client_id", c.ID, "client_secret", c.Secret), header),
			"basic and assertion": b.post(with(form, assertion...), header),
			"post and assertion":  b.post(with(with(form, assertion...), "client_id", c.ID, "client_secret", c.Secret)),
			"two clients":         b.post(with(form, "client_id", other.ID), header),
		} {
			b.run(name, func(b *bundle) {
				require.Equal(b.t, http.StatusBadRequest, answer.Status)
				answer.RefusedOAuth(http.StatusBadRequest, "invalid_request")
			})
		}
	})
	b.post(with(form, "client_id", c.ID), header).OK() // the same client twice is one
}

// RFC 6749 §2.3.1: Basic credentials are form-encoded; RFC 9110 §11.1: the
// scheme's case does not matter.
func TestBasicCredentialsAreFormDecoded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	escaped := ""
	for _, char := range []byte(c.Secret) {
		escaped += "%" + strings.ToUpper(string("0123456789abcdef"[char>>4])+string("0123456789abcdef"[char&15]))
	}
	for _, header := range []string{
		"Basic " + base64.StdEncoding.EncodeToString([]byte(c.ID+":"+escaped)),
		"basic " + base64.StdEncoding.EncodeToString([]byte(c.ID+":"+c.Secret)),
		"BASIC  " + base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(c.ID, "-", "%2D")+":"+c.Secret)),
	} {
		b.run(header[:5], func(b *bundle) {
			b.post(codeForm(c, b.code(c, u)), apitest.Header("Authorization", header)).OK()
		})
	}
}

// RFC 6749 §2.3.1: parameters in a URL would end up in logs.
func TestTokenParametersAreNotReadFromTheURL(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t, metadata("token_endpoint_auth_method", "client_secret_post"))
	form := with(codeForm(c, b.code(c, b.User(t))), "client_id", c.ID, "client_secret", c.Secret)
	b.writesNothing(func() {
		for _, target := range []string{"/oauth/token?" + form.Encode(), "/oauth/token?x=1", "/oauth/token?grant_type=authorization_code"} {
			b.Do(http.MethodPost, target, form).RefusedOAuth(http.StatusBadRequest, "invalid_request")
		}
	})
	require.Equal(t, http.StatusMethodNotAllowed, b.Do(http.MethodGet, "/oauth/token?"+form.Encode(), nil).Status)
	b.post(form).OK()
}

// RFC 6749 §3.2: parameters must not be repeated.
func TestTokenDuplicateParameters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t, metadata("token_endpoint_auth_method", "client_secret_post"))
	form := with(codeForm(c, b.code(c, b.User(t))), "client_id", c.ID, "client_secret", c.Secret)
	b.writesNothing(func() {
		for name := range form {
			b.run(name, func(b *bundle) {
				repeated := with(form)
				repeated[name] = []string{form.Get(name), form.Get(name)}
				b.post(repeated).RefusedOAuth(http.StatusBadRequest, "invalid_request")
			})
		}
	})
	b.post(form).OK()
}

// RFC 6749 §3.2 asks for a form. GoTrue's clients may send a JSON object of
// strings.
func TestTokenContentTypes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	contentType := func(value string) apitest.Option { return apitest.Header("Content-Type", value) }
	credentials := apitest.Basic(c.ID, c.Secret)
	object := func(code string) map[string]string {
		members := map[string]string{}
		for name, all := range codeForm(c, code) {
			members[name] = all[0]
		}
		return members
	}
	for _, name := range []string{"application/json", "application/json; charset=utf-8", "Application/JSON"} {
		b.Do(http.MethodPost, "/oauth/token", object(b.code(c, u)), credentials, contentType(name)).OK()
	}
	for _, name := range []string{"application/x-www-form-urlencoded; charset=UTF-8", "APPLICATION/X-WWW-FORM-URLENCODED", ""} {
		b.post(codeForm(c, b.code(c, u)), credentials, contentType(name)).OK()
	}
	code := b.code(c, u)
	b.writesNothing(func() {
		for _, name := range []string{
			"text/plain", "multipart/form-data; boundary=x", "application/xml", "application/jsonx", "application/jwt", ";", "form",
		} {
			b.run("form as "+name, func(b *bundle) {
				b.post(codeForm(c, code), credentials, contentType(name)).RefusedOAuth(http.StatusBadRequest, "invalid_request")
			})
		}
		for _, body := range []string{
			"", "{", "[]", `"x"`, `{"grant_type":1}`, `{"grant_type":["authorization_code"]}`, `{"grant_type":{}} `, `{} {}`,
			codeForm(c, code).Encode(), `{"grant_type":"authorization_code","grant_type":"refresh_token"}`, "null",
		} {
			b.run("JSON "+body, func(b *bundle) {
				b.Do(http.MethodPost, "/oauth/token", body, credentials).RefusedOAuth(http.StatusBadRequest, "invalid_request")
			})
		}
		whole, err := json.Marshal(object(code))
		require.NoError(t, err)
		repeated := `{"code":"` + code + `",` + string(whole[1:])
		b.Do(http.MethodPost, "/oauth/token", repeated, credentials).RefusedOAuth(http.StatusBadRequest, "invalid_request")
	})
	b.exchange(c, code).OK()
}

// RFC 6749 §5.2: which grants there are is told to authenticated clients.
func TestGrantTypes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	c := b.Client(t)
	codeOnly := b.Client(t, metadata("grant_types", []string{"authorization_code"}))
	refreshOnly := b.Client(t, metadata("grant_types", []string{"refresh_token"}))
	refreshToken := b.grant(c, u).RefreshToken
	b.writesNothing(func() {
		for name, test := range map[string]struct {
			client *apitest.Client
			form   url.Values
			code   string
		}{
			"missing":            {c, url.Values{"code": {"x"}}, "invalid_request"},
			"empty":              {c, url.Values{"grant_type": {""}}, "invalid_request"},
			"password":           {c, url.Values{"grant_type": {"password"}, "username": {"x"}}, "unsupported_grant_type"},
			"client_credentials": {c, url.Values{"grant_type": {"client_credentials"}}, "unsupported_grant_type"},
			"case":               {c, url.Values{"grant_type": {"Authorization_Code"}}, "unsupported_grant_type"},
			"code not allowed":   {refreshOnly, codeForm(refreshOnly, "x"), "unauthorized_client"},
			"refresh not allowed": {codeOnly, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}},
				"unauthorized_client"},
			"no code":          {c, codeForm(c, ""), "invalid_request"},
			"no refresh token": {c, url.Values{"grant_type": {"refresh_token"}}, "invalid_request"},
		} {
			b.run(name, func(b *bundle) {
				answer := b.Token(test.client, test.form)
				answer.RefusedOAuth(http.StatusBadRequest, test.code)
				b.noStore(answer)
				wrong := &apitest.Client{ID: test.client.ID, Secret: "wrong"}
				b.invalidClient(b.Token(wrong, test.form))
			})
		}
	})
}
