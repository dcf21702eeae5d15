package models

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// Place is where a row stands in a list. Lists are ordered by time of creation,
// ids telling equal times apart; an index on both serves either direction.
type Place struct {
	CreatedAt time.Time `json:"created_at" db:"created_at"`
	ID        uuid.UUID `json:"id" db:"id"`
}

// List is a selection of rows that is shown in pages: a [UserQuery] or an
// [AuditQuery].
type List interface {
	// Filtered tells that finding the rows takes a search.
	Filtered() bool

	selection() selection
}

// selection is the SQL of a list: a table with its alias, and a condition.
type selection struct {
	table, alias, where string
	args                []any
}

// Range is a part of a list.
type Range struct {
	// From is the place where it starts; nil is the beginning. The row at that
	// place belongs to it unless After is set.
	From  *Place
	After bool
	// Skip rows are passed over before the first one, and Limit bounds the rest.
	Skip, Limit int64
	// OldestFirst turns the order round.
	OldestFirst bool
	// Rows, unless nil, are the rows themselves; the other bounds do not count.
	Rows []Place
}

// ListKey tells lists apart: those with equal keys hold the same rows.
func ListKey(l List) string {
	s := l.selection()
	return fmt.Sprintf("%s %s %q", s.table, s.where, s.args)
}

// CountUpTo counts the rows of a list, but no more than most.
func CountUpTo(c *storage.Conn, l List, most int64) (n int64, err error) {
	s := l.selection()
	err = s.get(c, &n, `select count(*) from (select from `+s.table+` where `+s.where+` limit `+s.next(1)+`) counted`, most)
	return n, err
}

// EstimateCount is what PostgreSQL's planner expects a count to be. It costs no
// look at the rows.
func EstimateCount(c *storage.Conn, l List) (int64, error) {
	s := l.selection()
	var text string
	if err := s.get(c, &text, `explain (format json) select from `+s.table+` where `+s.where); err != nil {
		return 0, err
	}
	var plans []struct {
		Plan struct {
			Rows float64 `json:"Plan Rows"`
		}
	}
	if err := json.Unmarshal([]byte(text), &plans); err != nil {
		return 0, fmt.Errorf("read plan: %w", err)
	}
	if len(plans) != 1 {
		return 0, fmt.Errorf("read plan: %d plans", len(plans))
	}
	return int64(plans[0].Plan.Rows), nil
}

// CountFrom counts the rows from a place on, towards the newest.
func CountFrom(c *storage.Conn, l List, from Place) (n int64, err error) {
	s := l.selection()
	err = s.get(c, &n, `select count(*) from `+s.table+` where `+s.where+` and `+s.follows(">="), from.CreatedAt, from.ID)
	return n, err
}

// Milestones returns the place of every nth row, the oldest row first. There
// are none if a row has no place, which happens with neither server's rows: a
// row without created_at.
func Milestones(c *storage.Conn, l List, every int64) ([]Place, error) {
	s := l.selection()
	var unplaced bool
	if err := s.get(c, &unplaced, `select exists (select from `+s.table+` where `+s.where+` and `+
		s.alias+`.created_at is null)`); err != nil || unplaced {
		return nil, err
	}
	places := []Place{}
	err := s.query(c, &places, `select created_at, id from (
		select `+s.alias+`.created_at, `+s.alias+`.id, row_number() over (order by `+s.order("asc")+`) - 1 as rank
		from `+s.table+` where `+s.where+`) ranked where rank % `+s.next(1)+` = 0 order by created_at, id`, every)
	return places, err
}

// Search returns the places of the rows of a list in no order, but no more than
// most. It is planned as if there were no such bound: the planner takes a search
// that finds little for one that finds much, and would then expect to meet
// enough rows soon by reading the table. A row without created_at comes last, as
// it does in PostgreSQL's order.
func Search(c *storage.Conn, l List, most int64) ([]Place, error) {
	s := l.selection()
	places := []Place{}
	err := s.query(c, &places, `with hits as materialized (
			select coalesce(`+s.alias+`.created_at, '9999-01-01') as created_at, `+s.alias+`.id from `+s.table+` where `+s.where+`)
		select created_at, id from hits limit `+s.next(1), most)
	return places, err
}

// page returns columns of the rows in a range. The rows that are passed over
// are read from an index, where there is one, and only those that are shown
// from the table.
func (s selection) page(c *storage.Conn, dest any, columns string, r Range) error {
	where, direction, args := s.where, "desc", []any{}
	if r.OldestFirst {
		direction = "asc"
	}
	if r.Rows != nil {
		ids := make([]string, len(r.Rows))
		for i, row := range r.Rows {
			ids[i] = row.ID.String()
		}
		return c.Select(dest, `select `+columns+` from `+s.table+` where `+s.alias+`.id = any($1::uuid[])
			order by `+s.order(direction), ids)
	}
	if r.From != nil {
		where += " and " + s.follows(r.comparison())
		args = append(args, r.From.CreatedAt, r.From.ID)
	}
	n := len(args)
	return s.query(c, dest, `select `+columns+` from (
		select `+s.alias+`.id as shown from `+s.table+` where `+where+`
		order by `+s.order(direction)+` limit `+s.next(n+1)+` offset `+s.next(n+2)+`) page
		join `+s.table+` on `+s.alias+`.id = page.shown order by `+s.order(direction), append(args, r.Limit, r.Skip)...)
}

// comparison relates a row of the range with the place where it starts.
func (r Range) comparison() string {
	operator := "<"
	if r.OldestFirst {
		operator = ">"
	}
	if !r.After {
		operator += "="
	}
	return operator
}

// follows compares a row's place with the next two parameters.
func (s selection) follows(operator string) string {
	return `(` + s.alias + `.created_at, ` + s.alias + `.id) ` + operator +
		` (` + s.next(1) + `::timestamptz, ` + s.next(2) + `::uuid)`
}

func (s selection) order(direction string) string {
	return strings.Join([]string{s.alias, `.created_at `, direction, `, `, s.alias, `.id `, direction}, "")
}

// next is the nth parameter behind those of the condition.
func (s selection) next(n int) string { return "$" + strconv.Itoa(len(s.args)+n) }

// get and query let PostgreSQL plan for the very arguments, because a filter
// that finds everything and one that finds nobody need different plans.
func (s selection) get(c *storage.Conn, dest any, query string, args ...any) error {
	return c.Get(dest, query, s.planned(args)...)
}

func (s selection) query(c *storage.Conn, dest any, query string, args ...any) error {
	return c.Select(dest, query, s.planned(args)...)
}

func (s selection) planned(args []any) []any {
	all := append([]any{storage.PlanAnew}, s.args...)
	return append(all, args...)
}
