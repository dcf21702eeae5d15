package oauthserver_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// RFC 6749 §4.1.2.1: while client or redirect URI are not known good, the
// error is shown to the person, and nobody is redirected.
func TestTrustedTarget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	deleted := b.Client(t)
	b.Do(http.MethodDelete, "/admin/oauth/clients/"+deleted.ID, nil, apitest.Bearer(b.ServiceKey())).OK()
	good := request(c)
	repeated := func(name string) url.Values {
		params := with(good)
		params[name] = append([]string{params.Get(name)}, "https://evil.test/")
		return params
	}
	b.writesNothing(func() {
		for name, refusal := range map[string]struct {
			params        url.Values
			code, message string
		}{
			"nothing":               {url.Values{}, "validation_failed", "client_id is required"},
			"no client_id":          {with(good, "client_id", ""), "validation_failed", "client_id is required"},
			"no redirect_uri":       {with(good, "redirect_uri", ""), "validation_failed", "redirect_uri is required"},
			"client_id not a UUID":  {with(good, "client_id", "x"), "oauth_client_not_found", "invalid client_id format"},
			"unknown client":        {with(good, "client_id", "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b"), "oauth_client_not_found", "invalid client_id"},
			"nil client":            {with(good, "client_id", "00000000-0000-0000-0000-000000000000"), "oauth_client_not_found", "invalid client_id"},
			"deleted client":        {with(good, "client_id", deleted.ID), "oauth_client_not_found", "invalid client_id"},
			"repeated client_id":    {repeated("client_id"), "validation_failed", "client_id must not be repeated"},
			"repeated redirect_uri": {repeated("redirect_uri"), "validation_failed", "redirect_uri must not be repeated"},
			"foreign redirect_uri":  {with(good, "redirect_uri", "https://evil.test/"), "validation_failed", "invalid redirect_uri"},
			"error before trust":    {with(good, "redirect_uri", "https://evil.test/", "response_type", "token"), "validation_failed", "invalid redirect_uri"},
		} {
			b.run(name, func(b *bundle) {
				answer := b.authorize(refusal.params)
				require.Equal(b.t, refusal.message, answer.Refused(http.StatusBadRequest, refusal.code))
				require.Empty(b.t, answer.Header.Get("Location"))
			})
		}
	})
}

// RFC 6749 §3.1: a query that cannot be read proves no redirect URI.
func TestTrustedTargetMalformedQuery(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := request(b.Client(t)).Encode()
	for _, raw := range []string{good + "&x=%zz", good + "&x=1;y=2", "%"} {
		b.run(raw[len(raw)-1:], func(b *bundle) {
			b.Do(http.MethodGet, "/oauth/authorize?"+raw, nil).Refused(http.StatusBadRequest, "validation_failed")
			b.Do(http.MethodPost, "/oauth/authorize", []byte(raw)).Refused(http.StatusBadRequest, "validation_failed")
		})
	}
}

// RFC 9700 §2.1: redirect URIs are compared byte by byte.
func TestRedirectURIIsExact(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t, metadata("redirect_uris", []string{"https://client.test/cb?a=1", "https://client.test/other"}))
	b.writesNothing(func() {
		for _, near := range []string{
			"https://client.test/cb", "https://client.test/cb?a=2", "https://client.test/cb?a=1&b=2",
			"https://client.test/cb/?a=1", "https://CLIENT.test/cb?a=1", "HTTPS://client.test/cb?a=1",
			"https://client.test:443/cb?a=1", "https://client.test/cb?a=1#", "https://client.test/cb?a=%31",
			"https://client.test/x/../cb?a=1", "https://client.test./cb?a=1", "https://u@client.test/cb?a=1",
			" https://client.test/cb?a=1", "http://client.test/cb?a=1", "https://client.test/OTHER",
			"https://client.test/other" + strings.Repeat("/", 2048),
		} {
			b.run(near[:min(40, len(near))], func(b *bundle) {
				b.authorize(request(c, "redirect_uri", near)).Refused(http.StatusBadRequest, "validation_failed")
			})
		}
	})
	b.ask(c)
	b.ask(c, "redirect_uri", "https://client.test/other")
}

