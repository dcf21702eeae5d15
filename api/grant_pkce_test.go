package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// verifierOf is the secret of an app's flow (RFC 7636 §4.1).
func verifierOf(name string) string { return name + strings.Repeat("-", 50) }

// inFlow adds the challenge of a verifier to the body of a request.
func inFlow(body map[string]any, verifier string) map[string]any {
	sum := sha256.Sum256([]byte(verifier))
	body["code_challenge"], body["code_challenge_method"] = base64.RawURLEncoding.EncodeToString(sum[:]), "s256"
	return body
}

// exchange ends a flow.
func exchange(app *apitest.App, code, verifier string) *apitest.Response {
	return app.Do(http.MethodPost, "/token?grant_type=pkce", map[string]any{"auth_code": code, "code_verifier": verifier})
}

// codeOf follows the link of the newest mail and returns the code.
func codeOf(t *testing.T, app *apitest.App, mail *apitest.Mail, email string) string {
	t.Helper()
	got := app.Do(http.MethodGet, mail.Last(email).Link(t).RequestURI(), nil)
	require.Equal(t, http.StatusSeeOther, got.Status, "%s", got.Body)
	code := got.Location().Query().Get("code")
	require.NotEmpty(t, code, "%s", got.Header.Get("Location"))
	return code
}

// flowed is a user whose sign-up waits for the exchange of the code.
func flowed(t *testing.T, options ...func(*conf.Config)) (app *apitest.App, email, code, verifier string) {
	t.Helper()
	app, mail := confirming(t, options...)
	email, verifier = apitest.NewEmail(), verifierOf("app")
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifier)).OK()
	return app, email, codeOf(t, app, mail, email), verifier
}

func TestPKCESignUp(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email, verifier := apitest.NewEmail(), verifierOf("app")
	path := "/signup?redirect_to=" + url.QueryEscape(apitest.SiteURL+"/cb?z=1&code=mine&a=2")
	user := app.Do(http.MethodPost, path, inFlow(signUp(email, nil), verifier)).OK()
	require.Equal(t, "email email/signup s256  ", app.Text(`select concat_ws(' ', provider_type, authentication_method,
		code_challenge_method, provider_access_token, provider_refresh_token) from flow_state
		where user_id = $1 and auth_code_issued_at is null and not email_optional and created_at = updated_at`, user["id"]))

	link := mail.Last(email).Link(t)
	hash := link.Query().Get("token")
	require.Regexp(t, `^pkce_[0-9a-f]{56}$`, hash)
	require.Equal(t, hash, app.Text(`select token_hash from one_time_tokens where user_id = $1`, user["id"]))
	require.Equal(t, hash, app.Text(`select confirmation_token from users where id = $1`, user["id"]))

	var followed, issued *apitest.Response
	require.LessOrEqual(t, app.Statements(func() { followed = app.Do(http.MethodGet, link.RequestURI(), nil) }), 2)
	require.Equal(t, http.StatusSeeOther, followed.Status)
	code := followed.Location().Query().Get("code")
	require.Equal(t, apitest.SiteURL+"/cb?a=2&code="+code+"&z=1", followed.Header.Get("Location"))
	require.Equal(t, code, app.Text(`select auth_code from flow_state where auth_code_issued_at is not null`))
	require.Equal(t, 0, app.Count(`select count(*) from sessions`))
	require.Equal(t, 0, app.Count(`select count(*) from one_time_tokens`))
	require.Empty(t, app.Text(`select last_sign_in_at::text from users`), "nobody has signed in yet")

	require.LessOrEqual(t, app.Statements(func() { issued = exchange(app, code, verifier) }), 3)
	session := issued.OK()
	claims := apitest.Claims(t, session["access_token"].(string))
	require.Equal(t, "email/signup", claims["amr"].([]any)[0].(map[string]any)["method"])
	require.Equal(t, issued.Header.Get("Sb-Auth-Session-Id"), claims["session_id"])
	require.NotContains(t, session, "provider_token")
	shown := session["user"].(map[string]any)
	require.NotEmpty(t, shown["email_confirmed_at"])
	require.NotEmpty(t, shown["last_sign_in_at"])
	require.Equal(t, true, shown["user_metadata"].(map[string]any)["email_verified"])
	require.Equal(t, true, shown["identities"].([]any)[0].(map[string]any)["identity_data"].(map[string]any)["email_verified"])
	require.Equal(t, []string{"user_confirmation_requested", "user_signedup", "login"}, actions(app))
	require.Equal(t, `{"provider_type": "email"}`,
		app.Text(`select (payload->'traits')::jsonb::text from audit_log_entries where payload->>'action' = 'login'`))
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(session["access_token"].(string))).OK()
	app.Refresh(session["refresh_token"].(string)).OK()

	require.Equal(t, "invalid flow state, no valid flow state found",
		exchange(app, code, verifier).Refused(http.StatusNotFound, "flow_state_not_found"), "a code works once")
	require.Equal(t, 0, app.Count(`select count(*) from flow_state`))
	require.Equal(t, 1, app.Count(`select count(*) from sessions`))
	for _, secret := range []string{code, verifier, hash, email} {
		require.NotContains(t, app.Log.String(), secret)
	}
}

