package api_test

import (
	"context"
	"hash/crc32"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// birth is a way to create an account.
type birth struct {
	name        string
	autoconfirm bool
	path        string
	body        func(email string) map[string]any
	admin       bool
	// announced: the hook after it is called; failure is how its failing shows.
	announced bool
	failure   string
}

// passed is the failure of a hook that passes to the caller.
const passed = "Unexpected status code returned from hook: 500"

// births are all ways in which requests create accounts that hooks see.
func births() []birth {
	data := map[string]any{"sub": "asked", "plan": "free"}
	signUpBody := func(email string) map[string]any { return signUp(email, data) }
	address := func(email string) map[string]any { return map[string]any{"email": email, "data": data} }
	number := func(email string) map[string]any {
		digits := crc32.ChecksumIEEE([]byte(email))
		return map[string]any{"phone": "1" + strconv.Itoa(int(digits)), "password": apitest.Password, "data": data}
	}
	link := func(kind string) func(string) map[string]any {
		return func(email string) map[string]any {
			return map[string]any{"type": kind, "email": email, "password": apitest.Password, "data": data}
		}
	}
	return []birth{
		{"sign-up", false, "/signup", signUpBody, false, true, "Error invoking hook"},
		{"sign-up confirmed", true, "/signup", signUpBody, false, false, ""},
		{"anonymous", true, "/signup", func(string) map[string]any { return map[string]any{"data": data} }, false, true, passed},
		{"otp", false, "/otp", address, false, true, "Error invoking hook"},
		{"otp confirmed", true, "/otp", address, false, false, ""},
		{"magic link", false, "/magiclink", address, false, true, "Error invoking hook"},
		{"sign-up by phone", false, "/signup", number, false, true, "Error invoking hook"},
		{"sign-up by phone confirmed", true, "/signup", number, false, false, ""},
		{"otp by phone", false, "/otp", number, false, true, "Error invoking hook"},
		{"otp by phone confirmed", true, "/otp", number, false, false, ""},
		{"invite", false, "/invite", address, true, true, passed},
		{"link of a sign-up", false, "/admin/generate_link", link("signup"), true, true, passed},
		{"link of an invitation", false, "/admin/generate_link", link("invite"), true, true, passed},
		{"magic link made by an administrator", false, "/admin/generate_link", link("magiclink"), true, true, passed},
	}
}

// setup starts a server with hooks at points.
func (b birth) setup(t *testing.T, hook *httpHook, points ...string) (*apitest.App, *apitest.Mail) {
	t.Helper()
	mail := apitest.NewMail(t)
	return apitest.New(t, mail.Configure, hook.at(append(points, sendSMS)...), func(c *conf.Config) {
		c.External.PhoneEnabled, c.SMS.Autoconfirm, c.SMS.MaxFrequency = true, b.autoconfirm, 0
		c.Mailer.Autoconfirm, c.External.AnonymousUsersEnabled = b.autoconfirm, true
		c.SMTP.MaxFrequency = 0
	}), mail
}

func (b birth) do(app *apitest.App, email string) *apitest.Response {
	if b.admin {
		return app.Do(http.MethodPost, b.path, b.body(email), apitest.Bearer(app.ServiceKey()))
	}
	return app.Do(http.MethodPost, b.path, b.body(email))
}

// Whatever route an account comes by, the operator is asked before anything is
// written, and a refusal leaves nothing behind.
func TestBeforeUserCreated(t *testing.T) {
	t.Parallel()
	for _, b := range births() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			hook, email := newHTTPHook(t), apitest.NewEmail()
			app, mail := b.setup(t, hook, beforeUserCreated, afterUserCreated, accessToken)
			before := app.Snapshot()
			hook.on(beforeUserCreated, refuses(http.StatusForbidden, "Domain not allowed"))
			got := b.do(app, email)
			require.Equal(t, "Domain not allowed", got.Refused(http.StatusForbidden, "unknown"))
			require.Empty(t, got.Header.Get("X-Sb-Error-Code"))
			require.Empty(t, got.Header.Get("Sb-Auth-User-Id"))
			hook.on(beforeUserCreated, says(http.StatusInternalServerError, nil))
			require.Equal(t, passed, b.do(app, email).Refused(http.StatusInternalServerError, "unexpected_failure"))
			require.Equal(t, before, app.Snapshot())
			require.Empty(t, mail.To(email))
			require.Empty(t, hook.told(afterUserCreated))
			require.Empty(t, hook.told(accessToken))

			hook.on(beforeUserCreated, func(map[string]any) (int, any) {
				return http.StatusOK, map[string]any{"users": app.Count(`select count(*) from users`)}
			})
			b.do(app, email).OK()
			require.Equal(t, 1, app.Count(`select count(*) from users`))
			require.Len(t, hook.told(beforeUserCreated), 3)
			user := hook.lastAt(beforeUserCreated)["user"].(map[string]any)
			require.Equal(t, app.Text(`select id::text from users`), user["id"])
			require.Equal(t, map[string]any{"sub": "asked", "plan": "free"}, user["user_metadata"], "as it was asked for")
			require.Equal(t, []any{}, user["identities"])
			require.Equal(t, "", user["role"])
			for _, name := range []string{"created_at", "updated_at"} {
				require.Equal(t, "0001-01-01T00:00:00Z", user[name])
			}
			for name := range user {
				require.NotRegexp(t, "confirmed_at|sent_at|sign_in_at|invited_at", name)
			}
		})
	}
}

