package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// barePool is as large as the server's, and keeps prepared statements as pgx
// does by default.
func barePool(ctx context.Context, p *project) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(p.databaseURL)
	if err != nil {
		return nil, fmt.Errorf("pool: %w", err)
	}
	config.MaxConns = int32(p.pool) //nolint:gosec // a number of connections
	config.MinConns = config.MaxConns
	config.ConnConfig.RuntimeParams["search_path"] = "auth"
	return pgxpool.NewWithConfig(ctx, config)
}

// send runs statements one after the other, as a request does, and reads their
// results without looking at them.
func (w *world) send(ctx context.Context, list []template, v *values) error {
	for _, s := range list {
		if _, err := w.pool.Exec(ctx, s.sql, s.fill(v)...); err != nil {
			return fmt.Errorf("bare SQL: %w", err)
		}
	}
	return nil
}

func (w *world) bareRefresh(n int) operation {
	var v values
	return func(ctx context.Context) error {
		u := w.next(&n)
		w.own(&v, u)
		v.number, v.texts[slotKey] = u.generation, u.hmacKey
		v.setID(slotRow, newID())
		u.generation++
		return w.send(ctx, w.recorded.refresh, &v)
	}
}

func (w *world) bareUser(n int) operation {
	var v values
	return func(ctx context.Context) error {
		w.own(&v, w.next(&n))
		return w.send(ctx, w.recorded.user, &v)
	}
}

func (w *world) bareUserInfo(n int) operation {
	var v values
	return func(ctx context.Context) error {
		u := w.next(&n)
		w.own(&v, u)
		v.setID(slotSession, u.clientSession)
		return w.send(ctx, w.recorded.user, &v)
	}
}

func (w *world) bareToken(int) operation {
	var v values
	return func(ctx context.Context) error {
		code, err := w.codes.take()
		if err != nil {
			return err
		}
		w.own(&v, code.user)
		v.texts[slotDigest] = code.digest
		w.redemption(&v)
		return w.send(ctx, w.recorded.token, &v)
	}
}

// bareFlow is the whole way from the authorization request to the tokens.
func (w *world) bareFlow(n int) operation {
	var v values
	return func(ctx context.Context) error {
		w.own(&v, w.next(&n))
		v.setID(slotRequest, newID())
		v.texts[slotHandle] = v.texts[slotRequest]
		code := newCode(nil)
		v.texts[slotDigest] = code.digest
		v.setID(slotRow, newID())
		if err := w.send(ctx, w.recorded.approval, &v); err != nil {
			return err
		}
		w.redemption(&v)
		return w.send(ctx, w.recorded.token, &v)
	}
}

// own sets the values of a user and its session.
func (w *world) own(v *values, u *user) {
	v.setID(slotUser, u.id)
	v.setID(slotSession, u.session)
	v.setID(slotClient, w.client)
	v.now = w.now()
}

// redemption sets the ids of the rows that a redeemed code brings.
func (w *world) redemption(v *values) {
	v.setID(slotSession, newID())
	v.setID(slotRow, newID())
	v.texts[slotKey] = hmacKeyForm
}

// hmacKeyForm has the length of a session's key.
const hmacKeyForm = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
