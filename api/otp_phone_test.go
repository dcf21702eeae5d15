package api_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// A code by text signs a new user up, and a known one in.
func TestPhoneOTP(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	phone := newPhone()
	post(app, "/otp", map[string]any{"phone": phone, "create_user": false}).Refused(http.StatusUnprocessableEntity, "otp_disabled")
	post(app, "/otp", map[string]any{"phone": "bad", "create_user": false}).Refused(http.StatusUnprocessableEntity, "otp_disabled")
	sent(t, post(app, "/otp", map[string]any{"phone": "+" + phone, "data": map[string]any{"a": 1}, "channel": "pigeon"}))
	first := textedTo(hook, phone)
	require.JSONEq(t, `{"provider": "phone"}`, traits(app, "user_confirmation_requested"))
	askText(app, phone).Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")

	app.Clock.Advance(61 * time.Second)
	verifyPhone(app, "sms", phone, first).Refused(http.StatusForbidden, "otp_expired") // SMS_OTP_EXP
	sent(t, askText(app, phone))
	second := textedTo(hook, phone)
	verifyPhone(app, "sms", phone, first).Refused(http.StatusForbidden, "otp_expired")
	user := verifyPhone(app, "sms", phone, second).OK()["user"].(map[string]any)
	require.InDelta(t, 1, user["user_metadata"].(map[string]any)["a"], 0)

	app.Clock.Advance(time.Minute)
	sent(t, post(app, "/otp", map[string]any{"phone": phone, "channel": "pigeon", "create_user": false}))
	require.JSONEq(t, `{"channel": "pigeon"}`, traits(app, "user_recovery_requested"))
	again := verifyPhone(app, "sms", phone, textedTo(hook, phone)).OK()
	require.Equal(t, user["id"], again["user"].(map[string]any)["id"])
	require.Equal(t, "otp", apitest.Claims(t, again["access_token"].(string))["amr"].([]any)[0].(map[string]any)["method"])

	app.Clock.Advance(time.Minute)
	sent(t, askText(app, phone))
	app.Exec(`update users set banned_until = now() + interval '1 day'`)
	verifyPhone(app, "sms", phone, textedTo(hook, phone)).Refused(http.StatusForbidden, "user_banned")
}

func TestPhoneOTPSettings(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	waits, fresh, third := newPhone(), newPhone(), newPhone()
	askText(app, waits).OK()
	app.Clock.Advance(time.Minute)

	app.Config.DisableSignup = true
	closed := app.Replica(t)
	for _, phone := range []string{waits, fresh} {
		askText(closed, phone).Refused(http.StatusUnprocessableEntity, "signup_disabled")
	}
	app.Config.DisableSignup, app.Config.SMS.Autoconfirm = false, true
	auto := app.Replica(t)
	for _, phone := range []string{waits, fresh} {
		sent(t, askText(auto, phone))
		require.Equal(t, 1, app.Count(`select count(*) from users where phone = $1 and phone_confirmed_at is not null`, phone))
		verifyPhone(auto, "sms", phone, textedTo(hook, phone)).OK()
	}
	app.Config.External.PhoneEnabled = false
	require.Equal(t, "Unsupported phone provider",
		askText(app.Replica(t), third).Refused(http.StatusBadRequest, "phone_provider_disabled"))
	require.Equal(t, 2, app.Count(`select count(*) from users`))
}

// Test phones have a fixed code, are sent nothing, and pause all the same.
func TestTestPhones(t *testing.T) {
	t.Parallel()
	const phone = "15550001001"
	app, hook := texting(t, func(c *conf.Config) {
		c.SMS.TestOTP = map[string]string{phone: "424242"}
		c.RateLimit.SMSSent = conf.Rate{Form: conf.RateWindow, Events: 0, Interval: time.Hour}
	})
	sent(t, askText(app, phone))
	askText(app, phone).Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")
	verifyPhone(app, "sms", phone, "424243").Refused(http.StatusForbidden, "otp_expired")
	token := verifyPhone(app, "sms", phone, "424242").OK()["access_token"].(string)
	app.Clock.Advance(30 * time.Minute)
	verifyPhone(app, "sms", phone, "424242").OK() // at any time, as often as one likes
	require.Equal(t, "test-otp", askText(app, phone).OK()["message_id"])
	require.Equal(t, "test-otp", app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token)).OK()["message_id"])
	require.Empty(t, allTextedTo(hook, phone))
	require.Equal(t, "SMS rate limit exceeded", askText(app, newPhone()).Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit"))

	app.Config.SMS.TestOTPValidUntil = app.Clock.Now().Add(time.Minute)
	ending := app.Replica(t)
	verifyPhone(ending, "sms", phone, "424242").OK()
	app.Clock.Advance(time.Minute)
	verifyPhone(ending, "sms", phone, "424242").Refused(http.StatusForbidden, "otp_expired")
	require.Equal(t, 1, app.Count(`select count(*) from users`))
}

