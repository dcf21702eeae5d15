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

// described are the metadata and identities of the only user with an address.
func described(app *apitest.App, email string) string {
	return app.Text(`select raw_user_meta_data::text || raw_app_meta_data::text || u.email_confirmed_at ||
		(select string_agg(i::text, ' ' order by i.id) from identities i where i.user_id = u.id)
		from users u where u.email = $1`, email)
}

func TestRecover(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user := app.User(t)
	known, before := len(actions(app)), described(app, user.Email)
	sent(t, ask(app, "/recover", user.Email))
	require.Equal(t, []string{"user_recovery_requested"}, actions(app)[known:])
	link := mail.Last(user.Email).Link(t)
	require.Equal(t, "recovery", link.Query().Get("type"))
	hash := link.Query().Get("token")
	require.Regexp(t, `^[0-9a-f]{56}$`, hash)
	require.Equal(t, hash+" "+hash, app.Text(`select concat_ws(' ', u.recovery_token, o.token_hash) from users u
		join one_time_tokens o on o.user_id = u.id and o.token_type = 'recovery_token' where u.recovery_sent_at is not null`))

	got := app.Do(http.MethodGet, link.RequestURI(), nil)
	require.Equal(t, http.StatusSeeOther, got.Status)
	session := got.Fragment()
	require.Equal(t, "recovery", session.Get("type"), "by which the app knows to ask for a new password")
	require.Equal(t, "otp", apitest.Claims(t, session.Get("access_token"))["amr"].([]any)[0].(map[string]any)["method"])
	require.Equal(t, []string{"user_recovery_requested", "login"}, actions(app)[known:])
	require.Equal(t, before, described(app, user.Email), "nothing new is known of this user")
	require.NotEqual(t, user.SessionID, apitest.Claims(t, session.Get("access_token"))["session_id"])
	require.Equal(t, 0, app.Count(`select count(*) from one_time_tokens`))

	app.Do(http.MethodPut, "/user", map[string]any{"password": "another password"}, apitest.Bearer(session.Get("access_token"))).OK()
	login(app, map[string]any{"email": user.Email, "password": "another password"}).OK()
}

// Who follows a recovery link owns the address, so it is confirmed as well.
func TestRecoverConfirms(t *testing.T) {
	t.Parallel()
	for name, redeem := range ways() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			email := waiting(app)
			sent(t, ask(app, "/recover", email))
			require.Equal(t, "recovery", linkType(t, mail, email))
			require.Equal(t, []string{"user_confirmation_requested", "user_recovery_requested"}, actions(app))
			require.Equal(t, "session", outcome(redeem(t, app, mail.Last(email), "recovery")))
			require.Equal(t, []string{"user_confirmation_requested", "user_recovery_requested", "user_signedup"}, actions(app))
			require.Equal(t, `{"provider": "email"}`, traits(app, "user_signedup"))
			require.Equal(t, "Ann true true", app.Text(`select concat_ws(' ', raw_user_meta_data->>'name', raw_user_meta_data->>'email_verified',
				i.identity_data->>'email_verified') from users u join identities i on i.user_id = u.id where u.email_confirmed_at = u.last_sign_in_at`))
			app.SignIn(t, email)
		})
	}
}

// The answer to a code shows the user as confirmed, like every later one.
func TestRecoverAnswersWithTheConfirmedUser(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	email := waiting(app)
	sent(t, ask(app, "/recover", email))
	session := ways()["typed"](t, app, mail.Last(email), "recovery").OK()
	shown := session["user"].(map[string]any)
	later := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(session["access_token"].(string))).OK()
	for _, name := range []string{"id", "email", "user_metadata", "app_metadata", "email_confirmed_at", "confirmed_at", "last_sign_in_at"} {
		require.Equal(t, later[name], shown[name], name)
	}
	require.Equal(t, true, shown["identities"].([]any)[0].(map[string]any)["identity_data"].(map[string]any)["email_verified"])
}

// Nobody learns who has an account.
func TestRecoverOfAnUnknownUser(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user, nobody := app.User(t), apitest.NewEmail()
	before := app.Snapshot()
	sent(t, ask(app, "/recover", nobody))
	sent(t, app.Do(http.MethodPost, "/recover", inFlow(map[string]any{"email": nobody}, verifierOf("app"))))
	sent(t, app.Do(http.MethodPost, "/recover", map[string]any{"email": user.Email}, apitest.Header("X-JWT-AUD", "other")))
	require.Equal(t, before, app.Snapshot())
	require.Empty(t, mail.To(nobody))
	require.Empty(t, mail.To(user.Email))
}

