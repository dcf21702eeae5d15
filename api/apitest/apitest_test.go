package apitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

func TestFlow(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	got := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	require.Equal(t, user.ID, got["id"])
	require.Equal(t, user.SessionID, apitest.Claims(t, user.AccessToken)["session_id"])

	for name, client := range map[string]*apitest.Client{
		"confidential": app.Client(t), "public": app.Client(t, apitest.Public),
	} {
		tokens := app.Grant(t, user, client)
		require.NotEmpty(t, tokens.IDToken, name)
		require.Equal(t, client.ID, apitest.Claims(t, tokens.AccessToken)["client_id"], name)
		app.RefreshGrant(client, tokens.RefreshToken).OK()
	}
	require.NotEmpty(t, app.Log.Requests())
}

func TestReplicaSharesDatabaseAndClock(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	other := app.Replica(t)
	require.Equal(t, 1, other.Statements(func() {
		other.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	}))
	app.Clock.Advance(2 * time.Hour)
	other.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusForbidden, "bad_jwt")
}

func TestSnapshotSeesEveryChange(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	before := app.Snapshot()
	require.Equal(t, before, app.Snapshot())
	app.Exec(`update users set role = 'other' where id = $1`, user.ID)
	require.NotEqual(t, before, app.Snapshot())
	require.Equal(t, "other", app.Text(`select role from users where id = $1`, user.ID))
	require.Empty(t, app.Text(`select role from users where email = 'nobody'`))
}

func TestMail(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	app := apitest.New(t, mail.Configure)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", map[string]any{"email": email, "password": apitest.Password}).OK()
	letter := mail.Last(email)
	require.Regexp(t, `^\d{6}$`, letter.Subject)
	require.Equal(t, "/verify", letter.Link(t).Path)
	require.NotEmpty(t, app.User(t).AccessToken)
}
