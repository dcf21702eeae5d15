package admin_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apierror"
)

// Every route refuses callers without a service-role token and changes nothing.
func TestServiceRoleOnly(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com"}`)
	factor := a.factor(id, "totp", "app", "verified")
	for _, route := range [][2]string{
		{http.MethodGet, "/admin/users"}, {http.MethodPost, "/admin/users"},
		{http.MethodGet, "/admin/users/" + id}, {http.MethodPut, "/admin/users/" + id}, {http.MethodDelete, "/admin/users/" + id},
		{http.MethodGet, "/admin/users/" + id + "/factors"}, {http.MethodPut, "/admin/users/" + id + "/factors/" + factor},
		{http.MethodDelete, "/admin/users/" + id + "/factors/" + factor}, {http.MethodGet, "/admin/audit"},
	} {
		for _, slash := range []string{"", "/"} {
			path, body := route[1]+slash, `{"email":"b@example.com","role":"x"}`
			a.send(route[0], path, body).
				refused(http.StatusUnauthorized, apierror.NoAuthorization, "This endpoint requires a valid Bearer token")
			a.send(route[0], path, body, "Authorization", "Bearer other").
				refused(http.StatusForbidden, apierror.NotAdmin, "User not allowed")
		}
	}
	require.Equal(t, "a@example.com member app", a.value(`select u.email || ' ' || u.role || ' ' || f.friendly_name
		from users u join mfa_factors f on f.user_id = u.id`))
}

func TestStatements(t *testing.T) {
	t.Parallel()
	a := setup(t)
	var id string
	require.EqualValues(t, 2, a.counted(func() { id = a.user(`{"email":"a@example.com"}`) }), "create")
	require.EqualValues(t, 1, a.counted(func() { a.call(http.MethodGet, "/admin/users/"+id, "").ok() }), "get")
	require.EqualValues(t, 2, a.counted(func() { a.list("").ok() }), "list")
	require.EqualValues(t, 3, a.counted(func() { a.put(id, `{"role":"x"}`).ok() }), "update")
	factor := a.factor(id, "totp", "app", "unverified")
	require.EqualValues(t, 1, a.counted(func() { a.factors(id).listed() }), "factors")
	require.EqualValues(t, 2, a.counted(func() { a.onFactor(http.MethodPut, id, factor, `{}`).ok() }), "update factor")
	require.EqualValues(t, 3, a.counted(func() { a.onFactor(http.MethodDelete, id, factor, "").ok() }), "delete factor, after a lock")
	require.EqualValues(t, 2, a.counted(func() { a.audit("?query=action:x").listed() }), "audit")
	require.EqualValues(t, 2, a.counted(func() { a.call(http.MethodDelete, "/admin/users/"+id, "").ok() }), "delete")
}
