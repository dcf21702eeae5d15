package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// byHook starts a server whose mails the hook sends. There is a mail server as
// well, which gets none.
func byHook(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *httpHook) {
	t.Helper()
	hook, mail := newHTTPHook(t), apitest.NewMail(t)
	t.Cleanup(func() { require.Empty(t, mail.All(), "the hook sends instead") })
	options = append([]func(*conf.Config){mail.Configure, hook.at(sendEmail)}, options...)
	return apitest.New(t, options...), hook
}

// emailData is what the hook was told last of a mail.
func (h *httpHook) emailData() map[string]any {
	data, _ := h.lastAt(sendEmail)["email_data"].(map[string]any)
	return data
}

// verified verifies a code or hash of the hook.
func verified(app *apitest.App, kind string, proof map[string]any) *apitest.Response {
	proof["type"] = kind
	return app.Do(http.MethodPost, "/verify", proof)
}

// Each kind of mail with a code reaches the hook once, with proofs that work.
func TestMailHook(t *testing.T) {
	t.Parallel()
	app, hook := byHook(t, func(c *conf.Config) { c.SMTP.MaxFrequency = 0 })
	email, invited := apitest.NewEmail(), apitest.NewEmail()
	expect := func(calls int, action string) map[string]any {
		t.Helper()
		require.Len(t, hook.told(sendEmail), calls)
		data := hook.emailData()
		require.Equal(t, action, data["email_action_type"])
		require.Equal(t, apitest.ExternalURL, data["site_url"])
		require.Equal(t, apitest.SiteURL, data["redirect_to"])
		require.Len(t, data, 11)
		return data
	}
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	expect(1, "signup")
	app.Do(http.MethodPost, "/resend", map[string]any{"type": "signup", "email": email}).OK()
	data := expect(2, "signup")
	verified(app, "signup", map[string]any{"email": email, "token": data["token"]}).OK()

	ask(app, "/recover", email).OK()
	data = expect(3, "recovery")
	session := verified(app, "recovery", map[string]any{"token_hash": data["token_hash"]}).OK()
	ask(app, "/otp", email).OK()
	data = expect(4, "magiclink")
	verified(app, "magiclink", map[string]any{"email": email, "token": data["token"]}).OK()

	app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(session["access_token"].(string))).OK()
	require.Len(t, expect(5, "reauthentication")["token"], 6)

	app.Do(http.MethodPost, "/invite", map[string]any{"email": invited}, apitest.Bearer(app.ServiceKey())).OK()
	data = expect(6, "invite")
	verified(app, "invite", map[string]any{"token_hash": data["token_hash"]}).OK()

	app.Do(http.MethodPost, "/admin/generate_link", map[string]any{"type": "recovery", "email": email},
		apitest.Bearer(app.ServiceKey())).OK()
	require.Len(t, hook.told(sendEmail), 6, "links that are made are not mailed")
}

// GoTrue crosses the two pairs of a change that both addresses confirm: code
// and hash that stand beside each other are not of one address.
func TestMailHookOfEmailChange(t *testing.T) {
	t.Parallel()
	for name, proofs := range map[string]func(data map[string]any, was, email string) [2]map[string]any{
		"codes": func(data map[string]any, was, email string) [2]map[string]any {
			return [2]map[string]any{{"email": was, "token": data["token"]}, {"email": email, "token": data["token_new"]}}
		},
		"hashes": func(data map[string]any, _, _ string) [2]map[string]any {
			return [2]map[string]any{{"token_hash": data["token_hash"]}, {"token_hash": data["token_hash_new"]}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, hook := byHook(t)
			user, email := app.User(t), apitest.NewEmail()
			putUser(app, user, map[string]any{"email": email}).OK()
			require.Len(t, hook.told(sendEmail), 1, "one call for both addresses")
			data := hook.emailData()
			for column, member := range map[string]string{"email_change_token_new": "token_hash", "email_change_token_current": "token_hash_new"} {
				require.Equal(t, app.Text(`select `+column+` from users`), data[member], member)
			}
			both := proofs(data, user.Email, email)
			require.Equal(t, halfConfirmed, verified(app, "email_change", both[0]).OK()["msg"])
			require.Equal(t, email, verified(app, "email_change", both[1]).OK()["user"].(map[string]any)["email"])
		})
	}
}

func TestMailHookOfEmailChangeConfirmedOnce(t *testing.T) {
	t.Parallel()
	app, hook := byHook(t, confirmOnce)
	user, email := app.User(t), apitest.NewEmail()
	putUser(app, user, map[string]any{"email": email}).OK()
	data := hook.emailData()
	require.Empty(t, data["token_new"])
	require.Empty(t, data["token_hash_new"])
	require.Equal(t, app.Text(`select email_change_token_new from users`), data["token_hash"])
	verified(app, "email_change", map[string]any{"email": email, "token": data["token"]}).OK()
	require.Equal(t, email, app.Text(`select email from users`))
}

