package oauthserver_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// What a request may cost, in SQL statements.
func TestStatementBudgets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	var handle, code string
	for _, step := range []struct {
		name   string
		budget int
		do     func(b *bundle)
	}{
		{"authorize", 2, func(b *bundle) { handle = b.ask(c, "scope", "openid profile") }},
		{"details", 2, func(b *bundle) { b.details(u, handle).OK() }},
		{"consent", 3, func(b *bundle) { code = b.response(b.decide(u, handle, "approve")).Query().Get("code") }},
		{"code", 3, func(b *bundle) { b.exchange(c, code).OK() }},
		{"refresh", 3, func(b *bundle) { tokens = b.refresh(c, tokens.RefreshToken) }},
		{"userinfo", 1, func(b *bundle) { b.userInfo(tokens.AccessToken).OK() }},
		{"introspection", 2, func(b *bundle) { b.introspect(c, tokens.AccessToken).OK() }},
		{"revocation", 3, func(b *bundle) { b.revokeToken(c, tokens.RefreshToken).OK() }},
		{"authorize again", 2, func(b *bundle) { handle = b.ask(c) }},
		{"auto-approval", 3, func(b *bundle) { b.response(b.details(u, handle)) }},
		{"authorize, denied", 2, func(b *bundle) { handle = b.ask(c) }},
		{"deny", 3, func(b *bundle) { b.decide(u, handle, "deny").OK() }},
		{"refused authorize", 1, func(b *bundle) { b.redirected(b.authorize(request(c, "scope", "x")), "invalid_scope") }},
		{"wrong client secret", 1, func(b *bundle) {
			b.invalidClient(b.exchange(&apitest.Client{ID: c.ID, Secret: "x", RedirectURI: c.RedirectURI}, "x"))
		}},
		{"openid-configuration", 0, func(b *bundle) { b.Do(http.MethodGet, "/.well-known/openid-configuration", nil).OK() }},
		{"oauth-authorization-server", 0, func(b *bundle) { b.Do(http.MethodGet, "/.well-known/oauth-authorization-server", nil).OK() }},
		{"jwks", 0, func(b *bundle) { b.Do(http.MethodGet, "/.well-known/jwks.json", nil).OK() }},
		{"forged userinfo", 0, func(b *bundle) {
			b.userInfo(flip(tokens.AccessToken)).RefusedOAuth(http.StatusUnauthorized, "invalid_token")
		}},
	} {
		b.run(step.name, func(b *bundle) {
			require.LessOrEqual(b.t, b.Statements(func() { step.do(b) }), step.budget)
		})
	}
}
