package api_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// signUp is the body of a sign-up.
func signUp(email string, data map[string]any) map[string]any {
	return map[string]any{"email": email, "password": apitest.Password, "data": data}
}

// actions lists the audited actions, oldest first.
func actions(app *apitest.App) []string {
	return app.Texts(`select payload->>'action' from audit_log_entries order by created_at,
		payload->>'action' desc`) // user_signedup comes before the login of the same moment
}

func TestSignUpAutoconfirmed(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	email := apitest.NewEmail()
	got := app.Do(http.MethodPost, "/signup", signUp("  "+email, nil))
	got.Refused(http.StatusBadRequest, "validation_failed")

	got = app.Do(http.MethodPost, "/signup", signUp("UPPER-"+email, map[string]any{
		"name": "Ann", "email": "other@example.test", "sub": "forged", "email_verified": "yes",
	}))
	body := got.OK()
	user := body["user"].(map[string]any)
	require.Equal(t, "upper-"+email, user["email"])
	require.Equal(t, "authenticated", user["aud"])
	require.Equal(t, "authenticated", user["role"])
	require.NotEmpty(t, user["email_confirmed_at"])
	require.NotContains(t, user, "confirmed_at", "GoTrue answers before it reads the generated column")
	require.Equal(t, map[string]any{"provider": "email", "providers": []any{"email"}}, user["app_metadata"])
	metadata := user["user_metadata"].(map[string]any)
	require.Equal(t, "Ann", metadata["name"])
	require.Equal(t, user["id"], metadata["sub"], "standard claims win over the app's")
	require.Equal(t, "upper-"+email, metadata["email"])
	require.Equal(t, true, metadata["email_verified"])

	identity := user["identities"].([]any)[0].(map[string]any)
	require.Equal(t, user["id"], identity["id"])
	require.Equal(t, "email", identity["provider"])
	require.Equal(t, "upper-"+email, identity["email"])

	claims := apitest.Claims(t, body["access_token"].(string))
	require.Equal(t, user["id"], claims["sub"])
	require.Equal(t, "password", claims["amr"].([]any)[0].(map[string]any)["method"])
	require.Equal(t, got.Header.Get("Sb-Auth-Session-Id"), claims["session_id"])
	require.Equal(t, "0", got.Header.Get("Sb-Auth-Refresh-Token-Counter"))
	require.Equal(t, user["id"], got.Header.Get("Sb-Auth-User-Id"))
	require.Equal(t, []string{"user_signedup", "login"}, actions(app))

	got = app.Do(http.MethodPost, "/signup", signUp("UPPER-"+email, nil))
	require.Equal(t, "User already registered", got.Refused(http.StatusUnprocessableEntity, "user_already_exists"))
	require.Contains(t, actions(app), "user_repeated_signup")
	require.Equal(t, 1, app.Count(`select count(*) from users`))
	require.Equal(t, 1, app.Count(`select count(*) from sessions`))
}

func TestSignUpRefused(t *testing.T) {
	t.Parallel()
	email := apitest.NewEmail()
	good := func() map[string]any { return signUp(email, nil) }
	with := func(name string, value any) map[string]any {
		body := good()
		body[name] = value
		return body
	}
	for _, test := range []struct {
		name   string
		option func(*conf.Config)
		body   map[string]any
		status int
		code   string
	}{
		{"sign-up off", func(c *conf.Config) { c.DisableSignup = true }, good(), 422, "signup_disabled"},
		{"no password", nil, with("password", ""), 400, "validation_failed"},
		{"short password", nil, with("password", "short"), 422, "weak_password"},
		{"long password", nil, with("password", strings.Repeat("a", 73)), 400, "validation_failed"},
		{"characters", func(c *conf.Config) { c.Password.RequiredCharacters = []string{"!?"} }, good(), 422, "weak_password"},
		{"both addresses", nil, with("phone", "12345678"), 400, "validation_failed"},
		{"phone", nil, map[string]any{"phone": "12345678", "password": apitest.Password}, 400, "phone_provider_disabled"},
		{"e-mail off", func(c *conf.Config) { c.External.EmailEnabled = false }, good(), 400, "email_provider_disabled"},
		{"bad address", nil, with("email", "nobody"), 400, "validation_failed"},
		{"long address", nil, with("email", strings.Repeat("a", 250)+"@a.test"), 400, "validation_failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			option := test.option
			if option == nil {
				option = func(*conf.Config) {}
			}
			app := apitest.New(t, option)
			before := app.Snapshot()
			app.Do(http.MethodPost, "/signup", test.body).Refused(test.status, test.code)
			require.Equal(t, before, app.Snapshot())
		})
	}
}

