package oauthserver_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/oauth"
)

func (b *bundle) refreshFor(c *apitest.Client, refreshToken, scope string) *apitest.Response {
	b.t.Helper()
	return b.Token(c, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {refreshToken}, "scope": {scope}})
}

// RFC 6749 §6: a refresh may ask for less, for that one access token.
func TestRefreshNarrowsTheScope(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*conf.Config){"counter": func(*conf.Config) {}, "legacy": legacyTokens} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, option)
			c, u := b.Client(t), b.User(t)
			first := b.grant(c, u, "scope", "openid email profile")
			narrowed := new(apitest.Tokens)
			b.refreshFor(c, first.RefreshToken, "openid").Into(narrowed)
			require.Equal(t, "openid", narrowed.Scope)
			require.Equal(t, "openid", apitest.Claims(t, narrowed.AccessToken)["scope"])
			require.NotContains(t, apitest.Claims(t, narrowed.IDToken), "email")
			require.Equal(t, map[string]any{"sub": u.ID}, b.userInfo(narrowed.AccessToken).OK())
			require.Equal(t, "openid", b.introspect(c, narrowed.AccessToken).OK()["scope"])

			whole := b.refresh(c, narrowed.RefreshToken)
			require.Equal(t, "openid email profile", whole.Scope)
			require.Equal(t, u.Email, b.userInfo(whole.AccessToken).OK()["email"])
			b.refreshFor(c, whole.RefreshToken, "email").OK()
		})
	}
}

// RFC 6749 §6: what was not granted is not refreshed, and nothing is spent.
func TestRefreshDoesNotWidenTheScope(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	tokens := b.grant(c, b.User(t), "scope", "openid")
	b.writesNothing(func() {
		for _, scope := range []string{"openid email", "unknown", "\"quoted\"", longText(5000)} {
			b.refreshFor(c, tokens.RefreshToken, scope).RefusedOAuth(http.StatusBadRequest, "invalid_scope")
		}
	})
	b.alive(c, tokens)
}

// OpenID Connect Core §12.2: a refreshed ID token is about the same login.
func TestRefreshedIDToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.Clock.Advance(5 * time.Minute)
	first := b.grant(c, u)
	b.Clock.Advance(30 * time.Minute)
	b.SignIn(t, u.Email) // elsewhere
	second := b.refresh(c, first.RefreshToken)
	before, after := apitest.Claims(t, first.IDToken), apitest.Claims(t, second.IDToken)
	for _, name := range []string{"iss", "sub", "aud", "azp", "auth_time", "sid", "acr", "amr"} {
		require.Equal(t, before[name], after[name], name)
	}
	require.InDelta(t, before["iat"].(float64)+1800, after["iat"], 5)
	require.NotContains(t, after, "nonce")
	require.Equal(t, oauth.ATHash("ES256", second.AccessToken), after["at_hash"])
	require.Empty(t, b.refreshFor(c, second.RefreshToken, "email").OK()["id_token"])
}

// OpenID Connect Core §2, RFC 8176: how the user who consented had
// authenticated.
func TestIDTokenTellsTheAuthentication(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	claims := apitest.Claims(t, b.grant(c, u).IDToken)
	require.Equal(t, "aal1", claims["acr"])
	require.Equal(t, []any{"pwd"}, claims["amr"])

	session := apitest.Claims(t, u.AccessToken)["session_id"]
	b.Exec(`update sessions set aal = 'aal2' where id = $1`, session)
	b.Exec(`insert into mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
		values (gen_random_uuid(), $1, now(), $2, 'totp')`, session, b.Clock.Now().Add(time.Minute))
	claims = apitest.Claims(t, b.grant(c, u).IDToken)
	require.Equal(t, "aal2", claims["acr"])
	require.Equal(t, []any{"mfa", "otp", "pwd"}, claims["amr"])
	require.InDelta(t, b.UnixIn(time.Minute), claims["auth_time"], 5)
}

// A grant of GoTrue or of an earlier release has no record of its login.
func TestIDTokenWithoutRecord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	b.Exec(`delete from truegrant_oauth_sessions`)
	claims := apitest.Claims(t, b.refresh(c, tokens.RefreshToken).IDToken)
	require.NotContains(t, claims, "acr")
	require.NotContains(t, claims, "amr")
	require.InDelta(t, b.UnixIn(0), claims["auth_time"], 5)
}
