package models

import (
	"unicode"

	"github.com/truegrant/truegrant/storage"
)

// UserQuery says which users a list holds, soft-deleted ones included.
type UserQuery struct {
	Aud string
	// Filter is part of an e-mail address as it is stored, or of a full name in
	// any case; the wildcards of LIKE keep their meaning. Empty means everybody.
	Filter string
}

// UserPage returns the users in a range, without identities and factors.
func UserPage(c *storage.Conn, q UserQuery, r Range) ([]User, error) {
	users := []User{}
	err := q.selection().page(c, &users, userColumns, r)
	return users, err
}

// UsersAfter returns the users in a range of those who have a place. A row
// without created_at, which neither server writes, has none.
func UsersAfter(c *storage.Conn, q UserQuery, r Range) ([]User, error) {
	s := q.selection()
	s.where += ` and u.created_at is not null`
	users := []User{}
	err := s.page(c, &users, userColumns, r)
	return users, err
}

// Filtered implements [List].
func (q UserQuery) Filtered() bool { return q.Filter != "" }

func (q UserQuery) selection() selection {
	s := selection{table: "users u", alias: "u", where: `u.instance_id = '` + instanceID + `' and u.aud = $1`, args: []any{q.Aud}}
	if q.Filter == "" {
		return s
	}
	s.args = append(s.args, "%"+q.Filter+"%")
	if hasTrigram(q.Filter) {
		s.where += ` and (u.email like $2 or u.raw_user_meta_data->>'full_name' ilike $2)`
	} else {
		// An index of trigrams would be read from end to end. The planner does
		// not see that, so it must not find one.
		s.where += ` and (u.email || '' like $2 or (u.raw_user_meta_data->>'full_name') || '' ilike $2)`
	}
	return s
}

// hasTrigram reports whether a pattern of LIKE has three letters or digits side
// by side, which an index of trigrams can look up.
func hasTrigram(pattern string) bool {
	run := 0
	for _, char := range pattern {
		if !unicode.IsLetter(char) && !unicode.IsDigit(char) {
			run = 0
			continue
		}
		if run++; run == 3 {
			return true
		}
	}
	return false
}