func TestTextBudget(t *testing.T) {
	t.Parallel()
	app, hook := texting(t, func(c *conf.Config) {
		c.RateLimit.SMSSent = conf.Rate{Form: conf.RateWindow, Events: 2, Interval: 2 * time.Minute}
		c.SMS.MaxFrequency = time.Nanosecond
	})
	phone, token := phoneUser(t, app)
	askText(app, phone).OK()
	app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token)).OK()
	before := app.Snapshot()
	for name, got := range map[string]*apitest.Response{
		"otp": askText(app, phone), "new": askText(app, newPhone()), "signup": signUpPhone(app, newPhone()),
		"reauthenticate": app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token)),
		"change":         putAs(app, token, map[string]any{"phone": newPhone(), "data": map[string]any{"a": 1}}),
	} {
		require.Equal(t, "SMS rate limit exceeded", got.Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit"), name)
	}
	require.Equal(t, before, app.Snapshot(), "what was refused changed nothing")
	require.Len(t, allTextedTo(hook, phone), 2)
	app.Clock.Advance(2 * time.Minute)
	askText(app, phone).OK()

	app.Config.SMS.Autoconfirm, app.Config.RateLimit.SMSSent.Events = true, 0
	askText(app.Replica(t), phone).OK()
}

// Of many requests with one code exactly one gets a session, whichever replica
// they come to: the access token hook lets none go on before all have found the
// code pending.
func TestPhoneCodeRace(t *testing.T) {
	t.Parallel()
	const requests = 8
	tokenHook := newHTTPHook(t)
	var barrier atomic.Pointer[sync.WaitGroup]
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if all := barrier.Load(); all != nil {
			arrived := make(chan struct{})
			go func() { all.Done(); all.Wait(); close(arrived) }()
			select {
			case <-arrived:
			case <-r.Context().Done(): // some never came: the test fails, it does not hang
			}
		}
		tokenHook.ServeHTTP(w, r)
	}))
	t.Cleanup(gate.Close)
	app, hook := texting(t, func(c *conf.Config) {
		c.Hook.CustomAccessToken = conf.HookPoint{Enabled: true, URI: gate.URL, Secrets: []string{hookSecret}}
	})
	replica := app.Replica(t)
	user, change, phone := app.User(t), newPhone(), newPhone()
	putAs(app, user.AccessToken, map[string]any{"phone": change}).OK()
	askText(app, phone).OK()
	for kind, to := range map[string]string{"sms": phone, "phone_change": change} {
		code, all := textedTo(hook, to), new(sync.WaitGroup)
		all.Add(requests)
		barrier.Store(all)
		statuses := make([]int, requests)
		var wait sync.WaitGroup
		for i := range statuses {
			server := []*apitest.App{app, replica}[i%2]
			wait.Go(func() { statuses[i] = verifyPhone(server, kind, to, code).Status })
		}
		wait.Wait()
		require.Equal(t, 1, countOf(statuses, http.StatusOK), "%s %v", kind, statuses)
		require.Equal(t, requests-1, countOf(statuses, http.StatusForbidden), "%s %v", kind, statuses)
	}
	require.Equal(t, 3, app.Count(`select count(*) from sessions`))
}

// Of many requests for a text one sends it.
func TestPhoneOTPAskedAtOnce(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	replica := app.Replica(t)
	phone, token := phoneUser(t, app)
	change := newPhone()
	for to, ask := range map[string]func(*apitest.App) int{
		phone:  func(a *apitest.App) int { return askText(a, phone).Status },
		change: func(a *apitest.App) int { return putAs(a, token, map[string]any{"phone": change}).Status },
	} {
		statuses := make([]int, 6)
		var wait sync.WaitGroup
		for i := range statuses {
			server := []*apitest.App{app, replica}[i%2]
			wait.Go(func() { statuses[i] = ask(server) })
		}
		wait.Wait()
		require.Len(t, allTextedTo(hook, to), 1, "%v", statuses)
		require.Equal(t, 6, countOf(statuses, http.StatusOK)+countOf(statuses, http.StatusTooManyRequests), "%v", statuses)
	}
}

