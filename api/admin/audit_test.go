package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apierror"
)

// entry adds an audit entry of a day; number n is its id.
func (a *app) entry(n int, day, payload string) {
	a.t.Helper()
	a.exec(`insert into audit_log_entries (instance_id, id, payload, created_at, ip_address)
		values ('00000000-0000-0000-0000-000000000000', $1::text::uuid, $2, $3::text::timestamptz, '')`,
		entryID(n), payload, day+" 00:00+00")
}

func entryID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func entryIDs(numbers ...int) []string {
	ids := []string{}
	for _, n := range numbers {
		ids = append(ids, entryID(n))
	}
	return ids
}

func (a *app) audit(query string) answer {
	a.t.Helper()
	return a.call(http.MethodGet, "/admin/audit"+query, "")
}

// listed demands a list and returns the ids in it.
func (an answer) listed() []string {
	an.t.Helper()
	require.Equal(an.t, http.StatusOK, an.status, string(an.body))
	var items []struct{ ID string }
	require.NoError(an.t, json.Unmarshal(an.body, &items), string(an.body))
	ids := []string{}
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	return ids
}

func TestAuditEntries(t *testing.T) {
	t.Parallel()
	a := setup(t)
	empty := a.audit("")
	require.JSONEq(t, `[]`, string(empty.body))
	require.Equal(t, "0", empty.header.Get("X-Total-Count"))
	require.Equal(t, `</admin/audit?page=0>; rel="last"`, empty.header.Get("Link"))

	id := a.user(`{"email":"a@example.com"}`)
	a.exec(`update audit_log_entries set id = $1::text::uuid, created_at = '2026-01-02 03:04:05.678+02', ip_address = '192.0.2.1'`, entryID(1))
	require.JSONEq(t, `[{"id":"`+entryID(1)+`","created_at":"2026-01-02T01:04:05.678Z","ip_address":"192.0.2.1",
		"payload":{"action":"user_signedup","actor_id":"00000000-0000-0000-0000-000000000000","actor_username":"service_role",
		"actor_via_sso":false,"log_type":"team","traits":{"provider":"email","user_email":"a@example.com","user_id":"`+id+`",
		"user_phone":""}}}]`, string(a.audit("").body))
}

// Rows that the table permits and no server writes are shown as well.
func TestAuditOddEntries(t *testing.T) {
	t.Parallel()
	a := setup(t)
	a.exec(`insert into audit_log_entries (instance_id, id) values ('00000000-0000-0000-0000-000000000000', $1::text::uuid)`, entryID(1))
	a.entry(2, "2026-01-01", `[1, "action"]`)
	a.exec(`insert into audit_log_entries (instance_id, id) values (gen_random_uuid(), $1::text::uuid)`, entryID(3))
	require.JSONEq(t, `[
		{"id":"`+entryID(1)+`","payload":null,"created_at":"1970-01-01T00:00:00Z","ip_address":""},
		{"id":"`+entryID(2)+`","payload":[1,"action"],"created_at":"2026-01-01T00:00:00Z","ip_address":""}]`,
		string(a.audit("").body))
	require.Empty(t, a.audit("?query=action:a").listed())
}

func TestAuditPages(t *testing.T) {
	t.Parallel()
	a := setup(t)
	for n, day := range []string{"2026-01-03", "2026-01-01", "2026-01-02", "2026-01-02", "2026-01-04"} {
		a.entry(n+1, day, `{}`)
	}
	order := entryIDs(5, 1, 4, 3, 2)
	const last = `</admin/audit?page=3&per_page=2>; rel="last"`
	tests := map[string]struct {
		ids  []string
		link string
	}{
		"":                                      {order, `</admin/audit?page=1>; rel="last"`},
		"?page=&per_page=":                      {order, `</admin/audit?page=1&per_page=>; rel="last"`},
		"?query=":                               {order, `</admin/audit?page=1&query=>; rel="last"`},
		"?per_page=2":                           {order[:2], `</admin/audit?page=2&per_page=2>; rel="next", ` + last},
		"?page=0&per_page=2":                    {order[:2], `</admin/audit?page=2&per_page=2>; rel="next", ` + last},
		"?per_page=2&page=2":                    {order[2:4], `</admin/audit?page=3&per_page=2>; rel="next", ` + last},
		"?page=3&per_page=2":                    {order[4:], last},
		"?page=9&per_page=2":                    {[]string{}, last},
		"?page=18446744073709551615&per_page=2": {[]string{}, last},
	}
	for query, test := range tests {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			an := a.audit(query)
			require.Equal(t, test.ids, an.listed())
			require.Equal(t, test.link, an.header.Get("Link"))
			require.Equal(t, "5", an.header.Get("X-Total-Count"))
		})
	}
}

func TestAuditSearch(t *testing.T) {
	t.Parallel()
	a := setup(t)
	a.entry(1, "2026-01-05", `{"action":"login","log_type":"account","actor_username":"ada@example.com","actor_name":"Augusta King"}`)
	a.entry(2, "2026-01-04", `{"action":"logout","log_type":"account","actor_username":"447700900123"}`)
	a.entry(3, "2026-01-03", `{"action":"token_refreshed","log_type":"token","actor_username":"bob@example.com"}`)
	a.entry(4, "2026-01-02", `{"action":"user_modified","log_type":"user","actor_username":"service_role","traits":{"action":"login"}}`)
	for query, found := range map[string][]int{
		"action:login":       {1},
		"action:LOG":         {1, 2},
		"action:token_":      {3},
		"action:":            {1, 2, 3, 4},
		"action:login:x":     {},
		"action:'":           {},
		`action:\`:           {},
		"type:account":       {1, 2},
		"type:user":          {4},
		"author:ADA@":        {1},
		"author:gusta k":     {1},
		"author:%@example._": {1, 3},
		"author:example.com": {1, 3},
		"author:4477":        {2},
		"author:login":       {},
	} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			an := a.audit("?per_page=1&query=" + url.QueryEscape(query))
			require.Equal(t, fmt.Sprint(len(found)), an.header.Get("X-Total-Count"))
			require.Equal(t, entryIDs(found[:min(1, len(found))]...), an.listed())
			require.Contains(t, an.header.Get("Link"), "&query="+url.QueryEscape(query)+`>; rel="last"`)
		})
	}
}

func TestAuditRefuses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	for query, message := range map[string]string{
		"query=bogus:x":      "Invalid query scope: bogus:x",
		"query=type":         "Invalid query scope: type",
		"query=:login":       "Invalid query scope: :login",
		"query=Action:login": "Invalid query scope: Action:login",
		"query=action:%00":   "invalid text",
		"page=x":             `Bad Pagination Parameters: strconv.ParseUint: parsing "x": invalid syntax`,
		"per_page=-1":        `Bad Pagination Parameters: strconv.ParseUint: parsing "-1": invalid syntax`,
		"per_page=0":         `Bad Pagination Parameters: per_page must be greater than 0`,
	} {
		a.audit("?"+query).refused(http.StatusBadRequest, apierror.ValidationFailed, message)
	}
}
