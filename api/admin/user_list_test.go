package admin_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/conf"
)

// withUsers adds users u1 to un; two of them were created at the same time.
func (a *app) withUsers(n int) {
	a.t.Helper()
	for i := range n {
		id := a.user(fmt.Sprintf(`{"email":"u%d@example.com"}`, i+1))
		a.exec(`update users set created_at = '2020-01-01'::timestamptz + ($2::int / 2) * interval '1 day' where id = $1`, id, i)
	}
}

func emails(body map[string]any) []string {
	list := []string{}
	for _, user := range body["users"].([]any) {
		list = append(list, user.(map[string]any)["email"].(string))
	}
	return list
}

func (a *app) list(query string) answer {
	a.t.Helper()
	return a.call(http.MethodGet, "/admin/users"+query, "")
}

func TestListUsers(t *testing.T) {
	t.Parallel()
	a := setup(t)
	empty := a.list("")
	require.Equal(t, map[string]any{"users": []any{}, "aud": "authenticated"}, empty.ok())
	require.Equal(t, "0", empty.header.Get("X-Total-Count"))
	require.Equal(t, `</admin/users?page=0>; rel="last"`, empty.header.Get("Link"))

	a.withUsers(5)
	a.user(`{"email":"other@example.com","aud":"elsewhere"}`)
	var order []string
	require.NoError(t, a.db.Conn(t.Context()).Select(&order,
		`select email from users where aud = 'authenticated' order by created_at desc, id desc`))
	const last = `</admin/users?page=3&per_page=2>; rel="last"`
	tests := map[string]struct {
		users []string
		link  string
	}{
		"":                   {order, `</admin/users?page=1>; rel="last"`},
		"?page=&per_page=":   {order, `</admin/users?page=1&per_page=>; rel="last"`},
		"?per_page=2":        {order[:2], `</admin/users?page=2&per_page=2>; rel="next", ` + last},
		"?page=0&per_page=2": {order[:2], `</admin/users?page=2&per_page=2>; rel="next", ` + last},
		"?per_page=2&page=2": {order[2:4], `</admin/users?page=3&per_page=2>; rel="next", ` + last},
		"?page=3&per_page=2": {order[4:], last},
		"?page=9&per_page=2": {[]string{}, last},
		"?sort=":             {order, `</admin/users?page=1&sort=>; rel="last"`},
		"?sort=created_at":   {order, `</admin/users?page=1&sort=created_at>; rel="last"`},
	}
	for query, test := range tests {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			an := a.list(query)
			require.Equal(t, test.users, emails(an.ok()))
			require.Equal(t, test.link, an.header.Get("Link"))
			require.Equal(t, "5", an.header.Get("X-Total-Count"))
		})
	}

	t.Run("oldest first", func(t *testing.T) {
		t.Parallel()
		an := a.list("?sort=created_at+asc&sort=created_at+desc&per_page=1&page=2")
		require.Equal(t, []string{order[3]}, emails(an.ok()))
	})
	t.Run("huge numbers", func(t *testing.T) {
		t.Parallel()
		const most = "18446744073709551615"
		require.Len(t, emails(a.list("?per_page="+most).ok()), 5)
		require.Empty(t, emails(a.list("?page="+most+"&per_page="+most).ok()))
		require.Empty(t, emails(a.list("?page="+most).ok()))
	})
	t.Run("audience", func(t *testing.T) {
		t.Parallel()
		an := a.send(http.MethodGet, "/admin/users", "", "Authorization", "Bearer "+serviceToken, "X-JWT-AUD", "elsewhere")
		require.Equal(t, []string{"other@example.com"}, emails(an.ok()))
		require.Equal(t, "elsewhere", an.json()["aud"])
	})
	t.Run("identities", func(t *testing.T) {
		t.Parallel()
		user := a.list("").ok()["users"].([]any)[0].(map[string]any)
		require.Contains(t, user, "identities")
		require.Nil(t, user["identities"])
		require.NotContains(t, user, "factors")
	})
}

