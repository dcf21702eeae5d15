package main

import (
	"context"
	"errors"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// statement is one that package models sent, with its arguments as they
// reached the driver.
type statement struct {
	sql  string
	args []any
}

// statements are those of the hot requests.
type statements struct {
	refresh  []template
	user     []template
	token    []template
	approval []template // from the authorization request to the approval
	login    []template
	signup   []template
	verify   []template
}

// recorder is a tracer that keeps what it sees.
type recorder struct {
	mu   sync.Mutex
	seen []statement
}

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	args := data.Args
	if len(args) > 0 {
		// database/sql's driver says first in which formats it wants results.
		if _, formats := args[0].(pgx.QueryResultFormatsByOID); formats {
			args = args[1:]
		}
	}
	r.seen = append(r.seen, statement{data.SQL, args})
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (*recorder) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take returns what was seen since the last call.
func (r *recorder) take() []statement {
	r.mu.Lock()
	defer r.mu.Unlock()
	taken := r.seen
	r.seen = nil
	return taken
}

// recording calls package models as the requests do. The arguments are markers
// that match no row, so that nothing changes.
type recording struct {
	conn     *storage.Conn
	tracer   *recorder
	markers  markers
	problems []error
}

// record returns the statements of the hot requests.
func record(ctx context.Context, p *project) (statements, error) {
	tracer := new(recorder)
	db, err := storage.Open(p.config().DB, storage.Options{Tracer: tracer})
	if err != nil {
		return statements{}, err
	}
	r := &recording{conn: db.Conn(ctx), tracer: tracer, markers: newMarkers()}
	all := statements{refresh: r.refresh(), user: r.user(), token: r.token(), approval: r.approval()}
	all.login, all.verify, all.signup = r.login(), r.verify(), r.signup(ctx, db)
	return all, errors.Join(append(r.problems, db.Close())...)
}

// sent returns the statements that the last call sent.
func (r *recording) sent(err error) []template {
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		r.problems = append(r.problems, err)
	}
	var compiled []template
	for _, s := range r.tracer.take() {
		if s.sql == "begin" || s.sql == "rollback" {
			continue // of the recording, not of the request
		}
		compiled = append(compiled, r.markers.compile(s))
	}
	return compiled
}

// refresh: POST /token?grant_type=refresh_token.
func (r *recording) refresh() []template {
	m := r.markers
	_, err := models.FindAccountBySession(r.conn, m.id(slotSession))
	found := r.sent(err)
	_, err = models.AdvanceCounter(r.conn, models.Refreshed{
		SessionID: m.id(slotSession), UserAgent: userAgent, IP: clientIP,
	}, m.number, m.number+1, m.text(slotKey), m.trail(), m.now)
	return append(found, r.sent(err)...)
}

// user: GET /user and GET /oauth/userinfo.
func (r *recording) user() []template {
	_, err := models.FindAccount(r.conn, r.markers.id(slotUser), r.markers.id(slotSession))
	return r.sent(err)
}

// token: POST /oauth/token with a code.
func (r *recording) token() []template {
	m := r.markers
	_, err := models.FindCodeExchange(r.conn, m.id(slotClient), m.text(slotDigest))
	sent := r.sent(err)
	_, err = models.FindUser(r.conn, m.id(slotUser))
	sent = append(sent, r.sent(err)...)
	_, err = models.RedeemCode(r.conn, m.request(), m.text(slotDigest), m.newSession(), m.trail(), m.now)
	return append(sent, r.sent(err)...)
}

// approval: GET /oauth/authorize, GET /oauth/authorizations/{id} and
// POST /oauth/authorizations/{id}/consent, where the user has consented before.
func (r *recording) approval() []template {
	m := r.markers
	_, err := models.FindOAuthClient(r.conn, m.id(slotClient))
	sent := r.sent(err)
	_ = models.InsertOAuthAuthorization(r.conn, m.request()) // refused: there is no such client
	sent = append(sent, r.sent(nil)...)
	for range 2 { // to show the request, and to approve it
		sent = append(sent, r.user()...)
		_, err = models.FindOpenAuthorization(r.conn, m.text(slotHandle), m.id(slotUser))
		sent = append(sent, r.sent(err)...)
	}
	_, err = models.ApproveAuthorization(r.conn, models.Approval{
		AuthorizationID: m.id(slotRequest), UserID: m.id(slotUser), ClientID: m.id(slotClient),
		CodeDigest: m.text(slotDigest), CodeExpiresAt: m.now, ConsentID: m.id(slotRow),
	}, nil, m.now)
	return append(sent, r.sent(err)...)
}
