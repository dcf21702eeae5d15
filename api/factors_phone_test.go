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

const phoneOfTests = "4915112345678"

// withPhones switches phone factors on; codes go to the hook.
func withPhones(hook *httpHook) func(*conf.Config) {
	return func(cfg *conf.Config) {
		cfg.MFA.Phone.EnrollEnabled, cfg.MFA.Phone.VerifyEnabled = true, true
		cfg.MFA.Phone.OTPLength, cfg.MFA.Phone.MaxFrequency = 6, time.Minute
		cfg.MFA.Phone.Template = "Your code is {{ .Code }}"
		if hook != nil {
			cfg.Hook.SendSMS = conf.HookPoint{Enabled: true, URI: hook.url, Secrets: []string{hookSecret}}
		}
	}
}

func enrollPhone(app *apitest.App, user *apitest.User, phone, name string) factor {
	body := app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "phone", "phone": phone, "friendly_name": name},
		apitest.Bearer(user.AccessToken)).OK()
	return factor{id: body["id"].(string)}
}

func TestPhoneFactor(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, withPhones(hook))
	user := app.User(t)
	enrollPhone(app, user, "+"+phoneOfTests, "old")
	f := enrollPhone(app, user, "+49 151 12345678", "mobile")
	require.Equal(t, 1, app.Count(`select count(*) from mfa_factors`), "an unverified one of the number is replaced")

	challenge := challengeOf(app, user, f)
	told := hook.last()
	message := told["sms"].(map[string]any)
	require.Equal(t, phoneOfTests, message["phone"])
	require.Equal(t, "mfa", message["sms_type"])
	require.Equal(t, user.ID, told["user"].(map[string]any)["id"])
	code := message["otp"].(string)
	require.Regexp(t, `^\d{6}$`, code)

	wrong := "000000"
	if code == wrong {
		wrong = "000001"
	}
	answer(app, user, f, challenge, wrong).Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
	sentence := answer(app, user, f, challenge, code, apitest.Header("X-Forwarded-For", "203.0.113.9")).
		Refused(http.StatusUnprocessableEntity, "mfa_ip_address_mismatch")
	require.Equal(t, "Challenge and verify IP addresses mismatch", sentence)
	after := stepped(user, answer(app, user, f, challenge, code))
	claims := apitest.Claims(t, after.AccessToken)
	require.Equal(t, "aal2", claims["aal"])
	require.Equal(t, "mfa/phone", claims["amr"].([]any)[0].(map[string]any)["method"])

	app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "phone", "phone": phoneOfTests},
		apitest.Bearer(after.AccessToken)).Refused(http.StatusUnprocessableEntity, "mfa_verified_factor_exists")
}

// There is a pause between two messages, under any concurrency; one that could
// not be sent costs none.
func TestPhoneChallengesPause(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, withPhones(hook))
	user := app.User(t)
	f := enrollPhone(app, user, phoneOfTests, "mobile")
	do := func() *apitest.Response {
		return app.Do(http.MethodPost, "/factors/"+f.id+"/challenge", map[string]any{}, apitest.Bearer(user.AccessToken))
	}
	hook.answer(func(map[string]any) (int, any) {
		return http.StatusOK, map[string]any{"error": map[string]any{"http_code": 429, "message": "slow down"}}
	})
	require.Equal(t, "error invoking hook", do().Refused(http.StatusInternalServerError, "unexpected_failure"))
	require.Zero(t, app.Count(`select count(*) from mfa_challenges`))
	hook.answer(nil)

	var wait sync.WaitGroup
	statuses := make([]int, 6)
	for i := range statuses {
		wait.Go(func() { statuses[i] = do().Status })
	}
	wait.Wait()
	require.Equal(t, 1, countOf(statuses, http.StatusOK), "%v", statuses)
	require.Equal(t, 5, countOf(statuses, http.StatusTooManyRequests), "%v", statuses)
	require.Regexp(t, `after (5\d|60) seconds`, do().Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit"))
	app.Clock.Advance(time.Minute)
	do().OK()
}

func TestPhoneWithoutHook(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withPhones(nil), func(cfg *conf.Config) { cfg.SMS.TestOTP = map[string]string{"15550001": "424242"} })
	user := app.User(t)
	f := enrollPhone(app, user, phoneOfTests, "mobile")
	path := "/factors/" + f.id + "/challenge"
	bearer := apitest.Bearer(user.AccessToken)
	for range 2 { // no pause
		require.Equal(t, "Failed to get SMS provider", app.Do(http.MethodPost, path, map[string]any{}, bearer).
			Refused(http.StatusInternalServerError, "unexpected_failure"))
	}
	app.Do(http.MethodPost, path, map[string]any{"channel": "whatsapp"}, bearer).Refused(http.StatusBadRequest, "validation_failed")
	app.Do(http.MethodPost, path, nil, bearer).Refused(http.StatusBadRequest, "bad_json")
	for _, phone := range []string{"", "bad", "+0123"} {
		app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "phone", "phone": phone, "friendly_name": "x"}, bearer).
			Refused(http.StatusBadRequest, "validation_failed")
	}

	test := enrollPhone(app, user, "+15550001", "test")
	answer(app, user, test, challengeOf(app, user, test), "424242").OK()
}

func TestVerificationHook(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, func(cfg *conf.Config) {
		cfg.Hook.MFAVerificationAttempt = conf.HookPoint{Enabled: true, URI: hook.url, Secrets: []string{hookSecret}}
	})
	user := app.User(t)
	f := enrollTOTP(app, user, "app")
	challenge := challengeOf(app, user, f)
	answer(app, user, f, challenge, "x").Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
	told := hook.last()
	require.Equal(t, []any{user.ID, f.id, "totp", false},
		[]any{told["user_id"], told["factor_id"], told["factor_type"], told["valid"]})

	hook.answer(func(map[string]any) (int, any) { return http.StatusForbidden, nil })
	answer(app, user, f, challenge, f.code(t, app)).Refused(http.StatusInternalServerError, "unexpected_failure")
	require.Equal(t, "aal1", app.Text(`select aal::text from sessions`), "a hook that fails lets nobody in")

	hook.answer(func(map[string]any) (int, any) { return http.StatusOK, map[string]any{"decision": "reject"} })
	require.Equal(t, "Further MFA verification attempts will be rejected.",
		answer(app, user, f, challenge, f.code(t, app)).Refused(http.StatusForbidden, "mfa_verification_rejected"))
	require.Equal(t, true, hook.last()["valid"])
	require.Zero(t, app.Count(`select count(*) from sessions`))
}