func TestListUsersFilter(t *testing.T) {
	t.Parallel()
	a := setup(t)
	a.user(`{"email":"ada@example.com","user_metadata":{"full_name":"Augusta King"}}`)
	a.user(`{"phone":"447700900123","user_metadata":{"full_name":"Grace"}}`)
	soft := a.user(`{"email":"bob@example.com"}`)
	a.call(http.MethodDelete, "/admin/users/"+soft, `{"should_soft_delete":true}`).ok()
	require.Len(t, emails(a.list("").ok()), 3, "soft-deleted users are listed")
	for filter, found := range map[string]int{
		"ada@": 1, "ADA": 0, "ad": 1, "AD": 0, "GR": 1, "gu": 1, "gusta k": 1, "grace": 1, "nobody": 0, "": 3, "'": 0, `\`: 0, "bob": 0,
	} {
		an := a.list("?filter=" + url.QueryEscape(filter))
		require.Len(t, emails(an.ok()), found, filter)
		require.Equal(t, fmt.Sprint(found), an.header.Get("X-Total-Count"))
	}
	a.list("?filter=%00").refused(http.StatusBadRequest, apierror.ValidationFailed, "invalid text")
}

func TestListUsersRefuses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	for query, message := range map[string]string{
		"page=x":                        `Bad Pagination Parameters: strconv.ParseUint: parsing "x": invalid syntax`,
		"per_page=-1":                   `Bad Pagination Parameters: strconv.ParseUint: parsing "-1": invalid syntax`,
		"page=-1":                       `Bad Pagination Parameters: strconv.ParseUint: parsing "-1": invalid syntax`,
		"page=99999999999999999999":     `Bad Pagination Parameters: strconv.ParseUint: parsing "99999999999999999999": value out of range`,
		"per_page=0":                    `Bad Pagination Parameters: per_page must be greater than 0`,
		"sort=email":                    `Bad Sort Parameters: bad field for sort 'email'`,
		"sort=created_at+sideways":      `Bad Sort Parameters: bad direction for sort 'sideways', only 'asc' and 'desc' allowed`,
		"sort=created_at&sort=id+desc":  `Bad Sort Parameters: bad field for sort 'id'`,
		"sort=created_at+asc%2C+id+asc": `Bad Sort Parameters: bad direction for sort 'asc, id asc', only 'asc' and 'desc' allowed`,
	} {
		a.list("?"+query).refused(http.StatusBadRequest, apierror.ValidationFailed, message)
	}
}

func TestListUsersByCursor(t *testing.T) {
	t.Parallel()
	a := setup(t, func(c *conf.Config) { c.Experimental.CursorPaginationEnabled = true })
	a.withUsers(5)
	for sort, direction := range map[string]string{"": "desc", "&sort=created_at+asc": "asc"} {
		var order, seen []string
		require.NoError(t, a.db.Conn(t.Context()).Select(&order,
			`select email from users order by created_at `+direction+`, id `+direction))
		query := "?limit=2" + sort
		for range 3 {
			an := a.list(query)
			body := an.ok()
			seen = append(seen, emails(body)...)
			require.Empty(t, an.header.Get("X-Total-Count"))
			next := body["pagination"].(map[string]any)
			if next["has_more"] == false {
				require.NotContains(t, next, "next_cursor")
				require.Empty(t, an.header.Get("Link"))
				break
			}
			cursor := next["next_cursor"].(string)
			require.Equal(t, `</admin/users?cursor=`+cursor+`&limit=2`+sort+`>; rel="next"`, an.header.Get("Link"))
			query = "?limit=2" + sort + "&cursor=" + cursor
		}
		require.Equal(t, order, seen)
	}
	require.Len(t, emails(a.list("?limit=5000").ok()), 5)
	require.NotContains(t, a.list("?per_page=1").ok(), "pagination", "a page that is asked for by number")

	for query, message := range map[string]string{
		"limit=0":        "Bad Pagination Parameters: limit must be greater than 0",
		"limit=x":        `Bad Pagination Parameters: strconv.ParseUint: parsing "x": invalid syntax`,
		"cursor=garbage": `Bad Pagination Parameters: invalid cursor: invalid character '\u0081' looking for beginning of value`,
		"cursor=e30":     "Bad Pagination Parameters: invalid cursor: created_at and id are required",
	} {
		a.list("?"+query).refused(http.StatusBadRequest, apierror.ValidationFailed, message)
	}
}
