package oauthserver_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
)

// later lets a second pass on the database's clock since codes were redeemed.
func (b *bundle) later() {
	b.t.Helper()
	b.Exec(`update oauth_redeemed_codes set redeemed_at = redeemed_at - interval '1 second'`)
}

// RFC 6749 §4.1.2, RFC 9700 §4.2: somebody else may hold a code that comes
// twice, so what it brought ends.
func TestReplayedCodeEndsTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	for name, c := range map[string]*apitest.Client{"confidential": b.Client(t), "public": b.public(native)} {
		b.run(name, func(b *bundle) {
			elsewhere := b.grant(c, u) // another grant of the same client and user
			code := b.code(c, u)
			tokens := new(apitest.Tokens)
			b.exchange(c, code).Into(tokens)
			b.alive(c, tokens)
			b.later()
			answer := b.exchange(c, code)
			answer.RefusedOAuth(http.StatusBadRequest, "invalid_grant")
			require.Empty(b.t, answer.Header.Get("Sb-Auth-Session-Id"))
			b.ended(c, tokens)
			b.alive(c, elsewhere)
			b.userInfo(u.AccessToken).OK()
			b.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
		})
	}
}

// A replay needs no proof of the code's holder to be one: the verifier may be
// just what the thief lacks.
func TestReplayWithoutProofEndsTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	tokens := new(apitest.Tokens)
	b.exchange(c, code).Into(tokens)
	b.later()
	b.exchange(c, code, "code_verifier", longText(43)).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	b.ended(c, tokens)
}

// Only a request that has authenticated as the code's client is a replay, or
// anybody who sees a code in a log could end the session.
func TestReplayByOthersEndsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, other, u := b.Client(t), b.Client(t), b.User(t)
	code := b.code(c, u)
	tokens := new(apitest.Tokens)
	b.exchange(c, code).Into(tokens)
	b.later()
	b.writesNothing(func() {
		b.exchange(other, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
		b.exchange(b.asPublic(c), code).RefusedOAuth(http.StatusUnauthorized, "invalid_client")
		b.exchange(&apitest.Client{ID: c.ID, Secret: other.Secret, RedirectURI: c.RedirectURI}, code).
			RefusedOAuth(http.StatusUnauthorized, "invalid_client")
	})
	b.alive(c, tokens)
}

// asPublic is a client that does not authenticate.
func (b *bundle) asPublic(c *apitest.Client) *apitest.Client {
	return &apitest.Client{ID: c.ID, RedirectURI: c.RedirectURI}
}

// A code is recognised as spent until it would have expired; the janitor then
// forgets it, and nothing can be redeemed all the same.
func TestReplayAfterTheJanitor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	b.exchange(c, code).OK()
	_, err := b.Server.Janitor.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, b.Count(`select count(*) from oauth_redeemed_codes`))
	b.Clock.Advance(time.Hour)
	_, err = b.Server.Janitor.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, b.Count(`select count(*) from oauth_redeemed_codes`))
	b.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	require.Equal(t, 1, b.Count(`select count(*) from sessions where oauth_client_id is not null`))
}

// ADR 0004: a request is a replay if it arrived after the code was redeemed.
// How long it has waited is all that the database needs to know.
func TestReplayIsJudgedByArrival(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	b.exchange(c, code).OK()
	client := uuid.FromStringOrNil(c.ID)
	for _, test := range []struct {
		redeemed, waited time.Duration
		replayed         bool
	}{
		{time.Minute, 0, true}, {time.Minute, 30 * time.Second, true},
		{time.Minute, 90 * time.Second, false}, {30 * time.Second, time.Minute, false}, {-time.Second, 0, false},
	} {
		b.Exec(`update oauth_redeemed_codes set redeemed_at = clock_timestamp() - $1::bigint * interval '1 microsecond'`,
			test.redeemed.Microseconds())
		exchange, err := models.FindCodeExchange(b.Server.DB.Conn(t.Context()), client, secret.Digest(code))
		require.NoError(t, err)
		require.Nil(t, exchange.Authorization)
		require.Equal(t, test.replayed, exchange.Spent.RedeemedBefore(test.waited), "%+v", test)
		require.Equal(t, client, exchange.Spent.ClientID)
	}
}

// A request that arrived before the redemption has only lost a race, whenever
// it comes to read the code: nothing ends.
func TestLostRaceEndsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	arrived, open := make(chan struct{}), make(chan struct{})
	late := make(chan *apitest.Response)
	go func() {
		late <- b.post(codeForm(c, code), apitest.Basic(c.ID, c.Secret), func(r *http.Request) {
			r.Body = &held{r.Body, sync.OnceFunc(func() { close(arrived) }), open}
		})
	}()
	<-arrived
	tokens := new(apitest.Tokens)
	b.exchange(c, code).Into(tokens)
	close(open)
	(<-late).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	b.alive(c, tokens)
	b.later()
	b.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	b.ended(c, tokens)
}

// 32 concurrent redemptions over two servers: one winner, whose tokens work,
// and a later one is a replay.
func TestConcurrentRedemptions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	replica := &bundle{b.Replica(t), t}
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	servers := [2]*bundle{b, replica}
	answers := together(32, func(i int, hold apitest.Option) *apitest.Response {
		return servers[i%2].post(codeForm(c, code), apitest.Basic(c.ID, c.Secret), hold)
	})
	tokens := new(apitest.Tokens)
	won := 0
	for _, answer := range answers {
		if answer.Status == http.StatusOK {
			won++
			answer.Into(tokens)
			continue
		}
		answer.RefusedOAuth(http.StatusBadRequest, "invalid_grant")
		require.Empty(t, answer.Header.Get("Sb-Auth-Session-Id"), "no session to speak of")
	}
	require.Equal(t, 1, won)
	require.Equal(t, 1, b.Count(`select count(*) from sessions where oauth_client_id is not null`))
	require.Equal(t, 1, b.Count(`select count(*) from oauth_redeemed_codes`))
	b.alive(c, tokens)
	b.later()
	replica.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	b.ended(c, tokens)
}
