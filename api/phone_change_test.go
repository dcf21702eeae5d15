package api_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// A new number counts once its code has come back, and signs in then.
func TestPhoneChange(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	old, token := phoneUser(t, app)
	phone := newPhone()
	body := putAs(app, token, map[string]any{"phone": "+" + phone}).OK()
	require.Equal(t, []any{phone, old}, []any{body["new_phone"], body["phone"]})
	require.NotNil(t, body["phone_change_sent_at"])
	code := textedTo(hook, phone)
	require.Equal(t, 1, app.Count(`select count(*) from one_time_tokens t join users u on u.id = t.user_id
		where t.token_type = 'phone_change_token' and t.token_hash = u.phone_change_token and t.relates_to = u.phone_change`))
	putAs(app, token, map[string]any{"phone": newPhone()}).Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")

	verifyPhone(app, "sms", phone, code).Refused(http.StatusForbidden, "otp_expired")
	verifyPhone(app, "phone_change", old, code).Refused(http.StatusForbidden, "otp_expired")
	verifyPhone(app, "phone_change", phone, wrongFor(code)).Refused(http.StatusForbidden, "otp_expired")
	session := verifyPhone(app, "phone_change", phone, code).OK()
	shown := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(session["access_token"].(string))).OK()
	for name, value := range session["user"].(map[string]any) {
		require.Equal(t, value, shown[name], name)
	}
	require.Equal(t, phone, shown["phone"])
	require.NotContains(t, shown, "new_phone")
	identity := shown["identities"].([]any)[0].(map[string]any)["identity_data"].(map[string]any)
	require.Equal(t, []any{phone, true}, []any{identity["phone"], identity["phone_verified"]})
	require.Equal(t, 2, app.Count(`select count(*) from audit_log_entries where payload ->> 'action' = 'user_modified'`))
	verifyPhone(app, "phone_change", phone, code).Refused(http.StatusForbidden, "otp_expired")
	signInPhone(app, phone).OK()
	signInPhone(app, old).Refused(http.StatusBadRequest, "invalid_credentials")
}

// A change ends with the life of its code, and when the number was taken
// meanwhile; a banned user ends none.
func TestPhoneChangeRefused(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	user := app.User(t)
	taken, _ := phoneUser(t, app)
	putAs(app, user.AccessToken, map[string]any{"phone": taken}).Refused(http.StatusUnprocessableEntity, "phone_exists")
	putAs(app, user.AccessToken, map[string]any{"phone": "bad"}).Refused(http.StatusBadRequest, "validation_failed")
	phone := newPhone()
	putAs(app, user.AccessToken, map[string]any{"phone": phone}).OK()
	app.Clock.Advance(61 * time.Second)
	verifyPhone(app, "phone_change", phone, textedTo(hook, phone)).Refused(http.StatusForbidden, "otp_expired")

	putAs(app, user.AccessToken, map[string]any{"phone": phone}).OK()
	rival := app.User(t)
	putAs(app, rival.AccessToken, map[string]any{"phone": phone}).OK()
	codes := allTextedTo(hook, phone)
	require.Len(t, codes, 3)
	require.Equal(t, user.ID, verifyPhone(app, "phone_change", phone, codes[1]).OK()["user"].(map[string]any)["id"])
	verifyPhone(app, "phone_change", phone, codes[2]).Refused(http.StatusUnprocessableEntity, "phone_exists")

	app.Clock.Advance(time.Minute)
	other := newPhone()
	putAs(app, rival.AccessToken, map[string]any{"phone": other}).OK()
	app.Exec(`update users set banned_until = now() + interval '1 day' where id = $1`, rival.ID)
	verifyPhone(app, "phone_change", other, textedTo(hook, other)).Refused(http.StatusForbidden, "user_banned")
	require.Equal(t, 1, app.Count(`select count(*) from identities where provider = 'phone' and user_id = $1`, user.ID))
}

func TestPhoneChangeAutoconfirm(t *testing.T) {
	t.Parallel()
	app, hook := texting(t, func(c *conf.Config) { c.SMS.Autoconfirm = true })
	user, phone := app.User(t), newPhone()
	body := putAs(app, user.AccessToken, map[string]any{"phone": phone}).OK()
	require.Equal(t, phone, body["phone"])
	require.NotNil(t, body["phone_confirmed_at"])
	require.NotContains(t, body, "new_phone")
	require.Len(t, body["identities"], 2)
	require.Empty(t, hook.payloads)
	signInPhone(app, phone).OK()

	made := post(app, "/signup", map[string]any{"phone": newPhone(), "password": apitest.Password, "data": map[string]any{"name": "Ann"}}).OK()
	moved := newPhone()
	body = putAs(app, made["access_token"].(string), map[string]any{"phone": moved}).OK()
	require.Equal(t, map[string]any{
		"sub": body["id"], "name": "Ann", "phone": moved, "phone_verified": true, "email_verified": false,
	}, body["identities"].([]any)[0].(map[string]any)["identity_data"])

	anonymous := app.Do(http.MethodPost, "/signup", "{}").OK()["access_token"].(string)
	body = putAs(app, anonymous, map[string]any{"phone": newPhone(), "password": apitest.Password}).OK()
	require.Equal(t, false, body["is_anonymous"])
	require.NotContains(t, body, "confirmed_at")

	// Of two users who want one number at once, one gets it.
	first, second, wanted := app.User(t), app.User(t), newPhone()
	statuses := make([]int, 2)
	var wait sync.WaitGroup
	for i, token := range []string{first.AccessToken, second.AccessToken} {
		wait.Go(func() { statuses[i] = putAs(app, token, map[string]any{"phone": wanted}).Status })
	}
	wait.Wait()
	require.ElementsMatch(t, []int{http.StatusOK, http.StatusUnprocessableEntity}, statuses)
}

