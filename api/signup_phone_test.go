package api_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// A sign-up by phone waits for the code of a text, which works once.
func TestPhoneSignUp(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	phone := newPhone()
	body := signUpPhone(app, "+"+phone[:4]+" "+phone[4:]).OK()
	require.NotContains(t, body, "access_token")
	require.Equal(t, phone, body["phone"])
	require.NotNil(t, body["confirmation_sent_at"])
	identity := body["identities"].([]any)[0].(map[string]any)
	require.Equal(t, "phone", identity["provider"])
	standard := map[string]any{"sub": body["id"], "email_verified": false, "phone_verified": false}
	require.Equal(t, standard, identity["identity_data"])
	require.Equal(t, standard, body["user_metadata"])
	require.Equal(t, map[string]any{"provider": "phone", "providers": []any{"phone"}}, body["app_metadata"])
	require.NotContains(t, hook.last()["sms"], "sms_type")
	require.Equal(t, body["id"], hook.last()["user"].(map[string]any)["id"])
	require.JSONEq(t, `{"provider": "phone"}`, traits(app, "user_confirmation_requested"))

	code := textedTo(hook, phone)
	hash := sha256.Sum224([]byte(phone + code))
	require.Equal(t, hex.EncodeToString(hash[:]), app.Text(`select confirmation_token from users`))
	require.Equal(t, 1, app.Count(`select count(*) from one_time_tokens t join users u on u.id = t.user_id
		where t.token_type = 'confirmation_token' and t.token_hash = u.confirmation_token and t.relates_to = u.phone`))
	signInPhone(app, phone).Refused(http.StatusBadRequest, "phone_not_confirmed")

	verifyPhone(app, "sms", phone, wrongFor(code)).Refused(http.StatusForbidden, "otp_expired")
	user := verifyPhone(app, "sms", phone, code).OK()["user"].(map[string]any)
	require.NotNil(t, user["phone_confirmed_at"])
	require.Equal(t, user["phone_confirmed_at"], user["confirmed_at"])
	require.Equal(t, standard, user["user_metadata"], "GoTrue verifies nothing there")
	require.Zero(t, app.Count(`select count(*) from one_time_tokens`))
	require.JSONEq(t, `{"provider": "phone"}`, traits(app, "user_signedup"))
	verifyPhone(app, "sms", phone, code).Refused(http.StatusForbidden, "otp_expired")
	require.Equal(t, user["id"], signInPhone(app, phone).OK()["user"].(map[string]any)["id"])
	require.NotContains(t, app.Log.String(), phone)
	require.NotContains(t, app.Log.String(), code)
}

// Whoever asks for a number that is taken learns nothing of it, and changes
// nothing.
func TestPhoneSignUpAgain(t *testing.T) {
	t.Parallel()
	app, hook := texting(t, func(c *conf.Config) { c.Mailer.Autoconfirm = false })
	phone := newPhone()
	id := signUpPhone(app, phone).OK()["id"]
	again := func() *apitest.Response {
		return post(app, "/signup", map[string]any{"phone": phone, "password": "another password", "data": map[string]any{"a": 1}})
	}
	again().Refused(http.StatusTooManyRequests, "over_sms_send_rate_limit")
	app.Clock.Advance(time.Minute)
	body := again().OK()
	require.Equal(t, id, body["id"])
	require.NotContains(t, body["user_metadata"], "a")
	require.Len(t, allTextedTo(hook, phone), 2)
	verifyPhone(app, "sms", phone, textedTo(hook, phone)).OK()
	signInPhone(app, phone).OK()

	app.Clock.Advance(time.Minute)
	body = again().OK()
	require.NotEqual(t, id, body["id"])
	require.Equal(t, []any{phone, "", "", []any{}},
		[]any{body["phone"], body["email"], body["role"], body["identities"]})
	require.Equal(t, map[string]any{"a": 1.0}, body["user_metadata"])
	require.Equal(t, map[string]any{"provider": "phone", "providers": []any{"phone"}}, body["app_metadata"])
	require.Len(t, allTextedTo(hook, phone), 2)
	require.JSONEq(t, `{"provider": "phone"}`, traits(app, "user_repeated_signup"))
	signInPhone(app, phone).OK()

	app.Do(http.MethodPost, "/signup", map[string]any{"phone": phone, "password": apitest.Password},
		apitest.Header("X-JWT-AUD", "elsewhere")).Refused(http.StatusUnprocessableEntity, "user_already_exists")
}

