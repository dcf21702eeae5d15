package oauthserver_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

const grantsPath = "/user/oauth/grants"

// grants lists what a user has granted.
func (b *bundle) grants(u *apitest.User) []map[string]any {
	b.t.Helper()
	answer := b.Do(http.MethodGet, grantsPath, nil, apitest.Bearer(u.AccessToken))
	require.Equal(b.t, http.StatusOK, answer.Status, "%s", answer.Body)
	var list []map[string]any
	answer.Into(&list)
	return list
}

func (b *bundle) revoke(u *apitest.User, clientID string) *apitest.Response {
	b.t.Helper()
	return b.Do(http.MethodDelete, grantsPath+"?client_id="+url.QueryEscape(clientID), nil, apitest.Bearer(u.AccessToken))
}

func TestListGrants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, other := b.User(t), b.User(t)
	require.Equal(t, "[]", string(b.Do(http.MethodGet, grantsPath, nil, apitest.Bearer(u.AccessToken)).Body))
	first, second := b.described(), b.Client(t, metadata("client_name", ""))
	b.grant(first, u, "scope", "openid email")
	b.Clock.Advance(time.Second)
	b.grant(second, u, "scope", "profile")
	b.grant(second, other)
	list := b.grants(u)
	require.Len(t, list, 2)
	for _, grant := range list {
		at, err := time.Parse(time.RFC3339Nano, grant["granted_at"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, b.Clock.Now(), at, 10*time.Second)
		grant["granted_at"] = "SOME"
	}
	golden(t, "grants", list, first.ID, "FIRST", second.ID, "SECOND")
	b.manage(http.MethodDelete, clientsPath+"/"+first.ID, nil).OK()
	require.Len(t, b.grants(u), 1, "of deleted clients there is nothing to say")
}

// Revoking a grant ends the client's sessions, requests and codes at once; the
// user's own sessions and other grants go on.
func TestRevokeGrant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, otherClient := b.Client(t), b.Client(t)
	u, otherUser := b.User(t), b.User(t)
	first, second := b.grant(c, u), b.grant(c, u, "scope", "profile")
	otherGrant, othersGrant := b.grant(otherClient, u), b.grant(c, otherUser)
	code := b.code(c, u, "scope", "phone")
	otherCode := b.code(c, otherUser, "scope", "phone")

	answer := b.revoke(u, c.ID)
	require.Equal(t, http.StatusNoContent, answer.Status)
	require.Empty(t, answer.Body)
	b.ended(c, first)
	b.ended(c, second)
	b.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	b.alive(otherClient, otherGrant)
	b.alive(c, othersGrant)
	b.exchange(c, otherCode).OK()
	b.userInfo(u.AccessToken).OK()
	require.Len(t, b.grants(u), 1)
	require.Equal(t, `{"action": "revoke_oauth_grant", "oauth_client_id": "`+c.ID+`"}`, b.Text(`select (payload->'traits')::jsonb::text
		from audit_log_entries where payload->>'action' = 'token_revoked' and payload->>'actor_id' = $1`, u.ID))
	b.writesNothing(func() {
		require.Equal(t, "No active grant found for this client", b.revoke(u, c.ID).Refused(http.StatusNotFound, "oauth_consent_not_found"))
	})
}

// An exchange that has arrived but not begun when its grant is revoked brings
// nothing any more.
func TestRevocationBeforeTheExchange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	answers := together(16, func(i int, hold apitest.Option) *apitest.Response {
		if i == 8 {
			return b.revoke(u, c.ID) // answered before the others go on
		}
		return b.post(codeForm(c, code), apitest.Basic(c.ID, c.Secret), hold)
	})
	require.Equal(t, http.StatusNoContent, answers[8].Status)
	require.Zero(t, b.Count(`select count(*) from sessions where oauth_client_id is not null`))
}

func TestRevokeGrantErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.grant(c, b.User(t))
	b.writesNothing(func() {
		b.Do(http.MethodDelete, grantsPath, nil, apitest.Bearer(u.AccessToken)).Refused(http.StatusBadRequest, "validation_failed")
		for id, refusal := range map[string]struct {
			status int
			code   string
		}{
			"":                                     {http.StatusBadRequest, "validation_failed"},
			"x":                                    {http.StatusBadRequest, "validation_failed"},
			"\x00":                                 {http.StatusBadRequest, "validation_failed"},
			"00000000-0000-0000-0000-000000000000": {http.StatusNotFound, "oauth_consent_not_found"},
			c.ID:                                   {http.StatusNotFound, "oauth_consent_not_found"}, // somebody else's
		} {
			b.revoke(u, id).Refused(refusal.status, refusal.code)
		}
	})
}
