package oauthserver_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// While the database is away clients learn that they may try again (RFC 6749
// §4.1.2.1, RFC 9110 §15.6.4). What needs no database still answers.
func TestDatabaseOutage(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.DB.URL = "postgres://nobody@127.0.0.1:1/nothing?sslmode=disable" })
	c := &apitest.Client{ID: "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b", Secret: "x", RedirectURI: apitest.RedirectURI}
	for name, answer := range map[string]*apitest.Response{
		"code":     b.exchange(c, "x"),
		"refresh":  b.Token(c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {"x"}}),
		"register": b.Do(http.MethodPost, registerPath, `{"redirect_uris":["https://client.test/callback"]}`),
	} {
		b.run(name, func(b *bundle) {
			require.Equal(b.t, http.StatusServiceUnavailable, answer.Status, "%s", answer.Body)
			answer.RefusedOAuth(http.StatusServiceUnavailable, "temporarily_unavailable")
			require.Equal(b.t, "1", answer.Header.Get("Retry-After"))
		})
	}
	for _, answer := range []*apitest.Response{
		b.authorize(request(c)), // no redirect: nobody knows whether the target can be trusted
		b.manage(http.MethodGet, clientsPath, nil),
	} {
		answer.Refused(http.StatusServiceUnavailable, "service_unavailable")
		require.Equal(t, "1", answer.Header.Get("Retry-After"))
	}
	b.Do(http.MethodGet, serverMetadata, nil).OK()
}
