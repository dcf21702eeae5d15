package api_test

import (
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

const (
	leakedPassword = "leaked password 1"
	pwnedMessage   = "Password is known to be weak and easy to guess, please choose a different one."
	hibpMessage    = "Unable to perform password strength check with HaveIBeenPwned.org."
)

// breaches is a service that knows leakedPassword, while it is up.
type breaches struct {
	down  atomic.Bool
	asked atomic.Int64
}

func (b *breaches) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.asked.Add(1)
	if b.down.Load() {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	sum := sha1.Sum([]byte(leakedPassword))
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	_, _ = w.Write([]byte(strings.Repeat("0", 35) + ":3\r\n"))
	if r.Host == "api.pwnedpasswords.com" && r.URL.Path == "/range/"+digest[:5] {
		_, _ = w.Write([]byte(digest[5:] + ":42\r\n"))
	}
}

func setUpBreaches(t *testing.T, failClosed bool) (*apitest.App, *breaches) {
	t.Helper()
	known := new(breaches)
	app := apitest.New(t, func(c *conf.Config) {
		c.Password.HIBP.Enabled, c.Password.HIBP.FailClosed = true, failClosed
		c.Password.RequiredCharacters = []string{"0123456789"}
	}).Via(t, apitest.Elsewhere(t, known.ServeHTTP))
	return app, known
}

func refusedAsPwned(t *testing.T, answer *apitest.Response) {
	t.Helper()
	require.Equal(t, pwnedMessage, answer.Refused(http.StatusUnprocessableEntity, "weak_password"))
	require.Equal(t, map[string]any{"reasons": []any{"pwned"}}, answer.JSON()["weak_password"])
}

// A password from a breach is refused wherever one is chosen, but whoever has
// it already can sign in, and is told.
func TestPwnedPassword(t *testing.T) {
	t.Parallel()
	app, _ := setUpBreaches(t, false)
	service := apitest.Bearer(app.ServiceKey())
	body := map[string]any{"email": apitest.NewEmail(), "password": leakedPassword}
	refusedAsPwned(t, app.Do(http.MethodPost, "/signup", body))
	link := map[string]any{"type": "signup", "email": apitest.NewEmail(), "password": leakedPassword}
	refusedAsPwned(t, app.Do(http.MethodPost, "/admin/generate_link", link, service))

	user := app.User(t)
	change := map[string]any{"password": leakedPassword}
	refusedAsPwned(t, app.Do(http.MethodPut, "/user", change, apitest.Bearer(user.AccessToken)))
	refusedAsPwned(t, app.Do(http.MethodPut, "/admin/users/"+user.ID, change, service))

	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/admin/users",
		map[string]any{"email": email, "password": leakedPassword, "email_confirm": true}, service).OK()
	session := login(app, map[string]any{"email": email, "password": leakedPassword}).OK()
	require.Equal(t, map[string]any{"message": pwnedMessage, "reasons": []any{"pwned"}}, session["weak_password"])
	require.Nil(t, login(app, map[string]any{"email": user.Email, "password": apitest.Password}).OK()["weak_password"])
}

// A wrong password is nobody's business.
func TestWrongPasswordIsNotLookedUp(t *testing.T) {
	t.Parallel()
	app, known := setUpBreaches(t, false)
	user := app.User(t)
	before := known.asked.Load()
	login(app, map[string]any{"email": user.Email, "password": leakedPassword}).
		Refused(http.StatusBadRequest, "invalid_credentials")
	require.Equal(t, before, known.asked.Load())
}

func TestBreachesUnavailable(t *testing.T) {
	t.Parallel()
	for _, failClosed := range []bool{false, true} {
		app, known := setUpBreaches(t, failClosed)
		user := app.User(t)
		known.down.Store(true)
		body := map[string]any{"email": apitest.NewEmail(), "password": apitest.Password}
		answer := app.Do(http.MethodPost, "/signup", body)
		if failClosed {
			require.Equal(t, hibpMessage, answer.Refused(http.StatusInternalServerError, "unexpected_failure"))
			body["password"] = "no digit"
			app.Do(http.MethodPost, "/signup", body).Refused(http.StatusUnprocessableEntity, "weak_password")
		} else {
			answer.OK()
		}
		session := login(app, map[string]any{"email": user.Email, "password": apitest.Password}).OK()
		require.Nil(t, session["weak_password"], "the outage keeps nobody out")

		log := app.Log.String()
		require.Contains(t, log, "a password was not checked against known breaches")
		require.NotContains(t, log, apitest.Password)
		sum := sha1.Sum([]byte(apitest.Password))
		require.NotContains(t, strings.ToUpper(log), strings.ToUpper(hex.EncodeToString(sum[:])[:5]))
	}
}
