package api_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// provided is a server whose texts go to a provider.
func provided(t *testing.T, provider string, handler http.HandlerFunc, options ...func(*conf.Config)) *apitest.App {
	t.Helper()
	complete := func(c *conf.Config) {
		byPhone(c)
		c.SMS.Provider, c.SMS.Template = provider, "Code {{ .Code }}"
		c.SMS.Twilio = conf.Twilio{AccountSID: "AC1", AuthToken: "token", MessageServiceSID: "MG1"}
		c.SMS.TwilioVerify = conf.TwilioVerify{AccountSID: "AC2", AuthToken: "token", MessageServiceSID: "VA1"}
		c.SMS.Messagebird = conf.Messagebird{AccessKey: "key", Originator: "Ada"}
		c.SMS.Textlocal = conf.Textlocal{APIKey: "key", Sender: "Ada"}
		c.SMS.Vonage = conf.Vonage{APIKey: "key", APISecret: "secret", From: "Ada"}
		c.Internal.HTTPTimeout = 3 * time.Second // enough for a busy machine
	}
	app := apitest.New(t, append([]func(*conf.Config){complete}, options...)...)
	return app.Via(t, apitest.Elsewhere(t, handler))
}

// providers are how each provider accepts a text, and the members of the form
// that hold the text and the number.
func providers() map[string]struct{ accepts, text, to string } {
	return map[string]struct{ accepts, text, to string }{
		"twilio":      {`{"sid":"SM1","status":"queued"}`, "Body", "To"},
		"messagebird": {`{"id":"mb1","recipients":{"totalSentCount":1}}`, "body", "recipients"},
		"textlocal":   {`{"status":"success","messages":[{"id":1}]}`, "message", "numbers"},
		"vonage":      {`{"messages":[{"message-id":"vo1","status":"0"}]}`, "text", "to"},
	}
}

func TestTextProviders(t *testing.T) {
	t.Parallel()
	for name, provider := range providers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			texts := make(chan string, 1)
			app := provided(t, name, func(w http.ResponseWriter, r *http.Request) {
				texts <- strings.TrimPrefix(r.PostFormValue(provider.to), "+") + " " + r.PostFormValue(provider.text)
				_, _ = io.WriteString(w, provider.accepts)
			})
			phone := newPhone()
			sent(t, askText(app, phone))
			code, found := strings.CutPrefix(<-texts, phone+" Code ")
			require.True(t, found)
			verifyPhone(app, "sms", phone, code).OK()
		})
	}
}

// A provider that fails, in whatever way, costs no pause and leaves no code
// that works; the user asks again, and gets one.
func TestTextProviderFails(t *testing.T) {
	t.Parallel()
	faults := map[string]http.HandlerFunc{
		"500":     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"garbage": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") },
		"huge":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10<<20)) },
		"slow": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			select {
			case <-r.Context().Done():
			case <-time.After(30 * time.Second):
			}
		},
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	}
	for name, provider := range providers() {
		for fault, fail := range faults {
			t.Run(name+" "+fault, func(t *testing.T) {
				t.Parallel()
				failing := make(chan bool, 1)
				failing <- true
				app := provided(t, name, func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-failing:
						fail(w, r)
					default:
						_, _ = io.WriteString(w, provider.accepts)
					}
				})
				phone := newPhone()
				sentence := askText(app, phone).Refused(http.StatusUnprocessableEntity, "sms_send_failed")
				require.True(t, strings.HasPrefix(sentence, "Error sending confirmation OTP to provider: "), sentence)
				require.NotContains(t, sentence, "token")
				require.Zero(t, app.Count(`select count(*) from users where confirmation_sent_at is not null`))
				sent(t, askText(app, phone))
				askText(app, phone).Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")
				require.NotContains(t, app.Log.String(), phone)
			})
		}
	}
}

// What could not be sent is named by its purpose.
func TestTextPurposes(t *testing.T) {
	t.Parallel()
	app := provided(t, "twilio", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, `{"message":"No","more_info":"u"}`)
	})
	_, token := phoneUser(t, app)
	for purpose, got := range map[string]*apitest.Response{
		"confirmation":     signUpPhone(app, newPhone()),
		"phone_change":     putAs(app, token, map[string]any{"phone": newPhone()}),
		"reauthentication": app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token)),
	} {
		require.Equal(t, "Error sending "+purpose+" OTP to provider: No More information: u",
			got.Refused(http.StatusUnprocessableEntity, "sms_send_failed"))
	}
}

// Without a usable provider or template nothing is written, and test phones
// still work.
func TestTextsNotConfigured(t *testing.T) {
	t.Parallel()
	none := apitest.New(t, byPhone, func(c *conf.Config) { c.SMS.TestOTP = map[string]string{"15550001001": "424242"} })
	_, token := phoneUser(t, none)
	before := none.Snapshot()
	for _, got := range []*apitest.Response{
		askText(none, newPhone()), signUpPhone(none, newPhone()), putAs(none, token, map[string]any{"phone": newPhone()}),
		none.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token)),
	} {
		require.Equal(t, "Unable to get SMS provider", got.Refused(http.StatusInternalServerError, "unexpected_failure"))
	}
	require.Equal(t, before, none.Snapshot())
	askText(none, "15550001001").OK()
	verifyPhone(none, "sms", "15550001001", "424242").OK()

	broken := provided(t, "twilio", nil, func(c *conf.Config) { c.SMS.Template = "{{" })
	require.Equal(t, "error generating sms template",
		askText(broken, newPhone()).Refused(http.StatusInternalServerError, "unexpected_failure"))
}

// The hook's refusal reaches the caller as it is, and costs no pause.
func TestTextHookRefuses(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	phone, token := phoneUser(t, app)
	hook.answer(func(map[string]any) (int, any) {
		return http.StatusOK, map[string]any{"error": map[string]any{"http_code": 418, "message": "no tea"}}
	})
	asks := []func() *apitest.Response{
		func() *apitest.Response { return askText(app, phone) },
		func() *apitest.Response { return putAs(app, token, map[string]any{"phone": newPhone()}) },
		func() *apitest.Response {
			return app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token))
		},
	}
	for _, ask := range asks {
		require.Equal(t, "no tea", ask().Refused(http.StatusTeapot, "unknown"))
	}
	fresh := newPhone()
	signUpPhone(app, fresh).Refused(http.StatusTeapot, "unknown")
	verifyPhone(app, "sms", fresh, textedTo(hook, fresh)).Refused(http.StatusForbidden, "otp_expired")
	hook.answer(nil)
	for _, ask := range asks {
		ask().OK()
	}
	signUpPhone(app, fresh).OK()
	verifyPhone(app, "sms", fresh, textedTo(hook, fresh)).OK()
	require.NotContains(t, app.Log.String(), phone)
}

// Texts are sent while no connection is held: eight wait for a slow hook on a
// pool of two, and others are served.
func TestTextsHoldNoConnection(t *testing.T) {
	t.Parallel()
	app, hook := texting(t, func(c *conf.Config) { c.DB.MaxPoolSize = 2 })
	user := app.User(t)
	gate := make(chan struct{})
	hook.answer(func(map[string]any) (int, any) {
		<-gate
		return http.StatusOK, map[string]any{}
	})
	waiting := make(chan *apitest.Response, 8)
	for range 8 {
		go func() { waiting <- askText(app, newPhone()) }()
	}
	for range 8 {
		app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	}
	close(gate)
	for range 8 {
		(<-waiting).OK()
	}
}
