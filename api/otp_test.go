package api_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// mailing is a server that confirms sign-ups by mail and writes the code into
// the subject of every mail.
func mailing(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *apitest.Mail) {
	t.Helper()
	codes := func(c *conf.Config) {
		c.Mailer.Subjects.Recovery, c.Mailer.Subjects.MagicLink = "{{ .Token }}", "{{ .Token }}"
	}
	return confirming(t, append([]func(*conf.Config){codes}, options...)...)
}

// ask requests a mail for an address.
func ask(app *apitest.App, path, email string) *apitest.Response {
	return app.Do(http.MethodPost, path, map[string]any{"email": email})
}

// sent demands the empty answer that tells nothing about who has an account.
func sent(t *testing.T, got *apitest.Response) {
	t.Helper()
	require.Equal(t, http.StatusOK, got.Status, "%s", got.Body)
	require.Equal(t, "{}", strings.TrimSpace(string(got.Body)))
}

// waiting is the address of a user who has not confirmed it yet, and who may
// be sent another mail by now.
func waiting(app *apitest.App) string {
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", signUp(email, map[string]any{"name": "Ann"})).OK()
	app.Clock.Advance(61 * time.Second)
	return email
}

// linkType is what the link of the newest mail says that it is.
func linkType(t *testing.T, mail *apitest.Mail, email string) string {
	t.Helper()
	return mail.Last(email).Link(t).Query().Get("type")
}

// traits are the details of the newest audit entry of an action.
func traits(app *apitest.App, action string) string {
	return app.Text(`select (payload->'traits')::jsonb::text from audit_log_entries
		where payload->>'action' = $1 order by created_at desc limit 1`, action)
}

// mailPaths are the routes that mail a code for no more than an address.
func mailPaths() []string { return []string{"/otp", "/magiclink", "/recover"} }

// Whoever has no account gets one, still to be confirmed, and nobody knows its
// password.
func TestMagicLinkOfAnUnknownUser(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/otp", "/magiclink"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			email := apitest.NewEmail()
			sent(t, app.Do(http.MethodPost, path, map[string]any{
				"email": "UPPER-" + email, "data": map[string]any{"name": "Ann", "sub": "forged", "email_verified": true},
			}))
			email = "upper-" + email
			require.Equal(t, "signup", linkType(t, mail, email))
			require.Equal(t, []string{"user_confirmation_requested"}, actions(app))
			require.Equal(t, `{"provider": "email"}`, traits(app, "user_confirmation_requested"))
			require.Equal(t, "Ann false", app.Text(`select concat_ws(' ', raw_user_meta_data->>'name', raw_user_meta_data->>'email_verified')
				from users where email = $1 and email_confirmed_at is null and last_sign_in_at is null
				and encrypted_password <> '' and confirmation_sent_at is not null and recovery_sent_at is null`, email))
			require.Equal(t, "confirmation_token "+email, app.Text(`select concat_ws(' ', token_type, relates_to) from one_time_tokens`))
			require.Equal(t, "email", app.Text(`select provider from identities where email = $1`, email))
			require.Equal(t, 0, app.Count(`select count(*) from sessions`))
			login(app, map[string]any{"email": email, "password": ""}).Refused(http.StatusBadRequest, "invalid_credentials")

			app.Do(http.MethodPost, "/verify", map[string]any{
				"type": "email", "email": email, "token": mail.Last(email).Subject,
			}).OK()
			require.Equal(t, []string{"user_confirmation_requested", "user_signedup"}, actions(app))
		})
	}
}

// Who waits for a confirmation gets another one; what the request says about
// the user is ignored, since anybody may have sent it.
func TestMagicLinkOfAWaitingUser(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/otp", "/magiclink"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			email := waiting(app)
			sent(t, app.Do(http.MethodPost, path, map[string]any{"email": email, "data": map[string]any{"name": "Eve"}}))
			require.Len(t, mail.To(email), 2)
			require.Equal(t, "signup", linkType(t, mail, email))
			require.Equal(t, "Ann", app.Text(`select raw_user_meta_data->>'name' from users`))
			require.Equal(t, []string{"user_confirmation_requested", "user_confirmation_requested"}, actions(app))
			app.Do(http.MethodPost, "/verify", map[string]any{
				"type": "signup", "email": email, "token": mail.Last(email).Subject,
			}).OK()
			app.SignIn(t, email)
		})
	}
}

