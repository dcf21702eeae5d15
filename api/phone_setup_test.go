package api_test

import (
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// texting is a server whose texts go to a hook.
func texting(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *httpHook) {
	t.Helper()
	hook := newHTTPHook(t)
	phones := func(c *conf.Config) {
		byPhone(c)
		c.Hook.SendSMS = conf.HookPoint{Enabled: true, URI: hook.url, Secrets: []string{hookSecret}}
	}
	return apitest.New(t, append([]func(*conf.Config){phones}, options...)...), hook
}

// byPhone lets users in by phone, as often as the test likes.
func byPhone(c *conf.Config) {
	c.External.PhoneEnabled, c.External.AnonymousUsersEnabled = true, true
	c.RateLimit.SMSSent = conf.Rate{Form: conf.RateWindow, Events: 1000, Interval: time.Hour}
}

var phones atomic.Int64

// newPhone is a number that nobody has.
func newPhone() string { return "4917" + strconv.FormatInt(10_000_000+phones.Add(1), 10) }

// textedTo is the newest code that the hook was told to send to a phone.
func textedTo(hook *httpHook, phone string) string {
	hook.t.Helper()
	codes := allTextedTo(hook, phone)
	require.NotEmpty(hook.t, codes, "no text to this phone")
	return codes[len(codes)-1]
}

func allTextedTo(hook *httpHook, phone string) []string {
	hook.mu.Lock()
	defer hook.mu.Unlock()
	var codes []string
	for _, payload := range hook.payloads {
		if message, _ := payload["sms"].(map[string]any); message["phone"] == phone {
			codes = append(codes, message["otp"].(string))
		}
	}
	return codes
}

// wrongFor is a code that is not this one.
func wrongFor(code string) string {
	if code[0] == '0' {
		return "1" + code[1:]
	}
	return "0" + code[1:]
}

func post(app *apitest.App, path string, body map[string]any) *apitest.Response {
	return app.Do(http.MethodPost, path, body)
}

func signUpPhone(app *apitest.App, phone string) *apitest.Response {
	return post(app, "/signup", map[string]any{"phone": phone, "password": apitest.Password})
}

func signInPhone(app *apitest.App, phone string) *apitest.Response {
	return login(app, map[string]any{"phone": phone, "password": apitest.Password})
}

func askText(app *apitest.App, phone string) *apitest.Response {
	return post(app, "/otp", map[string]any{"phone": phone})
}

func verifyPhone(app *apitest.App, kind, phone, code string) *apitest.Response {
	return post(app, "/verify", map[string]any{"type": kind, "phone": phone, "token": code})
}

// phoneUser is a user with a confirmed phone, a password and a session, and no
// e-mail address.
func phoneUser(t *testing.T, app *apitest.App) (phone, token string) {
	t.Helper()
	phone = newPhone()
	app.Do(http.MethodPost, "/admin/users", map[string]any{
		"phone": phone, "phone_confirm": true, "password": apitest.Password,
	}, apitest.Bearer(app.ServiceKey())).OK()
	return phone, signInPhone(app, phone).OK()["access_token"].(string)
}

func putAs(app *apitest.App, token string, body map[string]any) *apitest.Response {
	return app.Do(http.MethodPut, "/user", body, apitest.Bearer(token))
}
