package oauthserver_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// native is a redirect URI that any local app could claim, so that the user is
// asked every time.
const native = "com.example.app:/callback"

// described registers a client that the consent page has much to say about.
func (b *bundle) described() *apitest.Client {
	b.t.Helper()
	return b.Client(b.t, metadata("client_uri", "https://client.test"), metadata("logo_uri", "https://client.test/logo.png"))
}

// The consent page learns who asks for what, in GoTrue's JSON, and nothing of
// state, nonce or challenge.
func TestAuthorizationDetails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.described(), b.User(t)
	handle := b.ask(c)
	answer := b.details(u, handle)
	golden(t, "authorization_details", answer.OK(),
		handle, "AUTHORIZATION", c.ID, "CLIENT", u.ID, "USER", u.Email, "user@example.test")
	b.writesNothing(func() {
		for range 3 {
			require.JSONEq(t, string(answer.Body), string(b.details(u, handle).Body), "reading is repeatable")
		}
	})
	bare := b.Client(t, apitest.Public, metadata("client_name", ""))
	require.Equal(t, map[string]any{"id": bare.ID}, b.details(u, b.ask(bare)).OK()["client"], "what is empty is left out")
}

// A request belongs to nobody until it is decided: on the consent page a user
// may sign in as somebody else. Then it is the decider's.
func TestConsentAccountSwitch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, first, second := b.Client(t), b.User(t), b.User(t)
	handle := b.ask(c)
	require.Equal(t, first.ID, b.details(first, handle).OK()["user"].(map[string]any)["id"])
	require.Equal(t, second.ID, b.details(second, handle).OK()["user"].(map[string]any)["id"])
	code := b.response(b.decide(second, handle, "approve")).Query().Get("code")
	b.details(first, handle).Refused(http.StatusBadRequest, "validation_failed")
	tokens := b.exchange(c, code).OK()
	require.Equal(t, second.ID, apitest.Claims(t, tokens["access_token"].(string))["sub"])
}

// RFC 6749 §4.1.2: approving issues a code that is bound to client, redirect
// URI and user. The database holds its digest only.
func TestApprove(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	answer := b.decide(u, b.ask(c), "approve")
	b.noStore(answer)
	query := b.response(answer).Query()
	require.Equal(t, "a state", query.Get("state"))
	require.Regexp(t, `^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`, query.Get("code"))
	require.Len(t, query, 3, "code, state, iss")
	require.Equal(t, "approved "+u.ID, b.Text(`select status || ' ' || user_id from oauth_authorizations`))
	require.Equal(t, "1", b.Text(`select count(*)::text from oauth_authorizations where length(authorization_code) = 43`))
	require.Zero(t, b.Count(`select count(*) from oauth_authorizations a where a::text like '%' || $1 || '%'`, query.Get("code")))
	require.Equal(t, "00:01:00", b.Text(`select date_trunc('second', expires_at - approved_at)::text from oauth_authorizations`))
	require.Equal(t, "openid email", b.Text(`select scopes from oauth_consents where user_id = $1`, u.ID))
}

// RFC 6749 §4.1.2.1: a refusal is access_denied. It leaves an earlier consent
// alone.
func TestDeny(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.public(native), b.User(t)
	b.grant(c, u, "scope", "email")
	answer := b.decide(u, b.ask(c), "deny")
	query := b.response(answer).Query()
	require.Equal(t, "access_denied", query.Get("error"))
	require.Equal(t, "User denied the request", query.Get("error_description"))
	require.Equal(t, "a state", query.Get("state"))
	require.Equal(t, apitest.Issuer, query.Get("iss"))
	require.Empty(t, query.Get("code"))
	require.Equal(t, "denied", b.Text(`select status from oauth_authorizations`))
	require.Equal(t, "email", b.Text(`select scopes from oauth_consents where revoked_at is null`))
}

// A request is decided once.
func TestDecidedRequestsStayDecided(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	for _, first := range []string{"approve", "deny"} {
		handle := b.ask(c, "scope", "profile")
		b.decide(u, handle, first).OK()
		b.writesNothing(func() {
			require.Equal(t, "authorization request cannot be processed",
				b.details(u, handle).Refused(http.StatusBadRequest, "validation_failed"))
			for _, second := range []string{"approve", "deny"} {
				require.Equal(t, "authorization request is no longer pending",
					b.decide(u, handle, second).Refused(http.StatusBadRequest, "validation_failed"))
			}
		})
		b.Exec(`delete from oauth_consents`)
	}
}

// Of concurrent decisions one counts.
func TestConcurrentDecisions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	other := &bundle{b.Replica(t), t}
	handle := b.ask(c)
	answers := together(16, func(i int, hold apitest.Option) *apitest.Response {
		server, action := b, "approve"
		if i%2 == 1 {
			server = other
		}
		if i%4 >= 2 {
			action = "deny"
		}
		return server.decide(u, handle, action, hold)
	})
	decided := 0
	for _, answer := range answers {
		if answer.Status == http.StatusOK {
			decided++
			continue
		}
		answer.Refused(http.StatusBadRequest, "validation_failed")
	}
	require.Equal(t, 1, decided)
}