func TestAfterUserCreated(t *testing.T) {
	t.Parallel()
	for _, b := range births() {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			hook, email := newHTTPHook(t), apitest.NewEmail()
			app, mail := b.setup(t, hook, afterUserCreated)
			var mailed, written int
			hook.on(afterUserCreated, func(payload map[string]any) (int, any) {
				mailed = len(mail.To(email))
				written = app.Count(`select count(*) from users where id = $1`, payload["user"].(map[string]any)["id"])
				return http.StatusInternalServerError, nil
			})
			got := b.do(app, email)
			require.Equal(t, 1, app.Count(`select count(*) from users`), "it cannot undo what is done")
			if !b.announced {
				got.OK()
				require.Empty(t, hook.told(afterUserCreated))
				return
			}
			require.Equal(t, b.failure, got.Refused(http.StatusInternalServerError, "unexpected_failure"))
			require.Equal(t, 1, written, "after the commit")
			require.Len(t, mail.To(email), mailed, "after the mail")
			require.Len(t, hook.told(afterUserCreated), 1)

			hook.on(afterUserCreated, nil)
			b.do(app, "again-"+email).OK()
			require.Len(t, hook.told(afterUserCreated), 2)
			user := hook.lastAt(afterUserCreated)["user"].(map[string]any)
			require.Equal(t, "authenticated", user["role"])
			require.NotEqual(t, "0001-01-01T00:00:00Z", user["created_at"])
		})
	}
}

// The operator hears of an account whose owner has hung up, within the time that
// the request has.
func TestAfterUserCreatedHeardToTheEnd(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app, _ := birth{}.setup(t, hook, afterUserCreated)
	ctx, hangUp := context.WithCancel(t.Context())
	hook.on(afterUserCreated, func(map[string]any) (int, any) {
		hangUp()
		time.Sleep(50 * time.Millisecond)
		return http.StatusNoContent, nil
	})
	app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil),
		func(r *http.Request) { *r = *r.WithContext(ctx) }).OK()

	app.Config.API.MaxRequestDuration = 3 * time.Second
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	hook.on(afterUserCreated, func(map[string]any) (int, any) {
		<-release
		return http.StatusNoContent, nil
	})
	app.Replica(t).Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)).Refused(http.StatusGatewayTimeout, "request_timeout")
	require.Equal(t, 2, app.Count(`select count(*) from users`))
}

// Who has an account, or gets one from an administrator, is not asked about.
func TestUserHooksLeaveOthersAlone(t *testing.T) {
	t.Parallel()
	hook, email := newHTTPHook(t), apitest.NewEmail()
	app, _ := birth{}.setup(t, hook, beforeUserCreated, afterUserCreated)
	service := apitest.Bearer(app.ServiceKey())
	app.Do(http.MethodPost, "/admin/users", map[string]any{"email": email}, service).OK()
	for range 2 {
		app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
		for _, path := range mailPaths() {
			ask(app, path, email).OK()
		}
		for _, kind := range []string{"signup", "invite", "magiclink", "recovery"} {
			app.Do(http.MethodPost, "/admin/generate_link", map[string]any{"type": kind, "email": email}, service).OK()
		}
	}
	require.Empty(t, hook.told(beforeUserCreated))
	require.Empty(t, hook.told(afterUserCreated))

	app.Do(http.MethodPost, "/invite", map[string]any{"email": email}, service).OK()
	require.Empty(t, hook.told(beforeUserCreated))
	require.Len(t, hook.told(afterUserCreated), 1, "GoTrue tells of invitations again")
	app.Exec(`update users set email_confirmed_at = now()`)
	app.Do(http.MethodPost, "/signup", signUp(email, nil)).OK()
	app.Do(http.MethodPost, "/invite", map[string]any{"email": email}, service).Refused(http.StatusUnprocessableEntity, "email_exists")
	require.Empty(t, hook.told(beforeUserCreated))
	require.Len(t, hook.told(afterUserCreated), 1)
}

