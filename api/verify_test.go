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

// confirming is a server that confirms sign-ups by mail.
func confirming(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *apitest.Mail) {
	t.Helper()
	mail := apitest.NewMail(t)
	return apitest.New(t, append([]func(*conf.Config){mail.Configure}, options...)...), mail
}

func TestSignUpWithConfirmation(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	user := app.Do(http.MethodPost, "/signup?redirect_to="+url.QueryEscape(apitest.SiteURL+"/welcome"), signUp(email, nil)).OK()
	require.NotContains(t, user, "access_token")
	require.NotContains(t, user, "email_confirmed_at")
	require.NotEmpty(t, user["confirmation_sent_at"])
	require.Len(t, user["identities"], 1)
	require.Equal(t, []string{"user_confirmation_requested"}, actions(app))
	app.Do(http.MethodPost, "/token?grant_type=password", signUp(email, nil)).Refused(http.StatusBadRequest, "email_not_confirmed")

	link := mail.Last(email).Link(t)
	require.Equal(t, "auth.test", link.Host)
	got := app.Do(http.MethodGet, link.RequestURI(), nil)
	require.Equal(t, http.StatusSeeOther, got.Status)
	require.Equal(t, "app.test/welcome", got.Location().Host+got.Location().Path)
	session := got.Fragment()
	require.Equal(t, "signup", session.Get("type"))
	require.Equal(t, "bearer", session.Get("token_type"))
	require.Equal(t, "otp", apitest.Claims(t, session.Get("access_token"))["amr"].([]any)[0].(map[string]any)["method"])
	app.Refresh(session.Get("refresh_token")).OK()
	me := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(session.Get("access_token"))).OK()
	require.NotEmpty(t, me["confirmed_at"])
	require.Equal(t, true, me["user_metadata"].(map[string]any)["email_verified"])
	identity := me["identities"].([]any)[0].(map[string]any)
	require.Equal(t, true, identity["identity_data"].(map[string]any)["email_verified"])

	again := app.Do(http.MethodGet, link.RequestURI(), nil)
	require.Equal(t, "otp_expired", again.Fragment().Get("error_code"))
	require.Equal(t, "access_denied", again.Fragment().Get("error"))
	require.Equal(t, 0, app.Count(`select count(*) from one_time_tokens`))
}

// The answer for an address that has an account looks like that of a fresh
// sign-up, and nothing is sent or changed.
func TestSignUpHidesWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	user := app.User(t)
	fresh := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), map[string]any{"a": 1})).OK()
	invented := app.Do(http.MethodPost, "/signup", signUp(user.Email, map[string]any{"a": 1})).OK()
	require.NotEqual(t, user.ID, invented["id"])
	require.Equal(t, user.Email, invented["email"])
	require.Equal(t, "", invented["role"], "as GoTrue has it")
	require.Equal(t, []any{}, invented["identities"])
	require.Equal(t, map[string]any{"a": 1.0}, invented["user_metadata"])
	for name := range invented {
		require.Contains(t, fresh, name)
	}
	require.Empty(t, mail.To(user.Email))
	require.Equal(t, 2, app.Count(`select count(*) from users`))
	require.Contains(t, actions(app), "user_repeated_signup")
}

func TestSignUpAgainBeforeConfirmation(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	first := app.Do(http.MethodPost, "/signup", signUp(email, map[string]any{"by": "first"})).OK()
	again := func() *apitest.Response {
		return app.Do(http.MethodPost, "/signup", map[string]any{
			"email": email, "password": "of somebody else", "data": map[string]any{"by": "second"},
		})
	}
	require.Regexp(t, `^For security purposes, you can only request this after \d+ seconds\.$`,
		again().Refused(http.StatusTooManyRequests, "over_email_send_rate_limit"))

	app.Clock.Advance(61 * time.Second)
	second := again().OK()
	require.Equal(t, first["id"], second["id"])
	require.Equal(t, "first", second["user_metadata"].(map[string]any)["by"], "password and data are ignored")
	letters := mail.To(email)
	require.Len(t, letters, 2)
	require.Equal(t, "otp_expired", app.Do(http.MethodGet, letters[0].Link(t).RequestURI(), nil).Fragment().Get("error_code"),
		"the earlier link is dead")
	app.Do(http.MethodPost, "/verify", map[string]any{"type": "signup", "email": email, "token": letters[1].Subject}).OK()
	app.SignIn(t, email)
}