func TestMagicLinkOfAConfirmedUser(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/otp", "/magiclink"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			user := app.User(t)
			known := len(actions(app))
			sent(t, app.Do(http.MethodPost, path, map[string]any{
				"email": strings.ToUpper(user.Email), "data": map[string]any{"name": "Eve"},
			}))
			require.Equal(t, "magiclink", linkType(t, mail, user.Email))
			require.Equal(t, []string{"user_recovery_requested"}, actions(app)[known:])
			require.Equal(t, "recovery_token "+user.Email, app.Text(`select concat_ws(' ', token_type, relates_to) from one_time_tokens`))
			require.Empty(t, app.Text(`select raw_user_meta_data->>'name' from users where id = $1`, user.ID))
			require.NotEmpty(t, app.Text(`select recovery_sent_at::text from users where confirmation_sent_at is null`))

			got := app.Do(http.MethodGet, mail.Last(user.Email).Link(t).RequestURI(), nil)
			require.Equal(t, "magiclink", got.Fragment().Get("type"))
			claims := apitest.Claims(t, got.Fragment().Get("access_token"))
			require.Equal(t, user.ID, claims["sub"])
			require.Equal(t, "otp", claims["amr"].([]any)[0].(map[string]any)["method"])
			require.Equal(t, []string{"user_recovery_requested", "login"}, actions(app)[known:])
			app.SignIn(t, user.Email)
		})
	}
}

func TestOTPOfExistingUsersOnly(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user, unconfirmed, nobody := app.User(t), waiting(app), apitest.NewEmail()
	existing := func(email string) *apitest.Response {
		return app.Do(http.MethodPost, "/otp", map[string]any{"email": email, "create_user": false})
	}
	before := app.Snapshot()
	for _, email := range []string{nobody, "malformed", ""} {
		require.Equal(t, "Signups not allowed for otp",
			existing(email).Refused(http.StatusUnprocessableEntity, "otp_disabled"), email)
	}
	require.Equal(t, before, app.Snapshot())
	require.Empty(t, mail.To(nobody))

	sent(t, existing(user.Email))
	require.Equal(t, "magiclink", linkType(t, mail, user.Email))
	sent(t, existing(unconfirmed))
	require.Equal(t, "signup", linkType(t, mail, unconfirmed))
	sent(t, app.Do(http.MethodPost, "/otp", map[string]any{"email": nobody, "create_user": true}))
	require.Equal(t, "signup", linkType(t, mail, nobody))
}

func TestOTPWithoutSignUps(t *testing.T) {
	t.Parallel()
	for _, autoconfirm := range []bool{false, true} {
		app, mail := mailing(t, func(c *conf.Config) { c.DisableSignup, c.Mailer.Autoconfirm = true, autoconfirm })
		user, nobody := app.User(t), apitest.NewEmail()
		before := app.Snapshot()
		for _, path := range []string{"/otp", "/magiclink"} {
			require.Equal(t, "Signups not allowed for this instance",
				ask(app, path, nobody).Refused(http.StatusUnprocessableEntity, "signup_disabled"))
		}
		require.Equal(t, before, app.Snapshot())
		require.Empty(t, mail.To(nobody))
		sent(t, ask(app, "/otp", user.Email))
		require.Equal(t, "magiclink", linkType(t, mail, user.Email))
	}
}

// Where addresses are confirmed at once even a first visit is answered with a
// magic link, and only the link signs in.
func TestOTPAutoconfirmed(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t, func(c *conf.Config) { c.Mailer.Autoconfirm = true })
	email := apitest.NewEmail()
	sent(t, app.Do(http.MethodPost, "/otp", map[string]any{"email": email, "data": map[string]any{"name": "Ann"}}))
	require.Equal(t, "magiclink", linkType(t, mail, email))
	require.Equal(t, "Ann true", app.Text(`select concat_ws(' ', raw_user_meta_data->>'name', raw_user_meta_data->>'email_verified')
		from users where email_confirmed_at is not null and encrypted_password <> ''`))
	require.Equal(t, 0, app.Count(`select count(*) from sessions`))
	require.ElementsMatch(t, []string{"user_signedup", "user_recovery_requested"}, actions(app))
	app.Do(http.MethodPost, "/verify", map[string]any{
		"type": "magiclink", "email": email, "token": mail.Last(email).Subject,
	}).OK()
	require.Equal(t, "login", actions(app)[2])

	unconfirmed := app.User(t)
	app.Exec(`update users set email_confirmed_at = null where id = $1`, unconfirmed.ID)
	sent(t, ask(app, "/otp", unconfirmed.Email))
	require.Equal(t, "magiclink", linkType(t, mail, unconfirmed.Email))
	app.Do(http.MethodGet, mail.Last(unconfirmed.Email).Link(t).RequestURI(), nil).Location()
	require.NotEmpty(t, app.Text(`select email_confirmed_at::text from users where id = $1`, unconfirmed.ID))
}

