package api_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

const halfConfirmed = "Confirmation link accepted. Please proceed to confirm link sent to the other email"

// changing is a server that mails the codes of a change of address in the
// subject, and a user.
func changing(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *apitest.Mail, *apitest.User) {
	t.Helper()
	codes := func(c *conf.Config) {
		c.Mailer.Subjects.EmailChange = "{{ .Token }}"
		c.External.AnonymousUsersEnabled = true
	}
	app, mail := confirming(t, append([]func(*conf.Config){codes}, options...)...)
	return app, mail, app.User(t)
}

func confirmOnce(c *conf.Config) { c.Mailer.SecureEmailChangeEnabled = false }

// typed sends the code of the newest mail to an address.
func typed(app *apitest.App, mail *apitest.Mail, email string) *apitest.Response {
	return typedCode(app, email, mail.Last(email).Subject)
}

func typedCode(app *apitest.App, email, code string) *apitest.Response {
	return app.Do(http.MethodPost, "/verify", map[string]any{"type": "email_change", "email": email, "token": code})
}

func resendChange(app *apitest.App, email string) *apitest.Response {
	return app.Do(http.MethodPost, "/resend", map[string]any{"type": "email_change", "email": email})
}

func TestEmailChange(t *testing.T) {
	t.Parallel()
	for name, swapped := range map[string]bool{"present address first": false, "new address first": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, mail, user := changing(t)
			email := apitest.NewEmail()
			app.Exec(`delete from audit_log_entries`)
			shown := putUser(app, user, map[string]any{"email": email, "data": map[string]any{"a": 1}}).OK()
			require.Equal(t, user.Email, shown["email"])
			require.Equal(t, email, shown["new_email"])
			require.NotEmpty(t, shown["email_change_sent_at"])
			require.Equal(t, 1.0, shown["user_metadata"].(map[string]any)["a"])
			first, second := user.Email, email
			if swapped {
				first, second = second, first
			}
			require.Equal(t, map[string]any{"code": "200", "msg": halfConfirmed}, typed(app, mail, first).OK())
			typed(app, mail, first).Refused(http.StatusForbidden, "otp_expired")
			require.Equal(t, user.Email, app.Text(`select email from users where id = $1`, user.ID))

			body := typed(app, mail, second).OK()
			require.Equal(t, "otp", apitest.Claims(t, body["access_token"].(string))["amr"].([]any)[0].(map[string]any)["method"])
			me := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(body["access_token"].(string))).OK()
			require.Equal(t, me, body["user"], "the answer tells what was written")
			require.Equal(t, email, me["email"])
			require.NotContains(t, me, "new_email")
			data := me["identities"].([]any)[0].(map[string]any)["identity_data"].(map[string]any)
			require.Equal(t, email, data["email"])
			require.Equal(t, true, data["email_verified"])
			require.Equal(t, []string{"user_modified", "user_modified"}, actions(app))
			require.Equal(t, 0, app.Count(`select count(*) from one_time_tokens`))
			app.SignIn(t, email)
		})
	}
}

func TestEmailChangeByLinks(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPut, "/user?redirect_to="+url.QueryEscape(apitest.SiteURL+"/done"),
		map[string]any{"email": email}, apitest.Bearer(user.AccessToken)).OK()
	link := mail.Last(email).Link(t)
	require.Equal(t, "email_change", link.Query().Get("type"))
	half := app.Do(http.MethodGet, link.RequestURI(), nil)
	require.Equal(t, "/done", half.Location().Path)
	require.Equal(t, url.Values{"message": {halfConfirmed}, "sb": {""}}, half.Fragment())
	require.Equal(t, "otp_expired", app.Do(http.MethodGet, link.RequestURI(), nil).Fragment().Get("error_code"))
	hash := mail.Last(user.Email).Link(t).Query().Get("token")
	body := app.Do(http.MethodPost, "/verify", map[string]any{"type": "email_change", "token_hash": hash}).OK()
	require.Equal(t, email, body["user"].(map[string]any)["email"])
}

func TestEmailChangeInFlow(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email, verifier := apitest.NewEmail(), verifierOf("app")
	putUser(app, user, inFlow(map[string]any{"email": email}, verifier)).OK()
	half := app.Do(http.MethodGet, mail.Last(user.Email).Link(t).RequestURI(), nil)
	require.Equal(t, halfConfirmed, half.Location().Query().Get("message"))
	require.Equal(t, halfConfirmed, half.Fragment().Get("message"))
	body := exchange(app, codeOf(t, app, mail, email), verifier).OK()
	require.Equal(t, email, body["user"].(map[string]any)["email"])
	require.Equal(t, "email_change", apitest.Claims(t, body["access_token"].(string))["amr"].([]any)[0].(map[string]any)["method"])
}