func TestUnknownAuthorization(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	gone := b.Client(t)
	orphan := b.ask(gone)
	b.Do(http.MethodDelete, "/admin/oauth/clients/"+gone.ID, nil, apitest.Bearer(b.ServiceKey())).OK()
	b.writesNothing(func() {
		for _, handle := range []string{"unknown", orphan, "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b", longText(4096)} {
			b.details(u, handle).Refused(http.StatusNotFound, "oauth_authorization_not_found")
			b.decide(u, handle, "approve").Refused(http.StatusNotFound, "oauth_authorization_not_found")
			b.decide(u, handle, "deny").Refused(http.StatusNotFound, "oauth_authorization_not_found")
		}
	})
}

// A request waits ten minutes for its user.
func TestExpiredAuthorization(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	handle := b.ask(c)
	b.Clock.Advance(9 * time.Minute)
	b.details(u, handle).OK()
	b.Clock.Advance(time.Minute + time.Second)
	b.decide(u, handle, "approve").Refused(http.StatusNotFound, "oauth_authorization_not_found")
	b.details(u, handle).Refused(http.StatusNotFound, "oauth_authorization_not_found")
	require.Equal(t, "expired", b.Text(`select status from oauth_authorizations`))
	require.Zero(t, b.Count(`select count(*) from oauth_consents`))
}

// RFC 6454: scripts of foreign sites do not answer for the user.
func TestConsentChecksTheOrigin(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.URIAllowList = []string{"https://*.preview.test"} })
	c, u := b.Client(t), b.User(t)
	handle := b.ask(c)
	b.writesNothing(func() {
		for _, origin := range []string{"https://evil.test", "null", "http://app.test", "https://app.test.evil.test", "https://app.test:444"} {
			b.run(origin, func(b *bundle) {
				header := apitest.Header("Origin", origin)
				for _, answer := range []*apitest.Response{
					b.details(u, handle, header), b.decide(u, handle, "approve", header), b.decide(u, handle, "deny", header),
				} {
					require.Equal(b.t, "unauthorized request origin", answer.Refused(http.StatusBadRequest, "validation_failed"))
				}
			})
		}
	})
	for _, origin := range []string{apitest.SiteURL, "https://x.preview.test", "http://127.0.0.1:3000"} {
		b.details(u, handle, apitest.Header("Origin", origin)).OK()
	}
	b.decide(u, handle, "approve", apitest.Header("Origin", apitest.SiteURL)).OK()
}

// The consent page is the user's own app. A client must not approve itself,
// nor another one, whatever its scopes.
func TestConsentIsFirstParty(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	tokens := b.grant(c, u, "scope", "openid email profile phone offline_access")
	asked := b.ask(b.Client(t))
	consent, grants := "/oauth/authorizations/"+asked+"/consent", "/user/oauth/grants"
	routes := [][2]string{
		{http.MethodGet, "/oauth/authorizations/" + asked}, {http.MethodPost, consent},
		{http.MethodGet, grants}, {http.MethodDelete, grants + "?client_id=" + c.ID},
	}
	b.writesNothing(func() {
		for _, route := range routes {
			for _, bad := range []struct {
				name, token, code string
				status            int
			}{
				{"nobody", "", "no_authorization", http.StatusUnauthorized},
				{"an OAuth client", tokens.AccessToken, "no_authorization", http.StatusForbidden},
				{"an ID token", tokens.IDToken, "bad_jwt", http.StatusForbidden}, // RFC 8725 §3.12
				{"a refresh token", tokens.RefreshToken, "bad_jwt", http.StatusForbidden},
				{"the service role", b.ServiceKey(), "bad_jwt", http.StatusForbidden},
				{"garbage", "x.y.z", "bad_jwt", http.StatusForbidden},
			} {
				b.run(route[0]+" "+route[1]+" by "+bad.name, func(b *bundle) {
					b.Do(route[0], route[1], `{"action":"approve"}`, apitest.Bearer(bad.token)).Refused(bad.status, bad.code)
				})
			}
		}
	})
}

// A user who may not sign in may not consent either.
func TestConsentOfBannedUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	handle := b.ask(c)
	b.ban(u)
	b.writesNothing(func() {
		b.details(u, handle).Refused(http.StatusForbidden, "user_banned")
		b.decide(u, handle, "approve").Refused(http.StatusForbidden, "user_banned")
	})
}

func TestDecisionIsJSON(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	path := "/oauth/authorizations/" + b.ask(c) + "/consent"
	b.writesNothing(func() {
		for body, code := range map[string]string{
			"": "bad_json", "{": "bad_json", "[]": "bad_json", `"approve"`: "bad_json", `{"action":1}`: "bad_json",
			"action=approve": "bad_json", "null": "validation_failed", "{}": "validation_failed",
			`{"action":""}`: "validation_failed", `{"action":"Approve"}`: "validation_failed",
			`{"action":"approve\u0000"}`: "validation_failed",
		} {
			b.run(body, func(b *bundle) {
				b.Do(http.MethodPost, path, []byte(body), apitest.Bearer(u.AccessToken)).Refused(http.StatusBadRequest, code)
			})
		}
	})
}
