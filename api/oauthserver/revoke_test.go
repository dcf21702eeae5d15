package oauthserver_test

import (
	"net/http"
	"net/url"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// as sends a form as a client.
func (b *bundle) as(c *apitest.Client, path string, form url.Values) *apitest.Response {
	b.t.Helper()
	if c.Secret == "" {
		return b.Do(http.MethodPost, path, with(form, "client_id", c.ID))
	}
	return b.Do(http.MethodPost, path, form, apitest.Basic(c.ID, c.Secret))
}

func (b *bundle) revokeToken(c *apitest.Client, token string) *apitest.Response {
	b.t.Helper()
	return b.as(c, "/oauth/revoke", url.Values{"token": {token}})
}

// RFC 7009 §2.1: a refresh token takes the access tokens of its grant with it,
// an access token its refresh token. Only the one session ends, and the consent
// stays.
func TestRevocation(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*conf.Config){"counter": func(*conf.Config) {}, "legacy": legacyTokens} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, option)
			u := b.User(t)
			for name, c := range map[string]*apitest.Client{"confidential": b.Client(t), "public": b.Client(t, apitest.Public)} {
				for _, kind := range []string{"refresh token", "access token", "spent refresh token"} {
					b.run(name+", "+kind, func(b *bundle) {
						one, other := b.grant(c, u), b.grant(c, u)
						token := map[string]string{
							"refresh token": one.RefreshToken, "access token": one.AccessToken, "spent refresh token": one.RefreshToken,
						}[kind]
						if kind == "spent refresh token" {
							one = b.refresh(c, one.RefreshToken)
						}
						answer := b.revokeToken(c, token)
						require.Equal(b.t, http.StatusOK, answer.Status, "%s", answer.Body)
						require.Empty(b.t, answer.Body)
						b.noStore(answer)
						b.ended(c, one)
						b.alive(c, other)
						require.Equal(b.t, http.StatusOK, b.revokeToken(c, token).Status, "once more is the same")
					})
				}
			}
			require.Equal(t, 2, b.Count(`select count(*) from oauth_consents where revoked_at is null`))
			require.Equal(t, 6, b.Count(`select count(*) from audit_log_entries
				where payload->'traits'->>'action' = 'revoke_oauth_token'`))
		})
	}
}

// RFC 7009 §2.1, §2.2: what is not the client's stays alive, and what is no
// token is no error.
func TestRevocationRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other, u := b.Client(t), b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	b.writesNothing(func() {
		for name, token := range map[string]string{
			"another's refresh token": tokens.RefreshToken, "another's access token": tokens.AccessToken,
			"the project's refresh token": u.RefreshToken, "the project's access token": u.AccessToken,
		} {
			b.run(name, func(b *bundle) { b.revokeToken(other, token).RefusedOAuth(http.StatusBadRequest, "invalid_grant") })
		}
		for name, token := range map[string]string{
			"nonsense": "nonsense", "a forged token": flip(tokens.AccessToken), "an unknown refresh token": "abcdefghijkl",
			"a forged refresh token": flip(tokens.RefreshToken), "an API key": b.ServiceKey(), "an ID token": tokens.IDToken,
			"a very long one": longText(20_000),
		} {
			b.run(name, func(b *bundle) { require.Equal(b.t, http.StatusOK, b.revokeToken(c, token).Status) })
		}
		b.invalidClient(b.revokeToken(&apitest.Client{ID: c.ID, Secret: "wrong"}, tokens.RefreshToken))
		b.invalidClient(b.revokeToken(&apitest.Client{ID: c.ID}, tokens.RefreshToken))
		b.revokeToken(c, "").RefusedOAuth(http.StatusBadRequest, "invalid_request")
		b.Do(http.MethodPost, "/oauth/revoke?token=x", url.Values{}, apitest.Basic(c.ID, c.Secret)).
			RefusedOAuth(http.StatusBadRequest, "invalid_request")
	})
	b.alive(c, tokens)
}

// A ban does not keep a client from giving up what it was given.
func TestRevocationOfABannedUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	b.ban(u)
	require.Equal(t, http.StatusOK, b.revokeToken(c, tokens.AccessToken).Status)
	require.Zero(t, b.Count(`select count(*) from sessions where oauth_client_id is not null`))
}

// Of a refresh and a revocation at the same moment the revocation wins.
func TestRevocationDuringRefresh(t *testing.T) {
	t.Parallel()
	b := setup(t)
	replica := &bundle{b.Replica(t), t}
	c := b.Client(t)
	tokens := b.grant(c, b.User(t))
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() { replica.RefreshGrant(c, tokens.RefreshToken) })
	}
	wait.Go(func() { b.revokeToken(c, tokens.RefreshToken) })
	wait.Wait()
	b.ended(c, tokens)
	require.Zero(t, b.Count(`select count(*) from sessions where oauth_client_id is not null`))
}