// With one confirmation it must be that of the new address.
func TestEmailChangeConfirmedOnce(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	first, second := apitest.NewEmail(), apitest.NewEmail()
	putUser(app, user, map[string]any{"email": first}).OK()
	app.Config.Mailer.SecureEmailChangeEnabled = false
	once := app.Replica(t)
	typed(once, mail, user.Email).Refused(http.StatusForbidden, "otp_expired")

	app.Clock.Advance(2 * time.Minute)
	putUser(once, user, map[string]any{"email": second}).OK()
	require.Len(t, mail.To(user.Email), 1, "nothing more for the present address")
	typed(once, mail, first).Refused(http.StatusForbidden, "otp_expired")
	require.Equal(t, second, typed(once, mail, second).OK()["user"].(map[string]any)["email"])
}

func TestEmailChangeBegunAnew(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email, other := apitest.NewEmail(), apitest.NewEmail()
	putUser(app, user, map[string]any{"email": email}).OK()
	require.Equal(t, halfConfirmed, typed(app, mail, user.Email).OK()["msg"])
	putUser(app, user, map[string]any{"email": other, "data": map[string]any{"a": 1}}).
		Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
	require.Equal(t, "0", app.Text(`select count(*)::text from users where raw_user_meta_data ? 'a'`), "all or nothing")

	app.Clock.Advance(2 * time.Minute)
	putUser(app, user, map[string]any{"email": other}).OK()
	typed(app, mail, email).Refused(http.StatusForbidden, "otp_expired")
	require.Equal(t, halfConfirmed, typed(app, mail, other).OK()["msg"], "the earlier half counts no more")
	require.Equal(t, other, typed(app, mail, user.Email).OK()["user"].(map[string]any)["email"])
}

func TestEmailChangeExpires(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email := apitest.NewEmail()
	putUser(app, user, map[string]any{"email": email}).OK()
	app.Clock.Advance(25 * time.Hour)
	typed(app, mail, email).Refused(http.StatusForbidden, "otp_expired")
	link := mail.Last(email).Link(t)
	require.Equal(t, "otp_expired", app.Do(http.MethodGet, link.RequestURI(), nil).Fragment().Get("error_code"))
}

func TestEmailChangeOfTakenAddress(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t, confirmOnce)
	other := app.User(t)
	putUser(app, user, map[string]any{"email": other.Email}).Refused(http.StatusUnprocessableEntity, "email_exists")

	email := apitest.NewEmail()
	putUser(app, user, map[string]any{"email": email}).OK()
	app.Exec(`update users set email = $1 where id = $2`, email, other.ID) // meanwhile
	require.Equal(t, "A user with this email address has already been registered",
		typed(app, mail, email).Refused(http.StatusUnprocessableEntity, "email_exists"))
	require.Equal(t, user.Email, app.Text(`select email from users where id = $1`, user.ID))
}

// Two users may wait for one address: the code tells who is meant.
func TestEmailChangeOfTwoToOneAddress(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t, confirmOnce)
	other, email := app.User(t), apitest.NewEmail()
	putUser(app, user, map[string]any{"email": email}).OK()
	code := mail.Last(email).Subject
	putUser(app, other, map[string]any{"email": email}).OK()
	require.Equal(t, user.ID, typedCode(app, email, code).OK()["user"].(map[string]any)["id"])
	typed(app, mail, email).Refused(http.StatusUnprocessableEntity, "email_exists")
}

func TestEmailChangeRefused(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	body := map[string]any{"email": apitest.NewEmail()}
	putUser(app, user, map[string]any{"email": "nonsense"}).Refused(http.StatusBadRequest, "validation_failed")
	app.Exec(`update users set is_sso_user = true where id = $1`, user.ID)
	putUser(app, user, body).Refused(http.StatusUnprocessableEntity, "user_sso_managed")
	app.Exec(`update users set is_sso_user = false where id = $1`, user.ID)
	addFactor(app, user.ID, "verified")
	putUser(app, user, body).Refused(http.StatusUnauthorized, "insufficient_aal")
	app.Exec(`delete from mfa_factors`)
	putUser(app, user, body).OK()
	app.Exec(`update users set banned_until = now() + interval '1 day' where id = $1`, user.ID)
	typed(app, mail, user.Email).Refused(http.StatusForbidden, "user_banned")
}

// A user whose mail could not be sent may ask again at once.
func TestEmailChangeWhenMailFails(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email := apitest.NewEmail()
	mail.Refuse(true)
	require.Equal(t, "Error sending email change email",
		putUser(app, user, map[string]any{"email": email}).Refused(http.StatusInternalServerError, "unexpected_failure"))
	hash := app.Text(`select email_change_token_new from users where id = $1`, user.ID)
	app.Do(http.MethodPost, "/verify", map[string]any{"type": "email_change", "token_hash": hash}).Refused(http.StatusForbidden, "otp_expired")
	mail.Refuse(false)
	require.Empty(t, resendChange(app, user.Email).OK())
	require.Equal(t, halfConfirmed, typed(app, mail, email).OK()["msg"])
	require.Equal(t, email, typed(app, mail, user.Email).OK()["user"].(map[string]any)["email"])
	require.NotContains(t, app.Log.String(), email)
}