func TestSignUpOfAnInvitedUser(t *testing.T) {
	t.Parallel()
	app, _ := confirming(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", signUp(email, map[string]any{"a": 1})).OK()
	app.Exec(`update users set invited_at = now() where email = $1`, email)
	app.Clock.Advance(61 * time.Second)
	shown := app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	require.Equal(t, map[string]any{}, shown["user_metadata"])
	require.Equal(t, []any{}, shown["identities"])
}

// A user whose mail could not be sent may ask again at once.
func TestSignUpWhenMailFails(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	mail.Refuse(true)
	got := app.Do(http.MethodPost, "/signup", signUp(email, nil))
	require.Equal(t, "Error sending confirmation email", got.Refused(http.StatusInternalServerError, "unexpected_failure"))
	require.Zero(t, app.Count(`select count(*) from users`), "nobody waits for a mail that will not come")

	mail.Refuse(false)
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	require.Len(t, mail.To(email), 1)
	app.Clock.Advance(time.Minute)
	mail.Refuse(true)
	got = app.Do(http.MethodPost, "/resend", map[string]any{"type": "signup", "email": email})
	require.Equal(t, "Error sending confirmation email", got.Refused(http.StatusInternalServerError, "unexpected_failure"))
	require.Equal(t, 1, app.Count(`select count(*) from users`), "who has an account keeps it")
	mail.Refuse(false)
	app.Do(http.MethodPost, "/resend", map[string]any{"type": "signup", "email": email}).OK()
	require.Len(t, mail.To(email), 2)
	app.Do(http.MethodGet, mail.Last(email).Link(t).RequestURI(), nil).Location()
	app.SignIn(t, email)
	require.NotContains(t, app.Log.String(), email)
}

// A project that begins to confirm by itself lets those in who were waiting.
func TestSignUpOfAWaitingUserAutoconfirms(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.Exec(`update users set email_confirmed_at = null, confirmation_token = 'x' where id = $1`, user.ID)
	body := app.Do(http.MethodPost, "/signup", signUp(user.Email, nil)).OK()
	require.NotEmpty(t, body["access_token"])
	require.Equal(t, user.ID, body["user"].(map[string]any)["id"])
	require.NotEmpty(t, app.Text(`select email_confirmed_at::text from users where id = $1`, user.ID))
}

func TestVerifyCode(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"signup", "email", "invite"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			app, mail := confirming(t)
			email := apitest.NewEmail()
			app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
			code := mail.Last(email).Subject
			for _, wrong := range []map[string]any{
				{"type": kind, "email": email, "token": "x" + code},
				{"type": kind, "email": apitest.NewEmail(), "token": code},
				{"type": "recovery", "email": email, "token": code},
				{"type": "nothing", "email": email, "token": code},
				{"type": "sms", "phone": "12345678", "token": code},
			} {
				got := app.Do(http.MethodPost, "/verify", wrong)
				require.Equal(t, "Token has expired or is invalid", got.Refused(http.StatusForbidden, "otp_expired"))
			}
			answers := concurrently(8, func(int) *apitest.Response {
				return app.Do(http.MethodPost, "/verify", map[string]any{"type": kind, "email": email, "token": code})
			})
			require.Equal(t, []int{200, 403, 403, 403, 403, 403, 403, 403}, statuses(answers), "a code is spent once")
			require.Equal(t, 1, app.Count(`select count(*) from sessions`))
		})
	}
}

func TestVerifyByHash(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	hash := mail.Last(email).Link(t).Query().Get("token")
	require.Equal(t, "Email link is invalid or has expired",
		app.Do(http.MethodPost, "/verify", map[string]any{"type": "email", "token_hash": "0" + hash}).Refused(http.StatusForbidden, "otp_expired"))
	body := app.Do(http.MethodPost, "/verify", map[string]any{"type": "email", "token_hash": hash}).OK()
	require.NotEmpty(t, body["refresh_token"])
}