// A text proves a phone and nothing else: its code makes no link that confirms
// the e-mail address, and it does not go with another type.
func TestPhoneCodeIsNoLink(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	email, phone := apitest.NewEmail(), newPhone()
	app.Do(http.MethodPost, "/admin/users", map[string]any{"email": email, "phone": phone}, apitest.Bearer(app.ServiceKey())).OK()
	askText(app, phone).OK()
	code, hash := textedTo(hook, phone), app.Text(`select confirmation_token from users`)
	require.Len(t, hash, 56)
	for _, kind := range []string{"signup", "invite", "email"} {
		post(app, "/verify", map[string]any{"type": kind, "token_hash": hash}).Refused(http.StatusForbidden, "otp_expired")
		require.Contains(t, app.Do(http.MethodGet, "/verify?type="+kind+"&token="+hash, nil).Header.Get("Location"), "otp_expired")
		verifyPhone(app, kind, phone, code).Refused(http.StatusForbidden, "otp_expired")
	}
	post(app, "/verify", map[string]any{"type": "sms", "token_hash": hash}).Refused(http.StatusBadRequest, "validation_failed")
	verifyPhone(app, "phone_change", phone, code).Refused(http.StatusForbidden, "otp_expired")
	verifyPhone(app, "sms", "bad", code).Refused(http.StatusBadRequest, "validation_failed")
	verifyPhone(app, "sms", newPhone(), code).Refused(http.StatusForbidden, "otp_expired")
	user := verifyPhone(app, "sms", phone, code).OK()["user"].(map[string]any)
	require.NotContains(t, user, "email_confirmed_at")
}

func TestResendText(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	phone, change := newPhone(), newPhone()
	resend := func(body map[string]any) *apitest.Response { return post(app, "/resend", body) }
	sent(t, resend(map[string]any{"type": "sms", "phone": phone})) // nobody's
	signUpPhone(app, phone).OK()
	resend(map[string]any{"type": "sms", "phone": phone}).Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")
	app.Clock.Advance(time.Minute)
	sent(t, resend(map[string]any{"type": "sms", "phone": "+" + phone}))
	require.Len(t, allTextedTo(hook, phone), 2)
	require.Equal(t, 1, app.Count(`select count(*) from audit_log_entries where payload ->> 'action' = 'user_recovery_requested'`))
	token := verifyPhone(app, "sms", phone, textedTo(hook, phone)).OK()["access_token"].(string)
	app.Clock.Advance(time.Minute)
	sent(t, resend(map[string]any{"type": "sms", "phone": phone}))          // confirmed
	sent(t, resend(map[string]any{"type": "phone_change", "phone": phone})) // nothing pending
	require.Len(t, allTextedTo(hook, phone), 2)

	putAs(app, token, map[string]any{"phone": change}).OK()
	resend(map[string]any{"type": "phone_change", "phone": phone}).Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")
	app.Clock.Advance(time.Minute)
	sent(t, resend(map[string]any{"type": "phone_change", "phone": phone}))
	codes := allTextedTo(hook, change)
	require.Len(t, codes, 2)
	verifyPhone(app, "phone_change", change, codes[0]).Refused(http.StatusForbidden, "otp_expired")

	app.Clock.Advance(time.Minute)
	putAs(app, token, map[string]any{"password": "another password"}).OK()
	sent(t, resend(map[string]any{"type": "phone_change", "phone": phone})) // a new password has ended it
	require.Len(t, allTextedTo(hook, change), 2)
	verifyPhone(app, "phone_change", change, codes[1]).Refused(http.StatusForbidden, "otp_expired")

	for _, body := range []map[string]any{
		{"type": "sms"}, {"type": "phone_change"}, {"type": "sms", "phone": "bad"}, {"type": "sms", "phone": phone, "email": "a@b.test"},
		{"type": "signup", "phone": phone},
	} {
		resend(body).Refused(http.StatusBadRequest, "validation_failed")
	}
	app.Config.External.PhoneEnabled = false
	post(app.Replica(t), "/resend", map[string]any{"type": "sms", "phone": phone}).Refused(http.StatusBadRequest, "phone_provider_disabled")
}