func TestEmailChangeResent(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email := apitest.NewEmail()
	require.Empty(t, resendChange(app, user.Email).OK(), "nothing is pending")
	putUser(app, user, map[string]any{"email": email}).OK()
	resendChange(app, user.Email).Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
	app.Clock.Advance(2 * time.Minute)
	resendChange(app, user.Email).OK()
	require.Len(t, mail.To(email), 2)
	require.Len(t, mail.To(user.Email), 2)
	typedCode(app, email, mail.To(email)[0].Subject).Refused(http.StatusForbidden, "otp_expired")
	typed(app, mail, email).OK()

	// A new password ends the change for good: whoever began it may be why.
	putUser(app, user, map[string]any{"password": "another one"}).OK()
	app.Clock.Advance(2 * time.Minute)
	resendChange(app, user.Email).OK()
	require.Len(t, mail.To(email), 2)
}

// Of two confirmations at the same moment one is the first and one the last.
func TestEmailChangeConcurrently(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email := apitest.NewEmail()
	putUser(app, user, map[string]any{"email": email}).OK()
	codes := map[string]string{email: mail.Last(email).Subject, user.Email: mail.Last(user.Email).Subject}
	answers := concurrently(6, func(i int) *apitest.Response {
		to := []string{email, user.Email}[i%2]
		return typedCode(app, to, codes[to])
	})
	require.Equal(t, []int{200, 200, 403, 403, 403, 403}, statuses(answers))
	require.Equal(t, email, app.Text(`select email from users where id = $1`, user.ID))
	require.Equal(t, 2, app.Count(`select count(*) from sessions`))
}

func TestEmailChangeOfAnonymousUser(t *testing.T) {
	t.Parallel()
	app, mail, _ := changing(t)
	email := apitest.NewEmail()
	token := app.Do(http.MethodPost, "/signup", map[string]any{"data": map[string]any{}}).OK()["access_token"].(string)
	shown := app.Do(http.MethodPut, "/user", map[string]any{"email": email}, apitest.Bearer(token)).OK()
	require.Equal(t, true, shown["is_anonymous"])
	require.Equal(t, "", shown["email"])
	body := typed(app, mail, email).OK()
	me := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(body["access_token"].(string))).OK()
	require.Equal(t, me, body["user"], "the answer tells what was written")
	require.Equal(t, false, me["is_anonymous"])
	require.Equal(t, map[string]any{"provider": "email", "providers": []any{"email"}}, me["app_metadata"])
	require.Len(t, me["identities"], 1)
}

func TestEmailChangeOfAnonymousUserAutoconfirms(t *testing.T) {
	t.Parallel()
	app, mail, _ := changing(t, func(c *conf.Config) { c.Mailer.Autoconfirm = true })
	email := apitest.NewEmail()
	token := app.Do(http.MethodPost, "/signup", map[string]any{"data": map[string]any{}}).OK()["access_token"].(string)
	shown := app.Do(http.MethodPut, "/user", map[string]any{"email": email, "password": apitest.Password}, apitest.Bearer(token)).OK()
	require.Equal(t, email, shown["email"])
	require.Equal(t, false, shown["is_anonymous"])
	require.NotContains(t, shown, "confirmed_at")
	require.Empty(t, mail.To(email))
	app.SignIn(t, email)
}

// Of requests at the same moment one sends the mails.
func TestEmailChangeAskedForConcurrently(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email := apitest.NewEmail()
	answers := concurrently(4, func(int) *apitest.Response { return putUser(app, user, map[string]any{"email": email}) })
	require.Equal(t, []int{200, 429, 429, 429}, statuses(answers))
	require.Len(t, mail.To(email), 1)
	require.Equal(t, halfConfirmed, typed(app, mail, email).OK()["msg"])
}

func TestGenerateEmailChangeLink(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	other, email := app.User(t), apitest.NewEmail()
	generate := func(app *apitest.App, kind, newEmail string) *apitest.Response {
		return app.Do(http.MethodPost, "/admin/generate_link",
			map[string]any{"type": kind, "email": user.Email, "new_email": newEmail}, apitest.Bearer(app.ServiceKey()))
	}
	verify := func(hash any) *apitest.Response {
		return app.Do(http.MethodPost, "/verify", map[string]any{"type": "email_change", "token_hash": hash})
	}
	generate(app, "email_change_new", "").Refused(http.StatusBadRequest, "validation_failed")
	generate(app, "email_change_new", other.Email).Refused(http.StatusUnprocessableEntity, "email_exists")

	forOther := generate(app, "email_change_current", apitest.NewEmail()).OK()["hashed_token"]
	toNew := generate(app, "email_change_new", email).OK()
	verify(forOther).Refused(http.StatusForbidden, "otp_expired") // it was for another address
	current := generate(app, "email_change_current", email).OK()
	require.Equal(t, "email_change_current", current["verification_type"])
	require.Equal(t, halfConfirmed, verify(current["hashed_token"]).OK()["msg"])
	require.Equal(t, email, verify(toNew["hashed_token"]).OK()["user"].(map[string]any)["email"])
	require.Empty(t, mail.To(email))

	user.Email = email
	app.Config.Mailer.SecureEmailChangeEnabled = false
	require.Equal(t, "Enable secure email change to generate link for current email",
		generate(app.Replica(t), "email_change_current", apitest.NewEmail()).Refused(http.StatusBadRequest, "validation_failed"))
}