func TestRecoverRefused(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user := app.User(t)
	before := app.Snapshot()
	for message, body := range map[string]map[string]any{
		"Password recovery requires an email":                         {},
		"Unable to validate email address: invalid format":            {"email": "nobody"},
		"PKCE flow requires code_challenge_method and code_challenge": {"email": user.Email, "code_challenge": verifierOf("a")},
		"Invalid code_challenge_method": {
			"email": user.Email, "code_challenge": verifierOf("a"), "code_challenge_method": "md5",
		},
		"code challenge has to be between 43 and 128 characters": {
			"email": user.Email, "code_challenge": "short", "code_challenge_method": "s256",
		},
	} {
		require.Equal(t, message, app.Do(http.MethodPost, "/recover", body).Refused(http.StatusBadRequest, "validation_failed"))
	}
	app.Config.External.EmailEnabled = false
	require.Equal(t, "Email logins are disabled",
		ask(app.Replica(t), "/recover", user.Email).Refused(http.StatusBadRequest, "email_provider_disabled"))
	require.Equal(t, before, app.Snapshot())
	require.Empty(t, mail.To(user.Email))
}

// Recovery does not depend on whether magic links or sign-ups are allowed.
func TestRecoverWithoutMagicLinks(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t, func(c *conf.Config) { c.External.EmailMagicLinkEnabled, c.DisableSignup = false, true })
	user := app.User(t)
	sent(t, ask(app, "/recover", user.Email))
	require.Equal(t, "session", outcome(ways()["link"](t, app, mail.Last(user.Email), "recovery")))
}

func TestPKCERecover(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user, verifier := app.User(t), verifierOf("app")
	known, before, sessions := len(actions(app)), described(app, user.Email), app.Count(`select count(*) from sessions`)
	path := "/recover?redirect_to=" + url.QueryEscape(apitest.SiteURL+"/reset?a=1")
	sent(t, app.Do(http.MethodPost, path, inFlow(map[string]any{"email": user.Email}, verifier)))
	require.Equal(t, "recovery recovery s256", app.Text(`select concat_ws(' ', provider_type, authentication_method,
		code_challenge_method) from flow_state where user_id = $1 and auth_code_issued_at is null`, user.ID))
	require.Regexp(t, `^pkce_[0-9a-f]{56}$`, app.Text(`select recovery_token from users where id = $1`, user.ID))

	link := mail.Last(user.Email).Link(t)
	var followed, issued *apitest.Response
	require.LessOrEqual(t, app.Statements(func() { followed = app.Do(http.MethodGet, link.RequestURI(), nil) }), 2)
	code := followed.Location().Query().Get("code")
	require.Equal(t, apitest.SiteURL+"/reset?a=1&code="+code, followed.Header.Get("Location"))
	require.Equal(t, sessions, app.Count(`select count(*) from sessions`), "the code is not a session yet")
	require.Equal(t, 0, app.Count(`select count(*) from one_time_tokens`))
	exchange(app, code, verifierOf("thief")).Refused(http.StatusBadRequest, "bad_code_verifier")

	require.LessOrEqual(t, app.Statements(func() { issued = exchange(app, code, verifier) }), 3)
	session := issued.OK()
	require.Equal(t, "recovery", apitest.Claims(t, session["access_token"].(string))["amr"].([]any)[0].(map[string]any)["method"])
	require.Equal(t, []string{"user_recovery_requested", "login", "login"}, actions(app)[known:])
	require.Equal(t, `{"provider_type": "recovery"}`, traits(app, "login"))
	require.Equal(t, before, described(app, user.Email))
	exchange(app, code, verifier).Refused(http.StatusNotFound, "flow_state_not_found")
	app.Do(http.MethodPut, "/user", map[string]any{"password": "another password"}, apitest.Bearer(session["access_token"].(string))).OK()
	login(app, map[string]any{"email": user.Email, "password": "another password"}).OK()
	for _, secret := range []string{code, verifier, link.Query().Get("token"), user.Email} {
		require.NotContains(t, app.Log.String(), secret)
	}
}

func TestPKCERecoverConfirms(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	email := waiting(app)
	sent(t, app.Do(http.MethodPost, "/recover", inFlow(map[string]any{"email": email}, verifierOf("app"))))
	code := codeOf(t, app, mail, email)
	require.Equal(t, []string{"user_confirmation_requested", "user_recovery_requested", "user_signedup"}, actions(app))
	require.Equal(t, "true true", app.Text(`select concat_ws(' ', raw_user_meta_data->>'email_verified', i.identity_data->>'email_verified')
		from users u join identities i on i.user_id = u.id where u.email_confirmed_at is not null and u.last_sign_in_at is null`))
	exchange(app, code, verifierOf("app")).OK()
	require.Equal(t, "login", actions(app)[3])
}

