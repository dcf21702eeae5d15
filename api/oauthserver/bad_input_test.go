package oauthserver_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// route is a route under test with a caller that may use it.
type route struct {
	method, path, contentType string
	options                   []apitest.Option
}

const form = "application/x-www-form-urlencoded"

// routes are all routes of the package that take input.
func (b *bundle) routes() (routes []route, c *apitest.Client) {
	b.t.Helper()
	c = b.Client(b.t)
	u := b.User(b.t)
	own, admin := []apitest.Option{apitest.Bearer(u.AccessToken)}, []apitest.Option{apitest.Bearer(b.ServiceKey())}
	client := []apitest.Option{apitest.Basic(c.ID, c.Secret)}
	handle := b.ask(c)
	return []route{
		{http.MethodPost, "/oauth/authorize", form, nil},
		{http.MethodPost, "/oauth/token", form, client},
		{http.MethodPost, "/oauth/token", "application/json", client},
		{http.MethodPost, "/oauth/token", "", nil},
		{http.MethodPost, registerPath, "application/json", nil},
		{http.MethodPost, "/oauth/authorizations/" + handle + "/consent", "application/json", own},
		{http.MethodPost, clientsPath, "application/json", admin},
		{http.MethodPut, clientsPath + "/" + c.ID, "application/json", admin},
	}, c
}

// send sends a body as it is.
func (b *bundle) send(r route, body string) *apitest.Response {
	b.t.Helper()
	options := append([]apitest.Option{apitest.Header("Content-Type", r.contentType)}, r.options...)
	return b.Do(r.method, r.path, []byte(body), options...)
}

// Every route refuses what it cannot use with an answer of 4xx, and writes
// nothing.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	routes, c := b.routes()
	many := make(url.Values)
	for i := range 10000 {
		many.Set(fmt.Sprint("p", i), "x")
	}
	good := request(c).Encode()
	bodies := map[string]string{
		"empty":            "",
		"garbage":          "\x00\x01\xfe\xff{]&=%",
		"invalid UTF-8":    "grant_type=\xff\xfe&code=\xc3\x28",
		"encoded NUL":      "grant_type=authorization_code&code=%00&client_id=%00&redirect_uri=%00",
		"good with NUL":    good + "&x=%00",
		"good with UTF-8":  good + "&nonce2=%ff",
		"many parameters":  many.Encode(),
		"good with many":   good + "&" + many.Encode(),
		"one parameter":    strings.Repeat("a", 100_000),
		"long value":       "grant_type=" + strings.Repeat("a", 500_000),
		"bad percent":      "grant_type=%zz&%=%",
		"semicolons":       "a=1;b=2",
		"JSON garbage":     `{"redirect_uris":`,
		"JSON list":        `[[[[]]]]`,
		"JSON null":        `null`,
		"JSON number":      `1e999`,
		"JSON NUL":         `{"redirect_uris":["https://c.test/\u0000"],"client_name":"\u0000","action":"\u0000","grant_type":"\u0000","code":"\u0000"}`,
		"JSON surrogates":  `{"redirect_uris":["https://c.test/\ud800"],"action":"\ud800","grant_type":"\ud800"}`,
		"JSON wrong types": `{"redirect_uris":{},"client_name":[],"action":{},"grant_type":[],"code":1}`,
		"JSON bad UTF-8":   "{\"redirect_uris\":[\"https://c.test/\xff\"],\"action\":\"\xff\",\"grant_type\":\"\xff\"}",
		"JSON deep":        strings.Repeat(`{"a":`, 20_000),
		"XML":              `<?xml version="1.0"?><x/>`,
	}
	b.writesNothing(func() {
		for _, r := range routes {
			for name, body := range bodies {
				b.run(fmt.Sprint(r.method, r.path, r.contentType, name), func(b *bundle) {
					answer := b.send(r, body)
					if answer.Status == http.StatusFound { // reported to the client
						require.NotEmpty(b.t, answer.Location().Query().Get("error"))
						return
					}
					require.Equal(b.t, 4, answer.Status/100, "%d %s", answer.Status, answer.Body)
					require.NotEmpty(b.t, answer.JSON())
				})
			}
		}
	})
}

// Bodies beyond the limit are not read.
func TestOversizedBodies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	routes, _ := b.routes()
	b.writesNothing(func() {
		for _, r := range routes {
			b.run(r.method+r.path+r.contentType, func(b *bundle) {
				b.send(r, strings.Repeat("x", 1<<20+1)).Refused(http.StatusRequestEntityTooLarge, "request_entity_too_large")
			})
		}
	})
}