func TestMagicLinkRefused(t *testing.T) {
	t.Parallel()
	noEmail := func(c *conf.Config) { c.External.EmailEnabled = false }
	noLinks := func(c *conf.Config) { c.External.EmailMagicLinkEnabled = false }
	good := map[string]any{"email": "ann@example.test"}
	const invalid = "Unable to validate email address: invalid format"
	for _, test := range []struct {
		name, path string
		option     func(*conf.Config)
		body       map[string]any
		status     int
		code       string
		message    string
	}{
		{"e-mail off", "/otp", noEmail, good, 422, "email_provider_disabled", "Email logins are disabled"},
		{"e-mail off", "/magiclink", noEmail, good, 422, "email_provider_disabled", "Email logins are disabled"},
		{"links off", "/otp", noLinks, good, 422, "email_provider_disabled", "Login with magic link is disabled"},
		{"links off", "/magiclink", noLinks, good, 422, "email_provider_disabled", "Login with magic link is disabled"},
		{"nothing", "/otp", nil, map[string]any{}, 400, "validation_failed", "One of email or phone must be set"},
		{"nothing", "/magiclink", nil, map[string]any{}, 422, "validation_failed", "Password recovery requires an email"},
		{"malformed", "/otp", nil, map[string]any{"email": "a b@c"}, 400, "validation_failed", invalid},
		{"malformed", "/magiclink", nil, map[string]any{"email": "a b@c"}, 400, "validation_failed", invalid},
		{
			"both", "/otp", nil, map[string]any{"email": "a@b", "phone": "12345678"}, 400, "validation_failed",
			"Only an email address or phone number should be provided",
		},
		{
			"channel", "/otp", nil, map[string]any{"email": "a@b", "channel": "sms"}, 400, "validation_failed",
			"Channel should only be specified with Phone OTP",
		},
		{"phone", "/otp", nil, map[string]any{"phone": "12345678"}, 400, "phone_provider_disabled", "Unsupported phone provider"},
		{
			"half a challenge", "/otp", nil, map[string]any{"email": "a@b", "code_challenge_method": "s256"}, 400, "validation_failed",
			"PKCE flow requires code_challenge_method and code_challenge",
		},
		{
			"half a challenge", "/magiclink", nil, map[string]any{"email": "a@b", "code_challenge": verifierOf("a")}, 400, "validation_failed",
			"PKCE flow requires code_challenge_method and code_challenge",
		},
	} {
		t.Run(test.name+test.path, func(t *testing.T) {
			t.Parallel()
			option := test.option
			if option == nil {
				option = func(*conf.Config) {}
			}
			app, mail := mailing(t, option)
			before := app.Snapshot()
			require.Equal(t, test.message, app.Do(http.MethodPost, test.path, test.body).Refused(test.status, test.code))
			require.Equal(t, before, app.Snapshot())
			require.Empty(t, mail.To("ann@example.test"))
		})
	}
}

// seconds is the time that a refusal tells the user to wait.
func seconds(t *testing.T, got *apitest.Response) int {
	t.Helper()
	message := got.Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
	found := regexp.MustCompile(`^For security purposes, you can only request this after (\d+) seconds\.$`).FindStringSubmatch(message)
	require.Len(t, found, 2, message)
	wait, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return wait
}

