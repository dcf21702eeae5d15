package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/listing"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// perPage is the size of the pages that are measured.
const perPage = 50

// pageFlow is a page of GET /admin/users.
type pageFlow struct {
	name, target string
	token        string
	statements   []template
}

// recordPages returns the pages with the statements that the server sends for
// them once it knows the list. They have no markers: every caller reads the same.
func (w *world) recordPages(ctx context.Context, p *project) ([]pageFlow, error) {
	tracer := new(recorder)
	db, err := storage.Open(p.config().DB, storage.Options{Tracer: tracer})
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // everything has been read
	quiet := logrus.New()
	quiet.SetOutput(io.Discard)
	lists := listing.New(db, quiet, w.now)
	defer lists.Close()
	token, err := p.serviceToken()
	if err != nil {
		return nil, err
	}
	deep := (w.members+len(w.users))/2/perPage + 1
	one := fmt.Sprintf("member-%d", max(w.members/2, 1))
	pages := []pageFlow{
		{name: "users-first-page", target: "/admin/users?per_page=50"},
		{name: "users-deep-page", target: fmt.Sprintf("/admin/users?page=%d&per_page=50", deep)},
		{name: "users-filter", target: "/admin/users?filter=" + one},
	}
	queries := []models.UserQuery{{Aud: audience}, {Aud: audience}, {Aud: audience, Filter: one}}
	skips := []int64{0, int64(deep-1) * perPage, 0}
	for i, query := range queries {
		read := func() error {
			r, _, err := lists.Find(ctx, query, models.Range{Skip: skips[i], Limit: perPage + 1})
			if err != nil {
				return err
			}
			_, err = models.UserPage(db.Conn(ctx), query, r)
			return err
		}
		if err := read(); err != nil {
			return nil, err
		}
		lists.Wait()
		tracer.take()
		if err := read(); err != nil {
			return nil, err
		}
		lists.Wait()
		pages[i].token = token
		for _, s := range tracer.take() {
			pages[i].statements = append(pages[i].statements, unmarked(s))
		}
	}
	return pages, nil
}

// unmarked is a statement whose arguments are the same each time.
func unmarked(s statement) template {
	t := template{sql: s.sql}
	for _, arg := range s.args {
		t.args = append(t.args, func(*values) any { return arg })
	}
	return t
}

func (f pageFlow) http(conn *wire, _ int) operation {
	return func(context.Context) error {
		conn.request(http.MethodGet, f.target, f.token, "")
		return conn.do("", http.StatusOK)
	}
}

func (w *world) barePage(f pageFlow) func(int) operation {
	return func(int) operation {
		v := values{now: time.Time{}}
		return func(ctx context.Context) error { return w.send(ctx, f.statements, &v) }
	}
}
