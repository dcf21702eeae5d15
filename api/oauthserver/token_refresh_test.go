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

// refresh exchanges a refresh token that must be good and returns what it
// brought.
func (b *bundle) refresh(c *apitest.Client, refreshToken string) *apitest.Tokens {
	b.t.Helper()
	answer := b.RefreshGrant(c, refreshToken)
	require.Equal(b.t, http.StatusOK, answer.Status, "%s", answer.Body)
	b.noStore(answer)
	tokens := new(apitest.Tokens)
	answer.Into(tokens)
	return tokens
}

func legacyTokens(cfg *conf.Config) { cfg.Security.RefreshTokenAlgorithmVersion = 1 }

// RFC 6749 §6, RFC 9700 §4.14.2: each refresh brings the next token, and the
// access token says what it said before.
func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*conf.Config){"counter": func(*conf.Config) {}, "legacy": legacyTokens} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, option)
			c := b.Client(t)
			first := b.grant(c, b.User(t), "scope", "openid email")
			b.Clock.Advance(10 * time.Minute)
			second := b.refresh(c, first.RefreshToken)
			require.NotEqual(t, first.RefreshToken, second.RefreshToken)
			require.Equal(t, "openid email", second.Scope)
			require.NotEmpty(t, second.IDToken)
			before, after := apitest.Claims(t, first.AccessToken), apitest.Claims(t, second.AccessToken)
			require.InDelta(t, before["exp"].(float64)+600, after["exp"], 5)
			for _, claims := range []map[string]any{before, after} {
				delete(claims, "exp")
				delete(claims, "iat")
				require.NotEmpty(t, claims["jti"])
				delete(claims, "jti") // RFC 9068 §2.2: of this token alone
			}
			require.Equal(t, before, after)
			b.userInfo(second.AccessToken).OK()
			third := b.refresh(c, second.RefreshToken)
			require.NotEqual(t, second.RefreshToken, third.RefreshToken)
			require.Equal(t, 1, b.Count(`select count(*) from sessions where oauth_client_id is not null`))
		})
	}
}

// A client that lost the answer asks again with the token before, and goes on.
func TestRefreshAfterALostAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	first := b.grant(c, b.User(t))
	lost := b.refresh(c, first.RefreshToken)
	b.Clock.Advance(time.Hour)
	again := b.refresh(c, first.RefreshToken)
	require.Equal(t, lost.RefreshToken, again.RefreshToken, "the same answer")
	b.refresh(c, again.RefreshToken)
}

// 32 refreshes at once with one token, over two servers: every caller can go
// on, and the session has moved by one.
func TestConcurrentRefreshes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	replica := &bundle{b.Replica(t), t}
	c := b.Client(t)
	first := b.grant(c, b.User(t))
	servers := [2]*bundle{b, replica}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {first.RefreshToken}}
	answers := together(32, func(i int, hold apitest.Option) *apitest.Response {
		return servers[i%2].post(form, apitest.Basic(c.ID, c.Secret), hold)
	})
	next := map[string]bool{}
	for _, answer := range answers {
		tokens := new(apitest.Tokens)
		answer.OK()
		answer.Into(tokens)
		next[tokens.RefreshToken] = true
		b.userInfo(tokens.AccessToken).OK()
	}
	require.Len(t, next, 1, "one state, one next token")
	require.Equal(t, "1", b.Text(`select refresh_token_counter::text from sessions where id = $1`, first.SessionID))
	for refreshToken := range next {
		b.refresh(c, refreshToken)
	}
}

// RFC 9700 §4.14.2: an old token that comes back ends the session.
func TestReusedRefreshTokenEndsTheSession(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*conf.Config){"counter": func(*conf.Config) {}, "legacy": legacyTokens} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, option)
			c, u := b.Client(t), b.User(t)
			elsewhere := b.grant(c, u)
			first := b.grant(c, u)
			latest := b.refresh(c, b.refresh(c, first.RefreshToken).RefreshToken)
			b.Clock.Advance(time.Minute)
			b.RefreshGrant(c, first.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
			b.RefreshGrant(c, latest.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
			b.alive(c, elsewhere)
		})
	}
	t.Run("access token", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		c := b.Client(t)
		first := b.grant(c, b.User(t))
		latest := b.refresh(c, b.refresh(c, first.RefreshToken).RefreshToken)
		b.RefreshGrant(c, first.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
		b.ended(c, latest)
	})
}

