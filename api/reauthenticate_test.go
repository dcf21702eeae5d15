package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// A session older than a day needs a mailed code to set a password. The code
// works once, and only while it is fresh.
func TestReauthentication(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t, func(c *conf.Config) { c.Security.UpdatePasswordRequireReauthentication = true })
	user := app.User(t)
	bearer := apitest.Bearer(user.AccessToken)
	app.Exec(`update sessions set created_at = created_at - interval '2 days'`)
	change := func(nonce string) *apitest.Response {
		return app.Do(http.MethodPut, "/user", map[string]any{"password": "another password", "nonce": nonce}, bearer)
	}
	change("").Refused(http.StatusBadRequest, "reauthentication_needed")
	change("123456").Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")

	app.Do(http.MethodGet, "/reauthenticate", nil, bearer).OK()
	code := nonce(mail, user)
	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	change(wrong).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	change(code).OK()
	change(code).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	require.Equal(t, 1, app.Count(`select count(*) from audit_log_entries where payload ->> 'action' = 'user_reauthenticate_requested'`))

	app.Clock.Advance(2 * time.Minute)
	app.Do(http.MethodGet, "/reauthenticate", nil, bearer).OK()
	code = nonce(mail, user)
	app.Exec(`update users set reauthentication_sent_at = reauthentication_sent_at - interval '2 days'`)
	app.Do(http.MethodPut, "/user", map[string]any{"password": "a third password", "nonce": code}, bearer).
		Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
}

// Of several changes with one code exactly one is made.
func TestReauthenticationRace(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t, func(c *conf.Config) { c.Security.UpdatePasswordRequireReauthentication = true })
	user := app.User(t)
	bearer := apitest.Bearer(user.AccessToken)
	app.Exec(`update sessions set created_at = created_at - interval '2 days'`)
	app.Do(http.MethodGet, "/reauthenticate", nil, bearer).OK()
	code := nonce(mail, user)
	var wait sync.WaitGroup
	statuses := make([]int, 4)
	for i := range statuses {
		wait.Go(func() {
			body := map[string]any{"password": "another password " + string(rune('a'+i)), "nonce": code}
			statuses[i] = app.Do(http.MethodPut, "/user", body, bearer).Status
		})
	}
	wait.Wait()
	won := 0
	for _, status := range statuses {
		if status == http.StatusOK {
			won++
			continue
		}
		require.Equal(t, http.StatusUnprocessableEntity, status)
	}
	require.Equal(t, 1, won)
}

// Users without an e-mail address get the code by text.
func TestReauthenticationByText(t *testing.T) {
	t.Parallel()
	app, hook := texting(t, func(c *conf.Config) { c.Security.UpdatePasswordRequireReauthentication = true })
	phone, token := phoneUser(t, app)
	app.Exec(`update sessions set created_at = created_at - interval '2 days'`)
	ask := func() *apitest.Response {
		return app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token))
	}
	change := func(password, nonce string) *apitest.Response {
		return putAs(app, token, map[string]any{"password": password, "nonce": nonce})
	}
	sent(t, ask())
	ask().Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")
	code := textedTo(hook, phone)
	change("another password", wrongFor(code)).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	app.Clock.Advance(61 * time.Second)
	change("another password", code).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	sent(t, ask())
	change("another password", textedTo(hook, phone)).OK()
	change("a third password", textedTo(hook, phone)).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")

	app.Exec(`update users set phone_confirmed_at = null`)
	ask().Refused(http.StatusUnprocessableEntity, "phone_not_confirmed")
	app.Exec(`update users set phone = null`)
	ask().Refused(http.StatusBadRequest, "validation_failed")
	require.Equal(t, "Reauthentication requires an email or a phone number",
		change("a third password", "123456").Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid"))
}

// A stolen session does not get to try all codes, from whatever address.
func TestReauthenticationGuesses(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.Security.UpdatePasswordRequireReauthentication = true })
	user, other := app.User(t), app.User(t)
	app.Exec(`update sessions set created_at = created_at - interval '2 days'`)
	change := func(user *apitest.User) *apitest.Response {
		return putUser(app, user, map[string]any{"password": "another password", "nonce": "123456"})
	}
	for range 20 {
		change(user).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	}
	change(user).Refused(http.StatusTooManyRequests, "over_request_rate_limit")
	change(other).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	app.Clock.Advance(3 * time.Minute)
	change(user).Refused(http.StatusUnprocessableEntity, "reauthentication_not_valid")
	change(user).Refused(http.StatusTooManyRequests, "over_request_rate_limit")
}

// nonce is the code of the newest letter: the first word of its subject.
func nonce(mail *apitest.Mail, user *apitest.User) string {
	return strings.Fields(mail.Last(user.Email).Subject)[0]
}