// What stands in URLs and headers is no better than what stands in bodies.
func TestBadURLsAndHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	user, service := apitest.Bearer(u.AccessToken), apitest.Bearer(b.ServiceKey())
	header := func(name, value string) apitest.Option { return apitest.Header(name, value) }
	escaped := []string{"%00", "%ff%fe", "%C3%28", "..%2f..%2fadmin", "%22%27%3B--", strings.Repeat("a", 60_000), "%0d%0aSet-Cookie:%20x=y", "%F0%9F%92%A9"}
	b.writesNothing(func() {
		for _, text := range escaped {
			b.run(text[:min(20, len(text))], func(b *bundle) {
				for _, answer := range []*apitest.Response{
					b.Do(http.MethodGet, "/oauth/authorize?client_id="+text+"&redirect_uri="+text, nil),
					b.Do(http.MethodGet, "/oauth/authorize?client_id="+c.ID+"&redirect_uri="+text, nil),
					b.Do(http.MethodGet, "/oauth/authorizations/"+text, nil, user),
					b.Do(http.MethodPost, "/oauth/authorizations/"+text+"/consent", `{"action":"approve"}`, user),
					b.Do(http.MethodDelete, grantsPath+"?client_id="+text, nil, user),
					b.Do(http.MethodGet, clientsPath+"/"+text, nil, service),
					b.Do(http.MethodDelete, clientsPath+"/"+text, nil, service),
					b.Do(http.MethodGet, openIDConfiguration+"/"+text, nil),
				} {
					require.Equal(b.t, 4, answer.Status/100, "%d %s", answer.Status, answer.Body)
				}
				for _, name := range []string{"state", "scope", "nonce", "resource", "code_challenge", "code_challenge_method", "response_type", "prompt", "x"} {
					answer := b.Do(http.MethodGet, "/oauth/authorize?"+request(c, name, "").Encode()+"&"+name+"="+text+"&prompt=none", nil)
					require.Equal(b.t, http.StatusFound, answer.Status)
					require.NotEmpty(b.t, answer.Location().Query().Get("error"))
					require.NotContains(b.t, answer.Header, "Set-Cookie")
				}
			})
		}
		for _, value := range []string{"\xff", "Basic \xff", "Bearer \xff", "Bearer " + strings.Repeat("a", 60_000), "Basic " + strings.Repeat("QUFB", 10_000), strings.Repeat(" ", 100)} {
			for _, r := range []route{
				{http.MethodPost, "/oauth/token", form, nil}, {http.MethodGet, "/oauth/userinfo", "", nil},
				{http.MethodGet, "/oauth/authorizations/x", "", nil}, {http.MethodGet, clientsPath, "", nil}, {http.MethodGet, grantsPath, "", nil},
			} {
				answer := b.Do(r.method, r.path, nil, header("Content-Type", r.contentType), header("Authorization", value))
				require.Equal(b.t, 4, answer.Status/100, "%d %s", answer.Status, answer.Body)
			}
		}
		b.details(u, b.ask(c), header("Origin", "\xff")).Refused(http.StatusBadRequest, "validation_failed")
		b.Exec(`delete from oauth_authorizations`)
	})
	b.alive(c, tokens)
}

// Odd texts in the headers that a session remembers are stored as what they
// are, or not at all, but the exchange goes on.
func TestOddOrigins(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	for name, options := range map[string][]apitest.Option{
		"long agent":        {apitest.Header("User-Agent", strings.Repeat("x", 50_000))},
		"agent not UTF-8":   {apitest.Header("User-Agent", "\xff\xfe")},
		"forwarded oddly":   {apitest.Header("X-Forwarded-For", "not an address, 192.0.2.1, 192.0.2.2")},
		"forwarded by zone": {apitest.Header("X-Forwarded-For", "fe80::1%eth0")},
	} {
		b.run(name, func(b *bundle) {
			answer := b.post(codeForm(c, b.code(c, u)), append(options, apitest.Basic(c.ID, c.Secret))...)
			require.Equal(b.t, http.StatusOK, answer.Status, "%s", answer.Body)
			refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {answer.JSON()["refresh_token"].(string)}}
			answer = b.post(refresh, append(options, apitest.Basic(c.ID, c.Secret))...)
			require.Equal(b.t, http.StatusOK, answer.Status, "%s", answer.Body)
		})
	}
}