func TestVerifyRefused(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	const oneAddress = "Only an email address or phone number should be provided on verify"
	const oneToken = "Verify requires either a token or a token hash"
	for _, test := range []struct {
		message string
		body    map[string]any
	}{
		{"Verify requires a verification type", map[string]any{"token": "1", "email": "a@b"}},
		{oneToken, map[string]any{"type": "signup", "email": "a@b"}},
		{oneToken, map[string]any{"type": "signup", "token": "1", "token_hash": "1"}},
		{oneAddress, map[string]any{"type": "signup", "token": "1"}},
		{oneAddress, map[string]any{"type": "signup", "token": "1", "email": "a@b", "phone": "1"}},
		{"Only the token_hash and type should be provided", map[string]any{"type": "signup", "token_hash": "1", "email": "a@b"}},
		{"Invalid email verification type", map[string]any{"type": "sms", "token_hash": "1"}},
		{"Invalid phone number format (E.164 required)", map[string]any{"type": "sms", "token": "1", "phone": "abc"}},
	} {
		got := app.Do(http.MethodPost, "/verify", test.body)
		require.Equal(t, test.message, got.Refused(http.StatusBadRequest, "validation_failed"))
	}
	app.Do(http.MethodPost, "/verify", map[string]any{"type": "signup", "token": "1", "email": "nobody"}).
		Refused(http.StatusUnprocessableEntity, "validation_failed")
	app.Do(http.MethodGet, "/verify?token=1", nil).Refused(http.StatusBadRequest, "validation_failed")
	app.Do(http.MethodGet, "/verify?type=signup", nil).Refused(http.StatusBadRequest, "validation_failed")
	require.Equal(t, "validation_failed", app.Do(http.MethodGet, "/verify?type=x&token=1", nil).Fragment().Get("error_code"))

	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	code := map[string]any{"type": "signup", "email": email, "token": mail.Last(email).Subject}
	app.Exec(`update users set banned_until = now() + interval '1 hour' where email = $1`, email)
	app.Do(http.MethodPost, "/verify", code).Refused(http.StatusForbidden, "user_banned")
	app.Exec(`update users set banned_until = null where email = $1`, email)
	app.Clock.Advance(24*time.Hour + time.Second)
	app.Do(http.MethodPost, "/verify", code).Refused(http.StatusForbidden, "otp_expired")
}

// A link leads to the site unless the project allows the target.
func TestVerifyLinkTarget(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.URIAllowList = []string{"https://*.preview.test/**"} })
	for asked, want := range map[string]string{
		"https://a.preview.test/x/y": "https://a.preview.test/x/y",
		"https://evil.test/":         apitest.SiteURL,
		"javascript:alert(1)":        apitest.SiteURL,
		"//evil.test":                apitest.SiteURL,
		"":                           apitest.SiteURL,
		apitest.SiteURL + "/p#old":   apitest.SiteURL + "/p",
	} {
		got := app.Do(http.MethodGet, "/verify?type=signup&token=0&redirect_to="+url.QueryEscape(asked), nil)
		target := got.Location()
		target.Fragment, target.RawFragment = "", ""
		require.Equal(t, want, target.String())
	}
}

func TestResend(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	resend := func(email string) *apitest.Response {
		return app.Do(http.MethodPost, "/resend", map[string]any{"type": "signup", "email": email})
	}
	require.Empty(t, resend(email).OK(), "nobody learns who has an account")
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	resend(email).Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
	app.Clock.Advance(61 * time.Second)
	require.Empty(t, resend(email).OK())
	require.Len(t, mail.To(email), 2)
	app.Do(http.MethodPost, "/verify", map[string]any{"type": "signup", "email": email, "token": mail.Last(email).Subject}).OK()
	app.Clock.Advance(61 * time.Second)
	require.Empty(t, resend(email).OK())
	require.Len(t, mail.To(email), 2)

	for _, body := range []map[string]any{
		{"type": "nothing", "email": email}, {"type": "signup"}, {"type": "signup", "email": "nobody"},
		{"type": "signup", "email": email, "phone": "12345678"}, {},
	} {
		app.Do(http.MethodPost, "/resend", body).Refused(http.StatusBadRequest, "validation_failed")
	}
}

func TestMailBudget(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t, func(c *conf.Config) {
		c.RateLimit.EmailSent = conf.Rate{Form: conf.RateWindow, Events: 1, Interval: time.Hour}
	})
	app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)).OK()
	email := apitest.NewEmail()
	require.Equal(t, "email rate limit exceeded",
		app.Do(http.MethodPost, "/signup", signUp(email, nil)).Refused(http.StatusTooManyRequests, "over_email_send_rate_limit"))
	require.Empty(t, mail.To(email))
	require.Equal(t, 1, app.Count(`select count(*) from users`))
	app.Clock.Advance(time.Hour)
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
}