// RFC 8252 §7.3: native apps listen on whatever port the system gives them.
func TestLoopbackPortMayVary(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t, apitest.Public, metadata("redirect_uris", []string{
		"http://127.0.0.1/cb", "http://localhost:3000/cb", "http://[::1]:1/cb", "https://localhost/secure",
	}))
	for _, same := range []string{
		"http://127.0.0.1/cb", "http://127.0.0.1:51004/cb", "http://localhost/cb", "http://localhost:65535/cb", "http://[::1]:8/cb",
	} {
		b.run(same, func(b *bundle) {
			u := b.User(b.t)
			target := b.response(b.decide(u, b.ask(c, "redirect_uri", same), "approve"))
			require.True(b.t, strings.HasPrefix(target.String(), same+"?code="), target.String())
			form := codeForm(c, target.Query().Get("code"), "redirect_uri", same)
			b.Token(c, form).OK()
		})
	}
	for _, other := range []string{
		"http://127.0.0.1:51004/other", "https://127.0.0.1/cb", "http://127.0.0.2/cb", "http://127.0.0.1:0/cb",
		"http://127.0.0.1:99999/cb", "http://127.0.0.1:80@evil.test/cb", "http://localhost.evil.test/cb",
		"https://localhost:444/secure", "http://[::1]/cb/",
	} {
		b.run(other, func(b *bundle) {
			b.authorize(request(c, "redirect_uri", other)).Refused(http.StatusBadRequest, "validation_failed")
		})
	}
}

// RFC 6749 §3.1: parameters must not be repeated. Once the redirect URI is
// trusted the client learns of it.
func TestDuplicateParametersAfterTrust(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	b.writesNothing(func() {
		for _, name := range []string{
			"response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "unknown",
		} {
			b.run(name, func(b *bundle) {
				params := request(c)
				params[name] = []string{"one", "two"}
				b.redirected(b.authorize(params), "invalid_request")
				params[name] = []string{request(c).Get(name), ""}
				b.redirected(b.authorize(params), "invalid_request")
			})
		}
	})
}

// RFC 6749 §3.1: a parameter without a value counts as omitted.
func TestEmptyParametersAreOmitted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	params := request(c)
	for _, name := range []string{"request", "request_uri", "registration", "response_mode", "prompt", "resource", "unknown"} {
		params.Set(name, "")
	}
	require.NotEmpty(t, b.authorize(params).Location().Query().Get("authorization_id"))
	params.Set("client_id", "")
	b.authorize(params).Refused(http.StatusBadRequest, "validation_failed")
}

// Everything under /oauth is off until the operator switches it on.
func TestServerDisabled(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.OAuthServer.Enabled = false })
	u := b.User(t)
	service := apitest.Bearer(b.ServiceKey())
	id := "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b"
	b.writesNothing(func() {
		for _, route := range []struct {
			method, path string
			option       apitest.Option
		}{
			{http.MethodGet, "/oauth/authorize", nil},
			{http.MethodPost, "/oauth/authorize", nil},
			{http.MethodPost, "/oauth/token", nil},
			{http.MethodGet, "/oauth/userinfo", nil},
			{http.MethodPost, "/oauth/userinfo", nil},
			{http.MethodPost, "/oauth/clients/register", nil},
			{http.MethodGet, "/oauth/authorizations/x", nil},
			{http.MethodPost, "/oauth/authorizations/x/consent", nil},
			{http.MethodGet, "/.well-known/oauth-authorization-server", nil},
			{http.MethodGet, "/user/oauth/grants", apitest.Bearer(u.AccessToken)},
			{http.MethodDelete, "/user/oauth/grants?client_id=" + id, apitest.Bearer(u.AccessToken)},
			{http.MethodGet, "/admin/oauth/clients", service},
			{http.MethodPost, "/admin/oauth/clients", service},
			{http.MethodGet, "/admin/oauth/clients/" + id, service},
			{http.MethodPut, "/admin/oauth/clients/" + id, service},
			{http.MethodDelete, "/admin/oauth/clients/" + id, service},
			{http.MethodPost, "/admin/oauth/clients/" + id + "/regenerate_secret", service},
		} {
			b.run(route.method+" "+route.path, func(b *bundle) {
				options := []apitest.Option{}
				if route.option != nil {
					b.Do(route.method, route.path, nil).Refused(http.StatusUnauthorized, "no_authorization")
					options = append(options, route.option)
				}
				answer := b.Do(route.method, route.path, nil, options...)
				require.Equal(b.t, "OAuth server is disabled", answer.Refused(http.StatusNotFound, "feature_disabled"))
			})
		}
	})
}