// An anonymous user becomes a permanent one when the number is confirmed.
func TestPhoneChangeOfAnonymousUser(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	token, phone := app.Do(http.MethodPost, "/signup", "{}").OK()["access_token"].(string), newPhone()
	putAs(app, token, map[string]any{"password": apitest.Password}).Refused(http.StatusUnprocessableEntity, "validation_failed")
	require.Equal(t, true, putAs(app, token, map[string]any{"phone": phone, "password": apitest.Password}).OK()["is_anonymous"])
	session := verifyPhone(app, "phone_change", phone, textedTo(hook, phone)).OK()
	user := session["user"].(map[string]any)
	require.Equal(t, false, user["is_anonymous"])
	require.Equal(t, false, apitest.Claims(t, session["access_token"].(string))["is_anonymous"])
	require.Equal(t, map[string]any{"provider": "phone", "providers": []any{"phone"}}, user["app_metadata"])
	signInPhone(app, phone).OK()
}

// Who has a second factor changes the number with it only.
func TestPhoneChangeNeedsAAL2(t *testing.T) {
	t.Parallel()
	app, _ := texting(t)
	user, _ := protected(t, app)
	single := app.SignIn(t, user.Email)
	putAs(app, single.AccessToken, map[string]any{"phone": newPhone()}).Refused(http.StatusUnauthorized, "insufficient_aal")
	putAs(app, user.AccessToken, map[string]any{"phone": newPhone()}).OK()
	app.Exec(`update users set is_sso_user = true`)
	putAs(app, user.AccessToken, map[string]any{"phone": newPhone()}).Refused(http.StatusUnprocessableEntity, "user_sso_managed")
}

// One request may change both addresses and the password. Each waits for its
// own code, in any order.
func TestBothAddressesChange(t *testing.T) {
	t.Parallel()
	for name, phoneFirst := range map[string]bool{"phone first": true, "mail first": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hook := newHTTPHook(t)
			app, mail, user := changing(t, byPhone, confirmOnce, func(c *conf.Config) {
				c.Hook.SendSMS = conf.HookPoint{Enabled: true, URI: hook.url, Secrets: []string{hookSecret}}
			})
			email, phone := apitest.NewEmail(), newPhone()
			body := putAs(app, user.AccessToken, map[string]any{"email": email, "phone": phone, "password": "another password"}).OK()
			require.Equal(t, []any{email, phone}, []any{body["new_email"], body["new_phone"]})
			steps := []func(){
				func() { verifyPhone(app, "phone_change", phone, textedTo(hook, phone)).OK() },
				func() { typed(app, mail, email).OK() },
			}
			if !phoneFirst {
				steps[0], steps[1] = steps[1], steps[0]
			}
			steps[0]()
			steps[1]()
			require.Equal(t, 1, app.Count(`select count(*) from users where email = $1 and phone = $2 and
				raw_app_meta_data ->> 'providers' = '["email", "phone"]'`, email, phone))
			require.Zero(t, app.Count(`select count(*) from one_time_tokens`))
			login(app, map[string]any{"phone": phone, "password": "another password"}).OK()
		})
	}
}

// What is refused before anything is written leaves nothing behind. When one of
// the two messages cannot be sent, the other works and the one may be asked for
// again at once.
func TestBothAddressesRefused(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app, mail, user := changing(t, byPhone, confirmOnce, func(c *conf.Config) {
		c.Hook.SendSMS = conf.HookPoint{Enabled: true, URI: hook.url, Secrets: []string{hookSecret}}
	})
	taken, _ := phoneUser(t, app)
	email, phone := apitest.NewEmail(), newPhone()
	putAs(app, user.AccessToken, map[string]any{"email": email, "phone": taken}).Refused(http.StatusUnprocessableEntity, "phone_exists")
	require.Zero(t, app.Count(`select count(*) from users where email_change <> '' or phone_change <> ''`))

	hook.answer(func(map[string]any) (int, any) { return http.StatusInternalServerError, nil })
	putAs(app, user.AccessToken, map[string]any{"email": email, "phone": phone}).Refused(http.StatusInternalServerError, "unexpected_failure")
	hook.answer(nil)
	putAs(app, user.AccessToken, map[string]any{"phone": phone}).OK()
	typed(app, mail, email).OK()
	verifyPhone(app, "phone_change", phone, textedTo(hook, phone)).OK()

	app.Clock.Advance(time.Minute)
	email, phone = apitest.NewEmail(), newPhone()
	mail.Refuse(true)
	putAs(app, user.AccessToken, map[string]any{"email": email, "phone": phone}).Refused(http.StatusInternalServerError, "unexpected_failure")
	mail.Refuse(false)
	verifyPhone(app, "phone_change", phone, textedTo(hook, phone)).OK()
	putAs(app, user.AccessToken, map[string]any{"email": email}).OK()
	typed(app, mail, email).OK()
}
