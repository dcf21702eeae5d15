package oauthserver_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// asked reports whether the consent page has to ask the user.
func (b *bundle) asked(c *apitest.Client, u *apitest.User, changes ...string) bool {
	b.t.Helper()
	body := b.details(u, b.ask(c, changes...)).OK()
	return body["redirect_url"] == nil
}

// OAuth 2.1 §7.5.2, RFC 8252 §8.6: an earlier consent is enough only where
// nobody else can pretend to be the client.
func TestAutoApprovalNeedsAssuredIdentity(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	for name, test := range map[string]struct {
		client *apitest.Client
		asks   bool
	}{
		"confidential":               {b.Client(t), false},
		"confidential, custom":       {b.Client(t, metadata("redirect_uris", []string{native})), false},
		"public, https":              {b.public("https://spa.test/cb"), false},
		"public, private-use scheme": {b.public(native), true},
		"public, scheme with host":   {b.public("myapp://callback"), true},
		"public, loopback":           {b.public("http://127.0.0.1/cb"), true},
		"public, localhost":          {b.public("http://localhost:3000/cb"), true},
	} {
		b.run(name, func(b *bundle) {
			require.True(b.t, b.asked(test.client, u), "the first time")
			b.grant(test.client, u)
			require.Equal(b.t, test.asks, b.asked(test.client, u), "the second time")
			require.True(b.t, b.asked(test.client, u, "scope", "openid email phone"), "for more")
			require.True(b.t, b.asked(test.client, b.User(b.t)), "another user")
			require.Equal(b.t, test.asks, b.asked(test.client, u, "scope", "email"), "for less")
		})
	}
}

// An auto-approved request gives a code like any other, and once only.
func TestAutoApprovalGivesACode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.grant(c, u)
	before := b.Text(`select k::text from oauth_consents k`)
	handle := b.ask(c)
	answer := b.details(u, handle)
	b.noStore(answer)
	query := b.response(answer).Query()
	require.Equal(t, "a state", query.Get("state"))
	require.Equal(t, apitest.Issuer, query.Get("iss"))
	b.details(u, handle).Refused(http.StatusBadRequest, "validation_failed")
	require.Equal(t, before, b.Text(`select k::text from oauth_consents k`), "the consent is the earlier one")
	b.exchange(c, query.Get("code")).OK()
}

// Scopes of two apps of one client do not replace each other.
func TestConsentsAreMerged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.grant(c, u, "scope", "openid email")
	b.grant(c, u, "scope", "profile email")
	require.Equal(t, "openid email profile", b.Text(`select scopes from oauth_consents`))
	require.False(t, b.asked(c, u, "scope", "profile openid"))
	require.True(t, b.asked(c, u, "scope", "openid phone"))
	tokens := b.grant(c, u, "scope", "phone")
	require.Equal(t, "phone", tokens.Scope, "a token has what its request asked for")
}

// After a revocation the user is asked again, and for what was asked, not for
// what was granted before.
func TestConsentAfterRevocationAsksAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.grant(c, u, "scope", "openid email profile")
	b.Do(http.MethodDelete, "/user/oauth/grants?client_id="+c.ID, nil, apitest.Bearer(u.AccessToken)).OK()
	require.True(t, b.asked(c, u, "scope", "email"))
	b.grant(c, u, "scope", "email")
	require.Equal(t, "email", b.Text(`select scopes from oauth_consents where revoked_at is null`))
	require.Equal(t, 1, b.Count(`select count(*) from oauth_consents`))
	require.False(t, b.asked(c, u, "scope", "email"))
	require.True(t, b.asked(c, u, "scope", "profile"))
}
