package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/truegrant/truegrant/secret"
)

// errNoneLeft ends a turn early: all prepared codes are spent.
var errNoneLeft = errors.New("no codes left")

// code is an authorization code that a user has approved.
type code struct {
	user         *user
	text, digest string
}

// codes are prepared before a turn, which measures their redemption only.
type codes struct {
	list []code
	used atomic.Int64
}

func (c *codes) take() (*code, error) {
	n := c.used.Add(1) - 1
	if n >= int64(len(c.list)) {
		return nil, errNoneLeft
	}
	return &c.list[n], nil
}

func newCode(u *user) code {
	text := newID().String()
	return code{user: u, text: text, digest: secret.Digest(text)}
}

// codesPerSecond is more than any machine of today redeems.
const codesPerSecond = 8000

// prepareCodes replaces the codes of the last turn by enough for the next one.
func (w *world) prepareCodes(ctx context.Context, turn time.Duration) error {
	if _, err := w.pool.Exec(ctx, `delete from oauth_authorizations`); err != nil {
		return fmt.Errorf("remove codes: %w", err)
	}
	count := int(turn.Seconds()*codesPerSecond) + 1
	w.codes.list = make([]code, count)
	w.codes.used.Store(0)
	digests, users := make([]string, count), make([][16]byte, count)
	for i := range count {
		c := newCode(w.users[i%len(w.users)])
		w.codes.list[i], digests[i], users[i] = c, c.digest, c.user.id
	}
	_, err := w.pool.Exec(ctx, `insert into oauth_authorizations (id, authorization_id, client_id, user_id,
			redirect_uri, scope, state, code_challenge, code_challenge_method, status, authorization_code,
			approved_at, created_at, expires_at)
		select gen_random_uuid(), gen_random_uuid()::text, $3, user_id, $4, $5, 'state', $6, 's256', 'approved', digest,
			now(), now(), now() + interval '1 hour'
		  from unnest($1::text[], $2::uuid[]) as c(digest, user_id)`,
		digests, users, w.client, redirectURI, scope, w.challenge())
	if err != nil {
		return fmt.Errorf("prepare codes: %w", err)
	}
	_, err = w.pool.Exec(ctx, `vacuum analyze oauth_authorizations`)
	return err
}