func TestSignUpTellsWhyAPasswordIsWeak(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) {
		c.Password.MinLength, c.Password.RequiredCharacters = 12, []string{"0123456789", "!?"}
	})
	body := map[string]any{"email": apitest.NewEmail(), "password": "abcdefg"}
	legacy := app.Do(http.MethodPost, "/signup", body)
	legacy.Refused(http.StatusUnprocessableEntity, "weak_password")
	reasons := map[string]any{"reasons": []any{"length", "characters"}}
	require.Equal(t, reasons, legacy.JSON()["weak_password"])
	require.Equal(t, "weak_password", legacy.Header.Get("X-Sb-Error-Code"))

	versioned := app.Do(http.MethodPost, "/signup", body, apitest.Header("X-Supabase-Api-Version", "2024-01-01"))
	require.Equal(t, "weak_password", versioned.JSON()["code"])
	require.Equal(t, reasons, versioned.JSON()["weak_password"])
	require.Equal(t, "2024-01-01", versioned.Header.Get("X-Supabase-Api-Version"))
	require.Empty(t, versioned.Header.Get("X-Sb-Error-Code"))
}

func TestSignUpAnonymously(t *testing.T) {
	t.Parallel()
	off := apitest.New(t)
	off.Do(http.MethodPost, "/signup", map[string]any{}).Refused(http.StatusUnprocessableEntity, "anonymous_provider_disabled")

	app := apitest.New(t, func(c *conf.Config) { c.External.AnonymousUsersEnabled = true })
	body := app.Do(http.MethodPost, "/signup", map[string]any{"data": map[string]any{"theme": "dark"}}).OK()
	user := body["user"].(map[string]any)
	require.Equal(t, true, user["is_anonymous"])
	require.Equal(t, "", user["email"])
	require.Equal(t, map[string]any{}, user["app_metadata"])
	require.Equal(t, map[string]any{"theme": "dark"}, user["user_metadata"])
	require.Equal(t, []any{}, user["identities"])
	claims := apitest.Claims(t, body["access_token"].(string))
	require.Equal(t, true, claims["is_anonymous"])
	require.Equal(t, "anonymous", claims["amr"].([]any)[0].(map[string]any)["method"])
	require.Empty(t, actions(app), "GoTrue does not audit anonymous sign-ups")

	update := app.Do(http.MethodPut, "/user", map[string]any{"password": "another password"},
		apitest.Bearer(body["access_token"].(string)))
	update.Refused(http.StatusUnprocessableEntity, "validation_failed")

	closed := apitest.New(t, func(c *conf.Config) { c.External.AnonymousUsersEnabled, c.DisableSignup = true, true })
	closed.Do(http.MethodPost, "/signup", map[string]any{}).Refused(http.StatusUnprocessableEntity, "signup_disabled")
}

// Eight requests with one address: one user, and nobody gets a server error.
func TestSignUpRace(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	for name, option := range map[string]func(*conf.Config){
		"autoconfirmed": func(*conf.Config) {}, "with confirmation": mail.Configure,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, option)
			email := apitest.NewEmail()
			answers := concurrently(8, func(int) *apitest.Response {
				return app.Do(http.MethodPost, "/signup", signUp(email, nil))
			})
			won := 0
			for _, answer := range answers {
				switch answer.Status {
				case http.StatusOK:
					won++
				case http.StatusTooManyRequests:
					answer.Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
				default:
					answer.Refused(http.StatusUnprocessableEntity, "user_already_exists")
				}
			}
			require.Equal(t, 1, won)
			require.Equal(t, 1, app.Count(`select count(*) from users`))
			require.Equal(t, 1, app.Count(`select count(*) from identities`))
			require.LessOrEqual(t, app.Count(`select count(*) from sessions`), 1)
			require.LessOrEqual(t, len(mail.To(email)), 1)
		})
	}
}

func TestSignUpLimitedPerClient(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.RateLimit.Header = "X-Forwarded-For" })
	from := apitest.Header("X-Forwarded-For", "192.0.2.1, 192.0.2.9")
	for range 30 {
		app.Do(http.MethodPost, "/signup", map[string]any{"email": "x"}, from).Refused(http.StatusBadRequest, "validation_failed")
	}
	app.Do(http.MethodPost, "/signup", map[string]any{"email": "x"}, from).Refused(http.StatusTooManyRequests, "over_request_rate_limit")
	app.Do(http.MethodPost, "/signup", map[string]any{"email": "x"}, apitest.Header("X-Forwarded-For", "192.0.2.2")).
		Refused(http.StatusBadRequest, "validation_failed")
	app.Do(http.MethodPost, "/signup", map[string]any{"email": "x"}).Refused(http.StatusBadRequest, "validation_failed")
}

// concurrently runs do n times at once and returns what each returned.
func concurrently[T any](n int, do func(i int) T) []T {
	results := make([]T, n)
	start := make(chan struct{})
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			<-start
			results[i] = do(i)
		})
	}
	close(start)
	group.Wait()
	return results
}

// statuses lists the statuses of answers in order.
func statuses(answers []*apitest.Response) []int {
	var found []int
	for _, answer := range answers {
		found = append(found, answer.Status)
	}
	slices.Sort(found)
	return found
}