// While the hook thinks, nobody's connection waits with it; of several who ask
// for one address at once, on two servers, one gets the account.
func TestBeforeUserCreatedRace(t *testing.T) {
	t.Parallel()
	const callers = 8
	hook, email := newHTTPHook(t), apitest.NewEmail()
	app := apitest.New(t, hook.at(beforeUserCreated), func(c *conf.Config) { c.DB.MaxPoolSize = 2 })
	user := app.User(t)
	replica := app.Replica(t)
	var asked sync.WaitGroup
	asked.Add(callers)
	hook.on(beforeUserCreated, func(map[string]any) (int, any) {
		asked.Done()
		asked.Wait()
		return http.StatusNoContent, nil
	})
	statuses := make(chan int, callers)
	for i := range callers {
		server := []*apitest.App{app, replica}[i%2]
		go func() { statuses <- server.Do(http.MethodPost, "/signup", signUp(email, nil)).Status }()
	}
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	created := 0
	for range callers {
		switch status := <-statuses; status {
		case http.StatusOK:
			created++
		default:
			require.Equal(t, http.StatusUnprocessableEntity, status)
		}
	}
	require.Equal(t, 1, created)
	require.Equal(t, 1, app.Count(`select count(*) from users where email = $1`, email))
}

// The request's own time limit is the request's, whatever the hook's is.
func TestBeforeUserCreatedTakesTooLong(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, hook.at(beforeUserCreated), func(c *conf.Config) { c.API.MaxRequestDuration = 200 * time.Millisecond })
	before := app.Snapshot()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	hook.on(beforeUserCreated, func(map[string]any) (int, any) {
		<-release
		return http.StatusNoContent, nil
	})
	app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)).Refused(http.StatusGatewayTimeout, "request_timeout")
	require.Equal(t, before, app.Snapshot())
}

func TestEnabledHookWithoutURI(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.Hook.BeforeUserCreated.Enabled = true })
	got := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil))
	require.Equal(t, "Unexpected failure, please check server logs for more information",
		got.Refused(http.StatusInternalServerError, "unexpected_failure"))
	require.Empty(t, got.Header.Get("X-Sb-Error-Code"))
	require.NotContains(t, got.JSON(), "error_id")
}

// A hook sees the user whose token it shapes, with what triggers of the project
// have made of it.
func TestAccessTokenHookSeesTheNewUser(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, functionAt(accessToken), func(c *conf.Config) { c.External.AnonymousUsersEnabled = true })
	app.Exec(`create table public.plans (user_id uuid primary key references auth.users on delete cascade, plan text)`)
	app.Exec(`create function public.plan() returns trigger language plpgsql as $$
		begin insert into public.plans values (new.id, 'free'); return new; end $$`)
	app.Exec(`create trigger plan after insert on auth.users for each row execute function public.plan()`)
	app.Exec(`create function public.hook(event jsonb) returns jsonb language plpgsql as $$ begin
		return jsonb_set(event, '{claims,plan}', (select to_jsonb(plan) from public.plans where user_id = (event->>'user_id')::uuid)); end $$`)
	for _, body := range []map[string]any{signUp(apitest.NewEmail(), nil), {}} {
		session := app.Do(http.MethodPost, "/signup", body).OK()
		require.Equal(t, "free", apitest.Claims(t, session["access_token"].(string))["plan"])
		user := session["user"].(map[string]any)
		require.Equal(t, user["last_sign_in_at"], user["updated_at"])
		app.Refresh(session["refresh_token"].(string)).OK()
	}
	require.Equal(t, 2, app.Count(`select count(*) from users where last_sign_in_at is not null`))
}