func TestPKCERefusesOthers(t *testing.T) {
	t.Parallel()
	app, _, code, verifier := flowed(t)
	before := app.Snapshot()
	require.Equal(t, "code challenge does not match previously saved code verifier",
		exchange(app, code, verifierOf("thief")).Refused(http.StatusBadRequest, "bad_code_verifier"))
	for _, missing := range []*apitest.Response{exchange(app, code, ""), exchange(app, "", verifier)} {
		require.Equal(t, "invalid request: both auth code and code verifier should be non-empty",
			missing.Refused(http.StatusBadRequest, "validation_failed"))
	}
	for _, unknown := range []string{"nonsense", code + "0", "00000000-0000-4000-8000-000000000000"} {
		exchange(app, unknown, verifier).Refused(http.StatusNotFound, "flow_state_not_found")
	}
	require.Equal(t, before, app.Snapshot(), "a wrong guess changes nothing")
	exchange(app, code, verifier).OK()
}

func TestPKCEPlainChallenge(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email, verifier := apitest.NewEmail(), verifierOf("app")
	body := signUp(email, nil)
	body["code_challenge"], body["code_challenge_method"] = verifier, "PLAIN"
	app.Do(http.MethodPost, "/signup", body).OK()
	exchange(app, codeOf(t, app, mail, email), verifier).OK()
}

// The time of a sign-up's flow starts with the mail: a late link confirms the
// address all the same, but signs nobody in.
func TestPKCEExpires(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email, verifier := apitest.NewEmail(), verifierOf("app")
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifier)).OK()
	app.Clock.Advance(app.Config.External.FlowStateExpiryDuration + time.Second)
	code := codeOf(t, app, mail, email)
	require.Equal(t, "invalid flow state, flow state has expired",
		exchange(app, code, verifier).Refused(http.StatusUnprocessableEntity, "flow_state_expired"))
	require.Equal(t, 0, app.Count(`select count(*) from sessions`))
	app.SignIn(t, email)
}

func TestPKCEConcurrentExchanges(t *testing.T) {
	t.Parallel()
	app, _, code, verifier := flowed(t)
	servers := []*apitest.App{app, app.Replica(t)}
	answers := make([]*apitest.Response, 16)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = exchange(servers[i%2], code, verifier) })
	}
	group.Wait()
	won := 0
	for _, answer := range answers {
		if answer.Status == http.StatusOK {
			won++
			continue
		}
		answer.Refused(http.StatusNotFound, "flow_state_not_found")
	}
	require.Equal(t, 1, won)
	require.Equal(t, 1, app.Count(`select count(*) from sessions`))
	require.Equal(t, []string{"user_confirmation_requested", "user_signedup", "login"}, actions(app))
}

func TestPKCEConcurrentLinks(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email, verifier := apitest.NewEmail(), verifierOf("app")
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifier)).OK()
	link := mail.Last(email).Link(t).RequestURI()
	answers := make([]*apitest.Response, 16)
	var group sync.WaitGroup
	for i := range answers {
		group.Go(func() { answers[i] = app.Do(http.MethodGet, link, nil) })
	}
	group.Wait()
	var codes []string
	for _, answer := range answers {
		query := answer.Location().Query()
		if code := query.Get("code"); code != "" {
			codes = append(codes, code)
			continue
		}
		require.Equal(t, url.Values{
			"error": {"access_denied"}, "error_code": {"otp_expired"}, "error_description": {"Email link is invalid or has expired"},
		}, query)
		require.Equal(t, "otp_expired", answer.Fragment().Get("error_code"))
	}
	require.Len(t, codes, 1)
	exchange(app, codes[0], verifier).OK()
}

func TestPKCEBadChallenges(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	app.Clock.Advance(2 * time.Minute)
	before := app.Snapshot()
	good := verifierOf("app")
	for name, test := range map[string]struct{ challenge, method, want string }{
		"no method":    {good, "", "PKCE flow requires code_challenge_method and code_challenge"},
		"no challenge": {"", "s256", "PKCE flow requires code_challenge_method and code_challenge"},
		"short":        {"short", "s256", "code challenge has to be between 43 and 128 characters"},
		"long":         {strings.Repeat("a", 129), "s256", "code challenge has to be between 43 and 128 characters"},
		"characters": {
			good + "=", "s256",
			"code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes",
		},
		"method": {good, "md5", "Invalid code_challenge_method"},
	} {
		for path, body := range map[string]map[string]any{
			"/signup": signUp(apitest.NewEmail(), nil), "/resend": {"type": "signup", "email": email},
		} {
			body["code_challenge"], body["code_challenge_method"] = test.challenge, test.method
			require.Equal(t, test.want,
				app.Do(http.MethodPost, path, body).Refused(http.StatusBadRequest, "validation_failed"), name)
		}
	}
	require.Equal(t, before, app.Snapshot())
	require.Len(t, mail.To(email), 1)
}

