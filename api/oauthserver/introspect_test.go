package oauthserver_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

func (b *bundle) introspect(c *apitest.Client, token string) *apitest.Response {
	b.t.Helper()
	return b.as(c, "/oauth/introspect", url.Values{"token": {token}})
}

// inactive demands the answer that tells nothing (RFC 7662 §2.2).
func (b *bundle) inactive(answer *apitest.Response) {
	b.t.Helper()
	require.Equal(b.t, map[string]any{"active": false}, answer.OK())
	b.noStore(answer)
}

// RFC 7662 §2.2.
func TestIntrospection(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*conf.Config){"counter": func(*conf.Config) {}, "legacy": legacyTokens} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, option)
			c, u := b.Client(t), b.User(t)
			tokens := b.grant(c, u, "scope", "openid email")
			claims := apitest.Claims(t, tokens.AccessToken)
			require.Equal(t, map[string]any{
				"active": true, "scope": "openid email", "client_id": c.ID, "token_type": "Bearer", "sub": u.ID,
				"exp": claims["exp"], "iat": claims["iat"], "aud": []any{"authenticated"}, "iss": apitest.Issuer,
			}, b.introspect(c, tokens.AccessToken).OK())
			require.Equal(t, map[string]any{
				"active": true, "scope": "openid email", "client_id": c.ID, "sub": u.ID, "iss": apitest.Issuer,
			}, b.introspect(c, tokens.RefreshToken).OK())

			next := b.refresh(c, tokens.RefreshToken)
			b.inactive(b.introspect(c, tokens.RefreshToken))
			require.Equal(t, true, b.introspect(c, next.RefreshToken).OK()["active"])
			b.ban(u)
			b.inactive(b.introspect(c, next.RefreshToken))
			b.inactive(b.introspect(c, next.AccessToken))
		})
	}
}

// RFC 7662 §4: nobody learns of tokens that are not his, and of an ended one
// there is nothing to learn.
func TestIntrospectionTellsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { limit := time.Hour; cfg.OAuthServer.SessionTimebox = &limit })
	c, other, u := b.Client(t), b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	b.writesNothing(func() {
		for name, token := range map[string]string{
			"access token": tokens.AccessToken, "refresh token": tokens.RefreshToken,
			"the project's": u.AccessToken, "the project's refresh token": u.RefreshToken, "API key": b.ServiceKey(),
			"nonsense": "nonsense", "forged": flip(tokens.AccessToken), "ID token": tokens.IDToken,
		} {
			b.run(name, func(b *bundle) { b.inactive(b.introspect(other, token)) })
		}
	})
	b.invalidClient(b.introspect(b.Client(t, apitest.Public), tokens.AccessToken))
	b.invalidClient(b.introspect(&apitest.Client{ID: c.ID, Secret: "wrong"}, tokens.AccessToken))
	b.introspect(c, "").RefusedOAuth(http.StatusBadRequest, "invalid_request")

	b.Clock.Advance(61 * time.Minute)
	b.inactive(b.introspect(c, tokens.AccessToken))
	b.inactive(b.introspect(c, tokens.RefreshToken))
}

// RFC 7662 §2.1: a resource server asks with the project's service key.
func TestIntrospectionByAdministrators(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	ask := func(bearer, token string) *apitest.Response {
		return b.Do(http.MethodPost, "/oauth/introspect", url.Values{"token": {token}}, apitest.Bearer(bearer))
	}
	require.Equal(t, c.ID, ask(b.ServiceKey(), tokens.AccessToken).OK()["client_id"])
	own := ask(b.ServiceKey(), u.AccessToken).OK()
	require.Equal(t, u.ID, own["sub"])
	require.NotContains(t, own, "client_id")
	for _, bearer := range []string{b.AnonKey(), u.AccessToken, tokens.AccessToken, "nonsense"} {
		refused := ask(bearer, tokens.AccessToken)
		refused.RefusedOAuth(http.StatusUnauthorized, "invalid_token")
		require.Contains(t, refused.Header.Get("WWW-Authenticate"), "Bearer")
	}
}