// A user gets one mail of a kind a minute. Magic links and recovery are of one
// kind, confirmations of another.
func TestMailCoolDown(t *testing.T) {
	t.Parallel()
	for _, path := range mailPaths() {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			user := app.User(t)
			sent(t, ask(app, path, user.Email))
			before := app.Snapshot()
			for _, other := range mailPaths() {
				require.InDelta(t, 57, seconds(t, ask(app, other, user.Email)), 3, other)
			}
			app.Clock.Advance(30 * time.Second)
			require.InDelta(t, 27, seconds(t, ask(app, path, strings.ToUpper(user.Email))), 3)
			require.Equal(t, before, app.Snapshot())
			require.Len(t, mail.To(user.Email), 1)
			app.Clock.Advance(31 * time.Second)
			sent(t, ask(app, path, user.Email))
			require.Len(t, mail.To(user.Email), 2)
		})
	}
	t.Run("confirmation", func(t *testing.T) {
		t.Parallel()
		app, mail := mailing(t)
		email := apitest.NewEmail()
		sent(t, ask(app, "/otp", email))
		require.InDelta(t, 57, seconds(t, ask(app, "/magiclink", email)), 3)
		sent(t, ask(app, "/recover", email))
		require.Len(t, mail.To(email), 2)
	})
}

func TestMailBudgetOfCodes(t *testing.T) {
	t.Parallel()
	for _, path := range mailPaths() {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t, func(c *conf.Config) {
				c.RateLimit.EmailSent = conf.Rate{Form: conf.RateWindow, Events: 1, Interval: time.Hour}
			})
			first, second := app.User(t), app.User(t)
			sent(t, ask(app, "/recover", apitest.NewEmail())) // no mail, no budget
			sent(t, ask(app, path, first.Email))
			before := app.Snapshot()
			require.Equal(t, "email rate limit exceeded",
				ask(app, path, second.Email).Refused(http.StatusTooManyRequests, "over_email_send_rate_limit"))
			require.Equal(t, before, app.Snapshot())
			require.Empty(t, mail.To(second.Email))
			sent(t, ask(app, "/recover", apitest.NewEmail()))
			app.Clock.Advance(time.Hour)
			sent(t, ask(app, path, second.Email))
		})
	}
}

// Whoever could not be sent a mail may ask again at once.
func TestCodesWhenMailFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, path, message string
		user                func(t *testing.T, app *apitest.App) string
	}{
		{"magic link", "/otp", "Error sending magic link email", confirmedUser},
		{"magic link of the older route", "/magiclink", "Error sending magic link email", confirmedUser},
		{"recovery", "/recover", "Error sending recovery email", confirmedUser},
		{"recovery of a waiting user", "/recover", "Error sending recovery email", func(_ *testing.T, app *apitest.App) string { return waiting(app) }},
		{"new user", "/otp", "Error sending confirmation email", func(*testing.T, *apitest.App) string { return apitest.NewEmail() }},
		{"waiting user", "/magiclink", "Error sending confirmation email", func(_ *testing.T, app *apitest.App) string { return waiting(app) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			email := test.user(t, app)
			earlier := len(mail.To(email))
			mail.Refuse(true)
			for range 2 {
				require.Equal(t, test.message, ask(app, test.path, email).Refused(http.StatusInternalServerError, "unexpected_failure"))
			}
			mail.Refuse(false)
			sent(t, ask(app, test.path, email))
			require.Len(t, mail.To(email), earlier+1)
			got := app.Do(http.MethodGet, mail.Last(email).Link(t).RequestURI(), nil)
			require.NotEmpty(t, got.Fragment().Get("access_token"), got.Header.Get("Location"))
			require.NotContains(t, app.Log.String(), email)
		})
	}
}

// confirmedUser is the address of a user who may be sent codes.
func confirmedUser(t *testing.T, app *apitest.App) string {
	t.Helper()
	return app.User(t).Email
}

// Eight first visits at once: one user, one mail, and no server error.
func TestOTPRace(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	email := apitest.NewEmail()
	for _, got := range concurrently(8, func(int) *apitest.Response { return ask(app, "/otp", email) }) {
		switch got.Status {
		case http.StatusOK:
		case http.StatusTooManyRequests:
			got.Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
		default:
			got.Refused(http.StatusUnprocessableEntity, "user_already_exists")
		}
	}
	require.Equal(t, 1, app.Count(`select count(*) from users`))
	require.Equal(t, 1, app.Count(`select count(*) from one_time_tokens`))
	require.Len(t, mail.To(email), 1)
}

// However many mails are asked for at once, one is sent, and its code works.
func TestCodesAskedForAtOnce(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user := app.User(t)
	servers := []*apitest.App{app, app.Replica(t)}
	for _, got := range concurrently(8, func(i int) *apitest.Response { return ask(servers[i%2], "/recover", user.Email) }) {
		if got.Status != http.StatusOK {
			got.Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
		}
	}
	require.Equal(t, 1, app.Count(`select count(*) from one_time_tokens`))
	letters := mail.To(user.Email)
	require.Len(t, letters, 1)
	require.True(t, app.Do(http.MethodGet, letters[0].Link(t).RequestURI(), nil).Fragment().Has("access_token"))
}