// Every mail begins a flow of its own, and the newest link is the one that
// works.
func TestPKCEMailedAgain(t *testing.T) {
	t.Parallel()
	for path, provider := range map[string]string{"/resend": "email/signup", "/signup": "email"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			app, mail := confirming(t)
			email := apitest.NewEmail()
			app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifierOf("first"))).OK()
			app.Clock.Advance(61 * time.Second)
			body := signUp(email, nil)
			body["type"] = "signup"
			app.Do(http.MethodPost, path, inFlow(body, verifierOf("second"))).OK()
			require.Equal(t, provider, app.Text(`select provider_type from flow_state order by created_at desc limit 1`))

			letters := mail.To(email)
			require.Len(t, letters, 2)
			dead := app.Do(http.MethodGet, letters[0].Link(t).RequestURI(), nil)
			require.Equal(t, "otp_expired", dead.Location().Query().Get("error_code"))
			code := codeOf(t, app, mail, email)
			exchange(app, code, verifierOf("first")).Refused(http.StatusBadRequest, "bad_code_verifier")
			exchange(app, code, verifierOf("second")).OK()
		})
	}
}

// Who asks again without a challenge gets a link that signs in by itself.
func TestPKCEIsUpToTheLastRequest(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifierOf("app"))).OK()
	app.Clock.Advance(61 * time.Second)
	app.Do(http.MethodPost, "/resend", map[string]any{"type": "signup", "email": email}).OK()
	require.Equal(t, 1, app.Count(`select count(*) from flow_state`))
	got := app.Do(http.MethodGet, mail.Last(email).Link(t).RequestURI(), nil)
	require.NotEmpty(t, got.Fragment().Get("access_token"))
	require.Empty(t, got.Location().RawQuery)
}

func TestPKCEWithoutFlow(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifierOf("app"))).OK()
	app.Exec(`delete from flow_state`)
	before := app.Snapshot()
	link := mail.Last(email).Link(t)
	got := app.Do(http.MethodGet, link.RequestURI(), nil)
	want := url.Values{
		"error": {"invalid_request"}, "error_code": {"flow_state_not_found"},
		"error_description": {"No associated flow state found. 422: No valid flow state found for user."},
	}
	require.Equal(t, want, got.Location().Query())
	require.Contains(t, got.Header.Get("Location"), "No+associated+flow+state+found.+422%253A+No", "escaped twice")
	require.Equal(t, before, app.Snapshot(), "the link is not spent")

	unknown := app.Do(http.MethodGet, "/verify?type=magiclnik&token="+link.Query().Get("token"), nil)
	require.Equal(t, "Invalid email verification type", unknown.Location().Query().Get("error_description"))
	app.Do(http.MethodPost, "/verify", map[string]any{"type": "signup", "token_hash": link.Query().Get("token")}).OK()
}

// POST /verify answers with a session also for the codes of a flow.
func TestPKCEVerifiedByCode(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifierOf("app"))).OK()
	session := app.Do(http.MethodPost, "/verify", map[string]any{
		"type": "signup", "email": email, "token": mail.Last(email).Subject,
	}).OK()
	require.Equal(t, "otp", apitest.Claims(t, session["access_token"].(string))["amr"].([]any)[0].(map[string]any)["method"])
}

func TestPKCEUserMeanwhile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change string
		status int
		code   string
	}{
		"banned":       {`update users set banned_until = now() + interval '1 day'`, http.StatusBadRequest, "user_banned"},
		"soft-deleted": {`update users set deleted_at = now()`, http.StatusNotFound, "flow_state_not_found"},
		"deleted":      {`delete from users`, http.StatusNotFound, "flow_state_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, _, code, verifier := flowed(t)
			app.Exec(test.change)
			exchange(app, code, verifier).Refused(test.status, test.code)
			require.Equal(t, 0, app.Count(`select count(*) from sessions`))
		})
	}
}

func TestPKCEHandsOutProviderTokens(t *testing.T) {
	t.Parallel()
	app, _, code, verifier := flowed(t)
	app.Exec(`update flow_state set provider_access_token = 'at', provider_refresh_token = 'rt',
		provider_type = 'fake', authentication_method = 'oauth'`)
	session := exchange(app, code, verifier).OK()
	require.Equal(t, "at", session["provider_token"])
	require.Equal(t, "rt", session["provider_refresh_token"])
	require.Equal(t, "oauth", app.Text(`select authentication_method from mfa_amr_claims`))
}

func TestPKCEWhenMailFails(t *testing.T) {
	t.Parallel()
	app, mail := confirming(t)
	email, verifier := apitest.NewEmail(), verifierOf("app")
	mail.Refuse(true)
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifier)).
		Refused(http.StatusInternalServerError, "unexpected_failure")
	mail.Refuse(false)
	app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifier)).OK()
	exchange(app, codeOf(t, app, mail, email), verifier).OK()
}

// Where sign-ups are confirmed at once there is nothing to come back from.
func TestPKCEAutoconfirmed(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	session := app.Do(http.MethodPost, "/signup", inFlow(signUp(apitest.NewEmail(), nil), verifierOf("app"))).OK()
	require.NotEmpty(t, session["access_token"])
	require.Equal(t, 0, app.Count(`select count(*) from flow_state`))
}
