package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

const captchaMissing = "captcha protection: request disallowed (no captcha_token found)"

// captchaProvider takes the token "good", answers "garbage" with no verdict,
// does not answer "slow", and refuses all others.
func captchaProvider(asked *atomic.Pointer[http.Request], hang <-chan struct{}) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		asked.Store(r)
		switch r.PostForm.Get("response") {
		case "good":
			_, _ = w.Write([]byte(`{"success":true}`))
		case "garbage":
			_, _ = w.Write([]byte(`<html>`))
		case "slow":
			<-hang
		default:
			_, _ = w.Write([]byte(`{"success":false,"error-codes":["invalid-input-response","timeout-or-duplicate"]}`))
		}
	}
}

func setUpCaptcha(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *atomic.Pointer[http.Request]) {
	t.Helper()
	app := apitest.New(t, options...)
	app.Config.Security.Captcha = conf.Captcha{
		Enabled: true, Provider: "hcaptcha", Secret: "captcha-secret", Timeout: 500 * time.Millisecond,
	}
	asked, hang := new(atomic.Pointer[http.Request]), make(chan struct{})
	app = app.Via(t, apitest.Elsewhere(t, captchaProvider(asked, hang)))
	t.Cleanup(func() { close(hang) })
	return app, asked
}

func withCaptcha(body map[string]any, token string) map[string]any {
	body["gotrue_meta_security"] = map[string]any{"captcha_token": token}
	return body
}

// Each route that a machine might abuse asks for a captcha before it looks at
// anything else.
func TestCaptchaGuardsRoutes(t *testing.T) {
	t.Parallel()
	app, asked := setUpCaptcha(t)
	for _, path := range []string{
		"/signup", "/signup/", "/recover", "/resend", "/magiclink", "/otp", "/token?grant_type=password",
		"/token?grant_type=web3", "/token?grant_type=unknown", "/token",
	} {
		for name, body := range map[string]any{
			"none": map[string]any{}, "null": "null", "blank": withCaptcha(map[string]any{}, " "),
			"elsewhere in the body": map[string]any{"captcha_token": "good"},
		} {
			message := app.Do(http.MethodPost, path, body).Refused(http.StatusBadRequest, "captcha_failed")
			require.Equal(t, captchaMissing, message, "%s %s", path, name)
		}
		app.Do(http.MethodPost, path, "").Refused(http.StatusBadRequest, "bad_json")
		app.Do(http.MethodPost, path, `{"gotrue_meta_security":"good"}`).Refused(http.StatusBadRequest, "bad_json")
		app.Do(http.MethodPost, path, strings.Repeat(" ", 1<<20+1)).
			Refused(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	}
	require.Nil(t, asked.Load(), "nothing to ask about")
}

// The handler reads the body that the captcha was found in.
func TestCaptchaSolved(t *testing.T) {
	t.Parallel()
	app, asked := setUpCaptcha(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", withCaptcha(signUp(email, nil), "good"),
		apitest.Header("X-Forwarded-For", "192.0.2.7, 10.0.0.1")).OK()
	request := asked.Load()
	require.Equal(t, http.MethodPost, request.Method)
	require.Equal(t, "hcaptcha.com/siteverify", request.Host+request.URL.Path)
	require.Equal(t, url.Values{
		"response": {"good"}, "remoteip": {"192.0.2.7"}, "secret": {"captcha-secret"},
	}, request.PostForm)

	session := login(app, withCaptcha(map[string]any{"email": email, "password": apitest.Password}, "good")).OK()
	login(app, withCaptcha(map[string]any{"email": email, "password": "wrong secret"}, "good")).
		Refused(http.StatusBadRequest, "invalid_credentials")
	app.Refresh(session["refresh_token"].(string)).OK()
}

func TestCaptchaRefused(t *testing.T) {
	t.Parallel()
	app, _ := setUpCaptcha(t)
	email := apitest.NewEmail()
	message := app.Do(http.MethodPost, "/signup", withCaptcha(signUp(email, nil), "bad")).
		Refused(http.StatusBadRequest, "captcha_failed")
	require.Equal(t, "captcha protection: request disallowed (invalid-input-response, timeout-or-duplicate)", message)

	for _, token := range []string{"garbage", "slow"} {
		message = app.Do(http.MethodPost, "/signup", withCaptcha(signUp(email, nil), token)).
			Refused(http.StatusInternalServerError, "unexpected_failure")
		require.Equal(t, "captcha verification process failed", message, token)
	}
	require.Zero(t, app.Count(`select count(*) from auth.users`))
	for _, line := range app.Log.Requests() {
		raw, err := json.Marshal(line)
		require.NoError(t, err)
		require.NotContains(t, string(raw), "captcha-secret")
	}
}

// Administrators, and grants that continue what a person has begun, need no
// captcha. A form cannot make one grant look like another.
func TestCaptchaExemptions(t *testing.T) {
	t.Parallel()
	app, asked := setUpCaptcha(t)
	user := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil), apitest.Bearer(app.ServiceKey())).OK()
	app.Refresh(user["refresh_token"].(string)).OK()
	message := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil),
		apitest.Bearer(user["access_token"].(string))).Refused(http.StatusBadRequest, "captcha_failed")
	require.Equal(t, captchaMissing, message)
	app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil), apitest.Bearer("not.a.token")).
		Refused(http.StatusBadRequest, "captcha_failed")
	app.Do(http.MethodPost, "/token?grant_type=pkce", map[string]any{}).Refused(http.StatusBadRequest, "validation_failed")
	require.Nil(t, asked.Load())

	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/token?grant_type=refresh_token",
		strings.NewReader("grant_type=password"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	app.Server.Handler.ServeHTTP(w, r)
	require.Equal(t, http.StatusBadRequest, w.Code)
	require.Contains(t, w.Body.String(), "bad_json")
}

// On /signup and /token the captcha comes before the rate limit, elsewhere
// after it.
func TestCaptchaAndRateLimits(t *testing.T) {
	t.Parallel()
	app, _ := setUpCaptcha(t, func(c *conf.Config) {
		c.RateLimit.Header, c.RateLimit.OTP, c.RateLimit.TokenRefresh = "X-Client", 1, 1
	})
	from := apitest.Header("X-Client", "192.0.2.7")
	for path, want := range map[string]string{
		"/signup": "captcha_failed", "/token?grant_type=password": "captcha_failed",
		"/otp": "over_request_rate_limit", "/recover": "over_request_rate_limit",
		"/magiclink": "over_request_rate_limit", "/resend": "over_request_rate_limit",
	} {
		var last *apitest.Response
		for range 40 { // more than a burst
			last = app.Do(http.MethodPost, path, map[string]any{}, from)
		}
		require.Equal(t, want, last.JSON()["error_code"], path)
	}
}
