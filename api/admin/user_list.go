package admin

import (
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
)

// userList is a page of users, which show neither identities nor factors.
type userList struct {
	Users      []view.User `json:"users"`
	Aud        string      `json:"aud"`
	Pagination *pagination `json:"pagination,omitempty"`
}

// pagination tells how a list by cursor goes on.
type pagination struct {
	NextCursor string `json:"next_cursor,omitempty"`
	HasMore    bool   `json:"has_more"`
}

// GET /admin/users
func (s *Server) listUsers(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	params := r.URL.Query()
	oldestFirst, err := parseSort(params["sort"])
	if err != nil {
		return badSort(err)
	}
	query := models.UserQuery{Aud: s.audience(r), Filter: params.Get("filter")}
	byCursor := params.Get("page") == "" && params.Get("per_page") == ""
	if byCursor && s.Config.Experimental.CursorPaginationEnabled {
		return s.listByCursor(w, r, query, oldestFirst)
	}
	return s.listByPage(w, r, query, oldestFirst)
}

func (s *Server) listByPage(w http.ResponseWriter, r *http.Request, query models.UserQuery, oldestFirst bool) error {
	at, err := parsePage(r.URL.Query())
	if err != nil {
		return badPagination(err)
	}
	rows, total, err := at.find(r.Context(), s.Lists, query, oldestFirst)
	if err != nil {
		return apierror.Failure("Database error finding users", err)
	}
	users, err := models.UserPage(s.DB.Conn(r.Context()), query, rows)
	if err != nil {
		return apierror.Failure("Database error finding users", err)
	}
	at.head(w, r, at.settle(rows, total, len(users)))
	return web.JSON(w, http.StatusOK, userList{Users: listed(cut(at, users)), Aud: query.Aud})
}

func (s *Server) listByCursor(w http.ResponseWriter, r *http.Request, query models.UserQuery, oldestFirst bool) error {
	params := r.URL.Query()
	limit, err := parseLimit(params.Get("limit"))
	if err != nil {
		return badPagination(err)
	}
	after, err := parseCursor(params.Get("cursor"))
	if err != nil {
		return badPagination(err)
	}
	// One more than asked for tells whether there is another page.
	users, err := models.UsersAfter(s.DB.Conn(r.Context()), query,
		models.Range{From: after, After: true, Limit: int64(limit) + 1, OldestFirst: oldestFirst})
	if err != nil {
		return apierror.Failure("Database error finding users", err)
	}
	body := userList{Aud: query.Aud, Pagination: new(pagination)}
	if len(users) > limit {
		users = users[:limit]
		last := users[limit-1]
		cursor, err := formatCursor(models.Place{CreatedAt: last.CreatedAt.UTC(), ID: last.ID})
		if err != nil {
			return err
		}
		*body.Pagination = pagination{NextCursor: cursor, HasMore: true}
		w.Header().Set("Link", link(r.URL, "cursor", cursor, "next"))
	}
	body.Users = listed(users)
	return web.JSON(w, http.StatusOK, body)
}

// listed shows users without their identities: null, as GoTrue has it.
func listed(users []models.User) []view.User {
	shown := make([]view.User, 0, len(users))
	for i := range users {
		one := view.NewUser(&users[i])
		one.Identities = nil
		shown = append(shown, one)
	}
	return shown
}

func badPagination(err error) error {
	return apierror.Validation("Bad Pagination Parameters: " + err.Error())
}

func badSort(err error) error {
	return apierror.Validation("Bad Sort Parameters: " + err.Error())
}
