package models

import (
	"strconv"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// UserQuery says which users a list holds, soft-deleted ones included, and in
// which order: by time of creation, ids telling equal times apart. An index on
// users (created_at desc) serves both directions.
type UserQuery struct {
	Aud string
	// Filter is part of an e-mail address as it is stored, or of a full name in
	// any case; the wildcards of LIKE keep their meaning. ” means everybody.
	Filter string
	// OldestFirst turns the order round.
	OldestFirst bool
}

// UserPlace is the place of a user in the order of a list.
type UserPlace struct {
	CreatedAt time.Time `json:"created_at"`
	ID        uuid.UUID `json:"id"`
}

// UserPage returns up to limit users behind the first offset ones, without
// identities and factors, and the number of all users that the query selects.
func UserPage(c *storage.Conn, q UserQuery, limit, offset int64) (users []User, total int64, err error) {
	where, args := q.condition()
	if err := c.Get(&total, `select count(*) from users u where `+where, args...); err != nil {
		return nil, 0, err
	}
	users, err = q.list(c, where, args, limit, offset)
	return users, total, err
}

// UsersAfter returns up to limit users that follow a place, or the first ones
// when there is none, without identities and factors. A row without created_at,
// which neither server writes, has no place and is left out.
func UsersAfter(c *storage.Conn, q UserQuery, after *UserPlace, limit int64) ([]User, error) {
	where, args := q.condition()
	if after == nil {
		return q.list(c, where+` and u.created_at is not null`, args, limit, 0)
	}
	follows := " < "
	if q.OldestFirst {
		follows = " > "
	}
	where += ` and (u.created_at, u.id)` + follows + `(` + placeholder(len(args)+1) + `::timestamptz, ` + placeholder(len(args)+2) + `::uuid)`
	return q.list(c, where, append(args, after.CreatedAt, after.ID), limit, 0)
}

// condition is the WHERE clause of the query with its arguments.
func (q UserQuery) condition() (where string, args []any) {
	where, args = `u.instance_id = '`+instanceID+`' and u.aud = $1`, []any{q.Aud}
	if q.Filter != "" {
		where += ` and (u.email like $2 or u.raw_user_meta_data->>'full_name' ilike $2)`
		args = append(args, "%"+q.Filter+"%")
	}
	return where, args
}

func (q UserQuery) list(c *storage.Conn, where string, args []any, limit, offset int64) ([]User, error) {
	order := ` order by u.created_at desc, u.id desc`
	if q.OldestFirst {
		order = ` order by u.created_at asc, u.id asc`
	}
	users := []User{}
	err := c.Select(&users, `select `+userColumns+` from users u where `+where+order+
		` limit `+placeholder(len(args)+1)+` offset `+placeholder(len(args)+2), append(args, limit, offset)...)
	return users, err
}

// placeholder is the nth parameter of a statement, counted from 1.
func placeholder(n int) string { return "$" + strconv.Itoa(n) }
