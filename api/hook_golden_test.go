package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// What each hook is told, to the letter.
func TestHookPayloads(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, apitest.NewMail(t).Configure, withPhones(hook), hook.at(
		beforeUserCreated, afterUserCreated, passwordVerification, mfaVerification, sendEmail, sendSMS, accessToken,
	))
	email, newEmail := apitest.NewEmail(), apitest.NewEmail()
	names := []string{newEmail, "new@example.test", email, "ann@example.test", hook.url, "HOOK"}
	from := apitest.Header("X-Forwarded-For", "203.0.113.7")
	golden := func(name, point string) {
		t.Helper()
		goldenPayload(t, name, hook.lastAt(point), names...)
	}

	app.Do(http.MethodPost, "/signup?redirect_to="+apitest.SiteURL+"/in",
		inFlow(signUp(email, map[string]any{"full_name": "Ann", "plan": 1}), verifierOf("app")), from).OK()
	golden("before_user_created", beforeUserCreated)
	golden("after_user_created", afterUserCreated)
	golden("send_email_signup", sendEmail)
	app.Exec(`update users set email_confirmed_at = now()`)

	session := app.Do(http.MethodPost, "/token?grant_type=password", signUp(email, nil), from).OK()
	golden("password_verification", passwordVerification)
	golden("custom_access_token", accessToken)
	user := &apitest.User{Email: email, AccessToken: session["access_token"].(string)}

	app.Do(http.MethodPut, "/user", map[string]any{"email": newEmail}, apitest.Bearer(user.AccessToken), from).OK()
	golden("send_email_email_change", sendEmail)

	f := enrollTOTP(app, user, "app")
	answer(app, user, f, challengeOf(app, user, f), "000000").Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
	golden("mfa_verification", mfaVerification)
	challengeOf(app, user, enrollPhone(app, user, phoneOfTests, "mobile"))
	golden("send_sms_mfa", sendSMS)

	app.Do(http.MethodPost, "/invite", map[string]any{"email": newEmail}, apitest.Bearer(app.ServiceKey()), from).OK()
	golden("after_user_created_invited", afterUserCreated)
	golden("send_email_invite", sendEmail)
	require.Len(t, hook.told(beforeUserCreated), 2)
}