// RFC 6749 §6, §10.4: a refresh token is bound to its client, and to this
// endpoint.
func TestRefreshTokenIsBoundToItsClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	c, other, public := b.Client(t), b.Client(t), b.Client(t, apitest.Public)
	tokens := b.grant(c, u)
	b.writesNothing(func() {
		b.RefreshGrant(other, tokens.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
		b.RefreshGrant(public, tokens.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
		b.invalidClient(b.RefreshGrant(b.asPublic(c), tokens.RefreshToken))
		b.RefreshGrant(c, u.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
		b.Refresh(tokens.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_client") // as GoTrue has it
	})
	b.alive(c, tokens)
	require.Equal(t, http.StatusOK, b.Refresh(u.RefreshToken).Status)
}

// RFC 6749 §5.2: whatever is wrong with a refresh token, the grant is void.
func TestInvalidRefreshTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	tokens := b.grant(c, b.User(t))
	b.writesNothing(func() {
		for name, bad := range map[string]string{
			"short": "x", "legacy, unknown": "abcdefghijkl", "a code": "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b",
			"access token": tokens.AccessToken, "ID token": tokens.IDToken, "long": longText(16 << 10),
			"tampered": flip(tokens.RefreshToken), "cut": tokens.RefreshToken[:len(tokens.RefreshToken)-1],
			"longer": tokens.RefreshToken + "A", "not ASCII": "é",
		} {
			b.run(name, func(b *bundle) {
				b.RefreshGrant(c, bad).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
			})
		}
	})
	b.alive(c, tokens)
}

// flip changes one character in the middle of a text.
func flip(text string) string {
	middle := []byte(text)
	if i := len(middle) / 2; middle[i] == 'A' {
		middle[i] = 'B'
	} else {
		middle[i] = 'A'
	}
	return string(middle)
}

// What ends a grant ends its refresh token and its access token at once.
func TestEndedGrants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	service := apitest.Bearer(b.ServiceKey())
	for name, end := range map[string]func(b *bundle, c *apitest.Client, u *apitest.User){
		"grant revoked": func(b *bundle, c *apitest.Client, u *apitest.User) {
			b.Do(http.MethodDelete, "/user/oauth/grants?client_id="+c.ID, nil, apitest.Bearer(u.AccessToken)).OK()
		},
		"banned":           func(b *bundle, _ *apitest.Client, u *apitest.User) { b.ban(u) },
		"logout":           func(b *bundle, _ *apitest.Client, u *apitest.User) { b.logout(u, "global") },
		"logout of others": func(b *bundle, _ *apitest.Client, u *apitest.User) { b.logout(u, "others") },
		"user deleted": func(b *bundle, _ *apitest.Client, u *apitest.User) {
			b.Do(http.MethodDelete, "/admin/users/"+u.ID, nil, service).OK()
		},
	} {
		b.run(name, func(b *bundle) {
			c, u := b.Client(b.t), b.User(b.t)
			tokens := b.grant(c, u)
			bystander := b.grant(c, b.User(b.t))
			end(b, c, u)
			b.ended(c, tokens)
			b.alive(c, bystander)
		})
	}
	b.run("client deleted", func(b *bundle) {
		c, u := b.Client(b.t), b.User(b.t)
		tokens := b.grant(c, u)
		b.Do(http.MethodDelete, "/admin/oauth/clients/"+c.ID, nil, service).OK()
		b.userInfo(tokens.AccessToken).RefusedOAuth(http.StatusUnauthorized, "invalid_token")
		b.invalidClient(b.RefreshGrant(c, tokens.RefreshToken))
	})
	b.run("local logout", func(b *bundle) {
		c, u := b.Client(b.t), b.User(b.t)
		tokens := b.grant(c, u)
		b.logout(u, "local")
		b.alive(c, tokens)
	})
}

func (b *bundle) logout(u *apitest.User, scope string) {
	b.t.Helper()
	b.Do(http.MethodPost, "/logout?scope="+scope, nil, apitest.Bearer(u.AccessToken)).OK()
}

// A refresh token outlives the right to use one no longer than a request.
func TestRefreshNeedsItsGrantType(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	tokens := b.grant(c, b.User(t))
	b.Do(http.MethodPut, "/admin/oauth/clients/"+c.ID, `{"grant_types":["authorization_code"]}`, apitest.Bearer(b.ServiceKey())).OK()
	b.RefreshGrant(c, tokens.RefreshToken).RefusedOAuth(http.StatusBadRequest, "unauthorized_client")
}
