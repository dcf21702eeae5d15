package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// 32 refreshes with one token, on two servers: every caller gets an answer it
// can go on with, and the session has one state.
func TestRefreshRace(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(*conf.Config) {}, func(t *testing.T, app *apitest.App) {
		user := app.User(t)
		servers := []*apitest.App{app, app.Replica(t)}
		answers := concurrently(32, func(i int) *apitest.Response { return servers[i%2].Refresh(user.RefreshToken) })
		next := ""
		fresh := 0
		for _, answer := range answers {
			require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
			token := answer.JSON()["refresh_token"].(string)
			if next == "" {
				next = token
			}
			require.Equal(t, next, token, "all hold the same next token")
			if answer.Header.Get("Sb-Auth-Refresh-Token-Reuse") == "false" {
				fresh++
			}
			app.Do(http.MethodGet, "/user", nil, apitest.Bearer(answer.JSON()["access_token"].(string))).OK()
		}
		require.Equal(t, 1, fresh, "one of them rotated")
		require.Equal(t, 1, app.Count(`select count(*) from sessions`))
		require.LessOrEqual(t, app.Count(`select count(*) from refresh_tokens where not revoked`), 1)
		refreshed(t, app, next)
	})
}

// The same for a client's grant, which has rules of its own.
func TestRefreshRaceOfAClient(t *testing.T) {
	t.Parallel()
	bothKinds(t, func(*conf.Config) {}, func(t *testing.T, app *apitest.App) {
		client := app.Client(t)
		grant := app.Grant(t, app.User(t), client)
		servers := []*apitest.App{app, app.Replica(t)}
		answers := concurrently(32, func(i int) *apitest.Response {
			return servers[i%2].RefreshGrant(client, grant.RefreshToken)
		})
		next := answers[0].OK()["refresh_token"]
		for _, answer := range answers {
			require.Equal(t, next, answer.OK()["refresh_token"])
		}
		app.RefreshGrant(client, next.(string)).OK()
	})
}