func TestPhoneSignUpAutoconfirm(t *testing.T) {
	t.Parallel()
	app, hook := texting(t)
	waits := newPhone()
	signUpPhone(app, waits).OK()
	app.Config.SMS.Autoconfirm = true
	auto, phone := app.Replica(t), newPhone()
	body := signUpPhone(auto, phone).OK()
	user := body["user"].(map[string]any)
	require.NotNil(t, user["phone_confirmed_at"])
	require.NotContains(t, user, "confirmed_at")
	require.Equal(t, "password", apitest.Claims(t, body["access_token"].(string))["amr"].([]any)[0].(map[string]any)["method"])
	require.JSONEq(t, `{"provider": "phone", "channel": "sms"}`, traits(app, "user_signedup"))
	require.JSONEq(t, `{"provider": "phone"}`, traits(app, "login"))
	signUpPhone(auto, phone).Refused(http.StatusUnprocessableEntity, "user_already_exists")

	code := textedTo(hook, waits)
	require.NotEmpty(t, signUpPhone(auto, waits).OK()["access_token"])
	verifyPhone(auto, "sms", waits, code).Refused(http.StatusForbidden, "otp_expired")
	require.Empty(t, allTextedTo(hook, phone))
}

func TestPhoneSignUpValidation(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, byPhone)
	body := func(members map[string]any) map[string]any {
		all := map[string]any{"phone": "4915", "password": apitest.Password}
		for name, value := range members {
			all[name] = value
		}
		return all
	}
	challenge := strings.Repeat("c", 43)
	for _, test := range []struct {
		with    map[string]any
		message string
	}{
		{map[string]any{"password": ""}, "Signup requires a valid password"},
		{map[string]any{"email": "a@b.test"}, "Only an email address or phone number should be provided on signup."},
		{map[string]any{"phone": "049"}, "Invalid phone number format (E.164 required)"},
		{map[string]any{"phone": "1234567890123456"}, "Invalid phone number format (E.164 required)"},
		{map[string]any{"channel": "whatsapp"}, "Invalid channel, supported values are 'sms' or 'whatsapp'. " +
			"'whatsapp' is only supported if Twilio or Twilio Verify is used as the provider."},
		{map[string]any{"code_challenge": challenge, "code_challenge_method": "s256"}, "PKCE not supported for phone signups"},
		{map[string]any{"code_challenge_method": "s256"}, "PKCE flow requires code_challenge_method and code_challenge"},
	} {
		require.Equal(t, test.message, post(app, "/signup", body(test.with)).Refused(http.StatusBadRequest, "validation_failed"))
	}
	app.Config.External.PhoneEnabled = false
	off := app.Replica(t)
	require.Equal(t, "Phone signups are disabled",
		post(off, "/signup", body(nil)).Refused(http.StatusBadRequest, "phone_provider_disabled"))
	signInPhone(off, "4915").Refused(http.StatusUnprocessableEntity, "phone_provider_disabled")
	app.Config.DisableSignup = true
	post(app.Replica(t), "/signup", body(nil)).Refused(http.StatusUnprocessableEntity, "signup_disabled")
	require.Zero(t, app.Count(`select count(*) from users`))
}

// What an app says about a new user makes no identity of somebody else's
// address.
func TestPhoneSignUpClaimsNoAddress(t *testing.T) {
	t.Parallel()
	app, _ := texting(t, func(c *conf.Config) { c.SMS.Autoconfirm = true })
	email := apitest.NewEmail()
	post(app, "/signup", map[string]any{"phone": newPhone(), "password": apitest.Password, "data": map[string]any{
		"email": email, "phone": "15", "phone_verified": true, "name": "Ann",
	}}).OK()
	require.Equal(t, 1, app.Count(`select count(*) from identities where email is null
		and identity_data ->> 'name' = 'Ann' and identity_data ->> 'phone' is null and identity_data ->> 'phone_verified' = 'false'`))
	post(app, "/signup", map[string]any{"email": email, "password": apitest.Password}).OK()
}