// The hook comes after the limits and the rules on recipients.
func TestMailHookComesLast(t *testing.T) {
	t.Parallel()
	app, hook := byHook(t, func(c *conf.Config) { c.External.EmailAuthorizedAddresses = []string{"ann@example.test"} })
	app.Do(http.MethodPost, "/signup", signUp("bob@example.test", nil)).Refused(http.StatusBadRequest, "email_address_not_authorized")
	app.Do(http.MethodPost, "/signup", signUp("ann@example.test", nil)).OK()
	app.Do(http.MethodPost, "/signup", signUp("ann@example.test", nil)).Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
	require.Len(t, hook.told(sendEmail), 1)

	app, hook = byHook(t, func(c *conf.Config) { c.RateLimit.EmailSent.Events = 0 })
	app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)).Refused(http.StatusTooManyRequests, "over_email_send_rate_limit")
	require.Empty(t, hook.told(sendEmail))
}

// What the hook says reaches the caller, nobody has an account by a mail that
// was not sent, and everybody may ask again at once.
func TestMailHookFails(t *testing.T) {
	t.Parallel()
	for _, fault := range []struct {
		name          string
		reply         func(map[string]any) (int, any)
		status        int
		code, message string
	}{
		{"refuses", refuses(422, "mailbox full"), 422, "unknown", "mailbox full"},
		{"refuses for good", refuses(0, "no"), 500, "unexpected_failure", "no"},
		{"fails", says(502, nil), 500, "unexpected_failure", "Unexpected status code returned from hook: 502"},
		{
			"says too much", says(200, strings.Repeat("x", 10<<20)), 422, "hook_payload_over_size_limit",
			"Payload size exceeded size limit of 204800 bytes",
		},
	} {
		t.Run(fault.name, func(t *testing.T) {
			t.Parallel()
			app, hook := byHook(t)
			user, email := app.User(t), apitest.NewEmail()
			before := app.Snapshot()
			hook.on(sendEmail, fault.reply)
			for _, got := range []*apitest.Response{
				app.Do(http.MethodPost, "/signup", inFlow(signUp(email, nil), verifierOf("app"))),
				ask(app, "/otp", email),
				app.Do(http.MethodPost, "/invite", map[string]any{"email": email}, apitest.Bearer(app.ServiceKey())),
			} {
				require.Equal(t, fault.message, got.Refused(fault.status, fault.code))
			}
			after := app.Snapshot()
			for _, table := range []string{"users", "identities", "one_time_tokens", "flow_state", "sessions"} {
				require.Equal(t, before[table], after[table], table)
			}
			require.Equal(t, fault.message, ask(app, "/recover", user.Email).Refused(fault.status, fault.code))
			require.Equal(t, fault.message, putUser(app, user, map[string]any{"email": email}).Refused(fault.status, fault.code))

			hook.on(sendEmail, nil)
			ask(app, "/recover", user.Email).OK()
			putUser(app, user, map[string]any{"email": "new-" + email}).OK()
			app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
			verified(app, "signup", map[string]any{"email": email, "token": hook.emailData()["token"]}).OK()
			require.NotContains(t, app.Log.String(), email)
		})
	}
}

// A newcomer whose mail failed goes only if nothing else happened to the
// account: here an administrator was faster, and there the person invited again.
func TestMailHookFailsBesideAChange(t *testing.T) {
	t.Parallel()
	app, hook := byHook(t)
	service := apitest.Bearer(app.ServiceKey())
	for name, change := range map[string]func(id, email string){
		"confirmed": func(id, _ string) {
			app.Do(http.MethodPut, "/admin/users/"+id, map[string]any{"email_confirm": true}, service).OK()
		},
		"invited": func(_, email string) {
			hook.on(sendEmail, nil)
			app.Do(http.MethodPost, "/invite", map[string]any{"email": email}, service).OK()
		},
	} {
		email := apitest.NewEmail()
		hook.on(sendEmail, func(payload map[string]any) (int, any) {
			change(payload["user"].(map[string]any)["id"].(string), email)
			return http.StatusInternalServerError, nil
		})
		app.Do(http.MethodPost, "/signup", signUp(email, nil)).Refused(http.StatusInternalServerError, "unexpected_failure")
		require.Equal(t, 1, app.Count(`select count(*) from users where email = $1`, email), name)
	}
}

// A function sees the user whom the mail is for.
func TestMailHookFunction(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, apitest.NewMail(t).Configure, functionAt(sendEmail))
	app.Exec(`create table public.outbox (email text, code text, kind text)`)
	define(app, "void", `begin insert into public.outbox
		select u.email, event->'email_data'->>'token', event->'email_data'->>'email_action_type'
		  from auth.users u where u.id = (event->'user'->>'id')::uuid; end`)
	email := apitest.NewEmail()
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	code := app.Text(`select code from public.outbox where email = $1 and kind = 'signup'`, email)
	verified(app, "email", map[string]any{"email": email, "token": code}).OK()
}