// Each route has a bucket of its own for each client.
func TestCodesLimitedPerClient(t *testing.T) {
	t.Parallel()
	app, _ := mailing(t, func(c *conf.Config) { c.RateLimit.Header = "X-Forwarded-For" })
	ask := func(path, ip string) *apitest.Response {
		return app.Do(http.MethodPost, path, map[string]any{"email": "malformed"}, apitest.Header("X-Forwarded-For", ip))
	}
	for _, path := range mailPaths() {
		for range 30 {
			ask(path, "192.0.2.1").Refused(http.StatusBadRequest, "validation_failed")
		}
		ask(path, "192.0.2.1").Refused(http.StatusTooManyRequests, "over_request_rate_limit")
		ask(path, "192.0.2.2").Refused(http.StatusBadRequest, "validation_failed")
	}
}

// What a stranger may send, no server error comes of it and nothing is written.
func TestCodesBadInput(t *testing.T) {
	t.Parallel()
	app, _ := mailing(t)
	app.User(t)
	before := app.Snapshot()
	for _, path := range mailPaths() {
		for name, body := range map[string]string{
			"empty": "", "cut off": `{"email":`, "no JSON": "hello", "an array": "[]", "a number": "7", "null": "null",
			"wrong type": `{"email": 7}`, "object": `{"email": {}}`, "NUL": `{"email": "a\u0000@b"}`, "raw NUL": "{\"email\": \"a\x00@b\"}",
			"not UTF-8": "{\"email\": \"a\xff@b\"}", "long": `{"email": "` + strings.Repeat("a", 300) + `@b"}`,
			"line": `{"email": "a@b\r\nBcc: c@d"}`, "list": `{"email": "a@b,c@d"}`, "no data": `{"data": [1], "email": "a@b"}`,
			"no challenge": `{"email": "a@b", "code_challenge": 1}`, "form": "email=a%40b",
			"too deep": `{"email": "a@b", "data": ` + strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_001),
		} {
			if path == "/recover" && name == "no data" {
				continue // unknown members are ignored
			}
			got := app.Do(http.MethodPost, path, body)
			refusedSomehow(t, got, path+" "+name)
		}
		app.Do(http.MethodPost, path, `{"a":"`+strings.Repeat("x", 1<<20)+`"}`).
			Refused(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	}
	for name, body := range map[string]string{
		"NUL":    `{"email": "new@example.test", "data": {"a": ["\u0000"]}}`,
		"number": `{"email": "new@example.test", "data": {"a": 1e999}}`,
	} {
		for _, path := range []string{"/otp", "/magiclink"} {
			refusedSomehow(t, app.Do(http.MethodPost, path, body), path+" data "+name)
		}
	}
	for _, audience := range []string{strings.Repeat("a", 300), "\xff"} {
		refusedSomehow(t, app.Do(http.MethodPost, "/otp", map[string]any{"email": "new@example.test"},
			apitest.Header("X-JWT-AUD", audience)), "audience")
	}
	require.Equal(t, before, app.Snapshot())
}

// What a mail costs the database, BEGIN and COMMIT not counted.
func TestCodesStatements(t *testing.T) {
	t.Parallel()
	app, _ := mailing(t)
	user, unconfirmed := app.User(t), waiting(app)
	for _, test := range []struct {
		path, email string
		budget      int
	}{
		{"/otp", user.Email, 2},
		{"/magiclink", user.Email, 2},
		{"/recover", user.Email, 2},
		{"/otp", unconfirmed, 2},
		{"/recover", unconfirmed, 2},
		{"/otp", apitest.NewEmail(), 2},
		{"/recover", apitest.NewEmail(), 1},
		{"/recover", "malformed", 0},
	} {
		app.Clock.Advance(61 * time.Second)
		require.LessOrEqual(t, app.Statements(func() { ask(app, test.path, test.email) }), test.budget, test.path)
	}
	app.Clock.Advance(61 * time.Second)
	sent(t, ask(app, "/otp", user.Email))
	require.LessOrEqual(t, app.Statements(func() { seconds(t, ask(app, "/otp", user.Email)) }), 1, "refused")
}
