package api_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// audited are the actions that the log tells of, in order.
func audited(t *testing.T, app *apitest.App) (actions []string) {
	t.Helper()
	for _, line := range app.Log.Requests() {
		raw, err := json.Marshal(line["auth_audit_event"])
		require.NoError(t, err)
		var events []struct {
			Action string `json:"action"`
		}
		require.NoError(t, json.Unmarshal(raw, &events))
		for _, event := range events {
			actions = append(actions, event.Action)
		}
	}
	return actions
}

// Without the table the trail is part of the log, without anybody's address.
func TestAuditLogWithoutTable(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.AuditLog.DisablePostgres = true })
	user := app.User(t)
	app.Do("POST", "/token?grant_type=password", map[string]string{"email": user.Email, "password": "wrong-password"})
	refreshed := app.Do("POST", "/token?grant_type=refresh_token", map[string]string{"refresh_token": user.RefreshToken}).OK()
	access, _ := refreshed["access_token"].(string)
	app.Do("PUT", "/user", map[string]any{"data": map[string]string{"a": "b"}}, apitest.Bearer(access)).OK()
	app.Do("POST", "/logout", nil, apitest.Bearer(access)).OK()
	app.Do("DELETE", "/admin/users/"+user.ID, nil, apitest.Bearer(app.ServiceKey())).OK()

	require.Equal(t, []string{"user_signedup", "login", "token_refreshed", "user_modified", "logout", "user_deleted"}, audited(t, app))
	require.Zero(t, app.Count(`select count(*) from audit_log_entries`))
	require.Contains(t, app.Log.String(), user.ID)
	require.NotContains(t, app.Log.String(), user.Email)
}

// With the table the log has no second copy.
func TestAuditLogInTable(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	app.User(t)
	require.Empty(t, audited(t, app))
	require.Equal(t, 2, app.Count(`select count(*) from audit_log_entries`))
}

// Who loses a race has done nothing that could be told.
func TestAuditLogTellsWhatHappened(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.AuditLog.DisablePostgres = true })
	user, client := app.User(t), app.Client(t)
	request := app.Authorize(t, client)
	code := app.Approve(t, user, request)
	before := len(audited(t, app))
	var wait sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		wait.Go(func() { statuses[i] = app.Redeem(request, code).Status })
	}
	wait.Wait()
	require.Equal(t, 1, countOf(statuses, http.StatusOK), "%v", statuses)
	require.Equal(t, []string{"login"}, audited(t, app)[before:])
}
