package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

const functionURI = "pg-functions://postgres/public/hook"

// define makes the function of functionAt; body is PL/pgSQL.
func define(app *apitest.App, returns, body string) {
	app.Exec(`drop function if exists public.hook`)
	app.Exec(`create function public.hook(event jsonb) returns ` + returns + ` language plpgsql as $$ ` + body + ` $$`)
}

// raise is a function that fails with a SQLSTATE.
func raise(state string) string {
	return `begin raise exception 'custom failure' using errcode = '` + state + `', hint = 'a hint', detail = 'a detail'; end`
}

// What a function answers to "may this user be created", and the caller gets.
func TestHookFunctionAnswers(t *testing.T) {
	t.Parallel()
	const fails = "Error running hook URI: " + functionURI
	tests := []struct {
		name, returns, body string
		status              int
		code, message       string // '' for success
	}{
		{"agrees", "jsonb", `begin return '{}'; end`, 200, "", ""},
		{"returns json", "json", `begin return '{"decision": "x"}'; end`, 200, "", ""},
		{"returns null", "jsonb", `begin return null; end`, 200, "", ""},
		{"returns JSON null", "jsonb", `begin return 'null'; end`, 200, "", ""},
		{"returns void", "void", `begin perform 1; end`, 200, "", ""},
		{"returns an empty set", "setof jsonb", `begin return; end`, 200, "", ""},
		{"returns text that is JSON", "text", `begin return '{"error": {"message": "no"}}'; end`, 500, "unexpected_failure", "no"},
		{"thinks for two seconds", "jsonb", `begin perform pg_sleep(2.2); return '{}'; end`, 200, "", ""},
		{
			"refuses", "jsonb", `begin return jsonb_build_object('error', jsonb_build_object('http_code', 403,
				'message', event->'user'->>'email')); end`, 403, "unknown", "EMAIL",
		},
		{"refuses without words", "jsonb", `begin return '{"error": {"http_code": 403}}'; end`, 200, "", ""},
		{"refuses with an odd status", "jsonb", `begin return '{"error": {"http_code": 200, "message": "no"}}'; end`, 500, "unexpected_failure", "no"},
		{"returns garbage", "text", `begin return 'not json'; end`, 500, "unexpected_failure", "Error unmarshaling JSON output."},
		{"returns a record", "record", `begin return (1, 2); end`, 500, "unexpected_failure", "Error unmarshaling JSON output."},
		{
			"returns too much", "text", `begin return '"' || repeat('x', 10 * 1024 * 1024) || '"'; end`, 422,
			"hook_payload_over_size_limit", "Payload size exceeded size limit of 204800 bytes",
		},
		{"divides by zero", "jsonb", `begin perform 1/0; end`, 500, "unexpected_failure", fails},
		{"reads bad text", "jsonb", `begin perform 'x'::uuid; end`, 500, "unexpected_failure", fails},
		{"says the server is down", "jsonb", raise("57P03"), 500, "unexpected_failure", fails},
		{"raises what is private", "jsonb", raise("42501"), 500, "unexpected_failure", fails},
		{"asks for no number", "jsonb", raise("PTABC"), 500, "unexpected_failure", fails},
		{"hangs", "jsonb", `begin perform pg_sleep(60); return '{}'; end`, 500, "unexpected_failure", fails},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, functionAt(beforeUserCreated))
			define(app, tt.returns, tt.body)
			before, email := app.Snapshot(), apitest.NewEmail()
			got := app.Do(http.MethodPost, "/signup", signUp(email, nil))
			require.Equal(t, tt.status, got.Status, "%s", got.Body)
			if tt.status == http.StatusOK {
				return
			}
			if tt.message == "EMAIL" {
				tt.message = email
			}
			require.Equal(t, tt.message, got.Refused(tt.status, tt.code))
			require.Equal(t, before, app.Snapshot())
		})
	}
}

func TestHookFunctionMissing(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, functionAt(beforeUserCreated))
	got := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil))
	require.Equal(t, "Error running hook URI: "+functionURI, got.Refused(http.StatusInternalServerError, "unexpected_failure"))
}

// SQLSTATEs that a project raises for its clients pass, from every hook.
func TestHookFunctionRaises(t *testing.T) {
	t.Parallel()
	for _, point := range []string{beforeUserCreated, afterUserCreated, passwordVerification, accessToken, sendEmail} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, apitest.NewMail(t).Configure, functionAt(point), func(c *conf.Config) { c.SMTP.MaxFrequency = 0 })
			define(app, "jsonb", `begin return '{}'; end`)
			email := apitest.NewEmail()
			app.Do(http.MethodPost, "/admin/users", map[string]any{
				"email": email, "password": apitest.Password, "email_confirm": true,
			}, apitest.Bearer(app.ServiceKey())).OK()
			do := func(options ...apitest.Option) *apitest.Response {
				switch point {
				case passwordVerification, accessToken:
					return app.Do(http.MethodPost, "/token?grant_type=password", signUp(email, nil), options...)
				}
				return app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil), options...)
			}
			for state, status := range map[string]int{
				"P0001": 500, "23000": 500, "23505": 500, "23514": 500, "PT418": 418, "PT404": 404, "PT503": 503, "PT200": 500,
			} {
				define(app, "jsonb", raise(state))
				got := do()
				require.Equal(t, status, got.Status, "%s: %s", state, got.Body)
				require.Equal(t, map[string]any{
					"code": state, "message": "custom failure", "hint": "a hint", "detail": "a detail",
				}, got.JSON())
				require.Equal(t, "unexpected_failure", got.Header.Get("X-Sb-Error-Code"))

				got = do(apitest.Header("X-Supabase-Api-Version", "2024-01-01"))
				require.Equal(t, http.StatusInternalServerError, got.Status)
				require.Equal(t, "unexpected_failure", got.JSON()["code"])
				require.NotContains(t, got.JSON()["message"], "custom")
			}
		})
	}
}

// Where GoTrue ends a function after two seconds, so do we.
func TestHookFunctionHasTwoSeconds(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, functionAt(passwordVerification))
	user := app.User(t)
	define(app, "jsonb", `begin perform pg_sleep(2.5); return '{}'; end`)
	require.Equal(t, "Error running hook URI: "+functionURI,
		loginWith(app, user.Email, apitest.Password).Refused(http.StatusInternalServerError, "unexpected_failure"))
}