// The time of a recovery's flow starts with the mail: a late link leads back
// to the app all the same, but signs nobody in.
func TestPKCERecoverExpires(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		click, exchange time.Duration // shares of the flow's life
		expired         bool
	}{
		"in time":        {-time.Minute, 30 * time.Second, false},
		"opened late":    {time.Second, 0, true},
		"exchanged late": {-time.Minute, 61 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			email := waiting(app)
			sent(t, app.Do(http.MethodPost, "/recover", inFlow(map[string]any{"email": email}, verifierOf("app"))))
			app.Clock.Advance(app.Config.External.FlowStateExpiryDuration + test.click)
			code := codeOf(t, app, mail, email)
			app.Clock.Advance(test.exchange)
			got := exchange(app, code, verifierOf("app"))
			if !test.expired {
				got.OK()
				return
			}
			require.Equal(t, "invalid flow state, flow state has expired",
				got.Refused(http.StatusUnprocessableEntity, "flow_state_expired"))
			require.Equal(t, 0, app.Count(`select count(*) from sessions`))
			app.SignIn(t, email) // the address is confirmed
		})
	}
}

// The link carries the target that was asked for, if the project allows it.
func TestMailedRedirectTargets(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t, func(c *conf.Config) { c.URIAllowList = []string{"https://*.preview.test/**", "com.example.app://**"} })
	user := app.User(t)
	for name, test := range map[string]struct {
		query, header, referer, want string
	}{
		"none":             {"", "", "", apitest.SiteURL},
		"allowed":          {"https://a.preview.test/x", "", "", "https://a.preview.test/x"},
		"with a query":     {"https://a.preview.test/x?b=1&c=2", "", "", "https://a.preview.test/x?b=1&c=2"},
		"of an app":        {"com.example.app://reset", "", "", "com.example.app://reset"},
		"header wins":      {"https://a.preview.test/x", "https://b.preview.test/y", "", "https://b.preview.test/y"},
		"referrer":         {"", "", "https://a.preview.test/z", "https://a.preview.test/z"},
		"foreign":          {"https://evil.test/", "", "", apitest.SiteURL},
		"foreign referrer": {"https://evil.test/", "", "https://evil.test/x", apitest.SiteURL},
		"script":           {"javascript:alert(1)", "", "", apitest.SiteURL},
		"no scheme":        {"//evil.test", "", "", apitest.SiteURL},
		"line break":       {"https://a.preview.test/x\r\nSet-Cookie: a=b", "", "", apitest.SiteURL},
		"user information": {"https://app.test@evil.test/", "", "", apitest.SiteURL},
		"site in disguise": {"https://app.test.evil.test/", "", "", apitest.SiteURL},
	} {
		for _, path := range mailPaths() {
			app.Clock.Advance(61 * time.Second)
			options := []apitest.Option{apitest.Header("Referer", test.referer)}
			if test.header != "" {
				options = append(options, apitest.Header("redirect_to", test.header))
			}
			sent(t, app.Do(http.MethodPost, path+"?redirect_to="+url.QueryEscape(test.query), map[string]any{"email": user.Email}, options...))
			link := mail.Last(user.Email).Link(t)
			require.Equal(t, "auth.test/verify", link.Host+link.Path)
			require.Equal(t, test.want, link.Query().Get("redirect_to"), "%s %s", path, name)
			if path != "/recover" {
				continue
			}
			location, _, found := cutFragment(app.Do(http.MethodGet, link.RequestURI(), nil))
			require.True(t, found)
			require.Equal(t, test.want, location, name)
		}
	}
}

// cutFragment takes the target of a redirect apart.
func cutFragment(got *apitest.Response) (target, fragment string, found bool) {
	location := got.Location()
	fragment = location.Fragment
	location.Fragment, location.RawFragment = "", ""
	return location.String(), fragment, fragment != ""
}

// Links lead to the host that the operator listed and the path that is
// configured; magic links share that of recovery.
func TestMailedLinkBase(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t, func(c *conf.Config) {
		c.Mailer.ExternalHosts, c.Mailer.URLPaths.Recovery = []string{"auth.shop.test"}, "/account/open"
	})
	user := app.User(t)
	for host, want := range map[string]string{
		"": "https://auth.test", "auth.shop.test": "https://auth.shop.test", "evil.test": "https://auth.test", "auth.shop.test:1": "https://auth.test",
	} {
		for _, path := range mailPaths() {
			app.Clock.Advance(61 * time.Second)
			sent(t, app.Do(http.MethodPost, path, map[string]any{"email": user.Email}, apitest.Header("X-Forwarded-Host", host)))
			link := mail.Last(user.Email).Link(t)
			require.Equal(t, want+"/account/open", link.Scheme+"://"+link.Host+link.Path, path)
		}
	}
	email := waiting(app)
	require.Equal(t, "/verify", mail.Last(email).Link(t).Path)
}
