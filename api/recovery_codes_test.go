package api_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

const recoveryPath = "/factors/recovery-codes"

// recoveryCodes makes a user's codes.
func recoveryCodes(app *apitest.App, user *apitest.User) []string {
	return codesOf(app.Do(http.MethodPost, recoveryPath, nil, apitest.Bearer(user.AccessToken)))
}

func codesOf(response *apitest.Response) []string {
	var body struct {
		Codes []string `json:"codes"`
	}
	response.OK()
	response.Into(&body)
	return body.Codes
}

// recoverBy steps a session up by a recovery code.
func recoverBy(app *apitest.App, user *apitest.User, code string) *apitest.Response {
	return app.Do(http.MethodPost, recoveryPath+"/verify", map[string]any{"code": code}, apitest.Bearer(user.AccessToken))
}

func remaining(app *apitest.App, user *apitest.User) any {
	return app.Do(http.MethodGet, recoveryPath, nil, apitest.Bearer(user.AccessToken)).OK()["remaining"]
}

func TestRecoveryCodes(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int{"counter": 2, "older kind": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, func(cfg *conf.Config) { cfg.Security.RefreshTokenAlgorithmVersion = version })
			protectedUser, f := protected(t, app)
			bearer := apitest.Bearer(protectedUser.AccessToken)
			made := app.Do(http.MethodPost, recoveryPath, map[string]any{"friendly_name": "Backup"}, bearer)
			body, codes := made.OK(), codesOf(made)
			require.Equal(t, []any{"recovery_code", "Backup", float64(10)}, []any{body["type"], body["friendly_name"], body["total"]})
			require.Equal(t, "no-store", made.Header.Get("Cache-Control"))
			require.Len(t, codes, 10)
			row := app.Text(`select r::text from truegrant_mfa_recovery_codes r`)
			for _, code := range codes {
				require.Regexp(t, `^[0-9a-hjkmnp-tv-z]{16}$`, code)
				require.NotContains(t, row, code, "digests only")
			}
			require.Equal(t, map[string]any{"id": body["id"], "type": "recovery_code", "total": 10.0, "remaining": 10.0},
				app.Do(http.MethodGet, recoveryPath, nil, bearer).OK(), "never the codes again")
			require.Len(t, app.Do(http.MethodGet, "/user", nil, bearer).OK()["factors"], 1, "older SDKs know no such factor")

			// A new login without the factor.
			user, elsewhere := app.SignIn(t, protectedUser.Email), app.SignIn(t, protectedUser.Email)
			typed := strings.ToUpper(codes[3][:4] + "-" + codes[3][4:8] + " " + codes[3][8:12] + "-" + codes[3][12:])
			response := recoverBy(app, user, typed)
			after := stepped(user, response)
			require.Empty(t, response.Header.Get("Sb-Auth-Session-Id"), "as a verified factor answers")
			claims := apitest.Claims(t, after.AccessToken)
			require.Equal(t, []any{"aal2", user.SessionID}, []any{claims["aal"], claims["session_id"]})
			require.Equal(t, "mfa/recovery_code", claims["amr"].([]any)[0].(map[string]any)["method"])
			require.Equal(t, 9.0, remaining(app, after))
			app.Do(http.MethodGet, "/user", nil, apitest.Bearer(elsewhere.AccessToken)).Refused(http.StatusForbidden, "session_not_found")
			app.Do(http.MethodGet, "/user", nil, bearer).OK()
			require.Equal(t, []string{f.id}, app.Texts(`select id::text from mfa_factors`), "no factor goes or comes")
			require.Equal(t, 1, app.Count(`select count(*) from audit_log_entries where payload->>'action' = 'verification_attempted'
				and payload->'traits'->>'factor_id' = $1 and payload->'traits'->>'factor_type' = 'recovery_code'`, body["id"]))

			refreshed := app.Refresh(after.RefreshToken).OK()
			require.Equal(t, "aal2", apitest.Claims(t, refreshed["access_token"].(string))["aal"])
			recoverBy(app, after, codes[3]).Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
			recoverBy(app, after, codes[4]).OK()
			app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_already_used")
		})
	}
}

// Of many who use one code at the same moment, on two servers, one gets in; of
// many who make the first codes, one gets some.
func TestRecoveryCodesOnce(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	replica := app.Replica(t)
	user, _ := protected(t, app)

	const requests = 6
	made := make([]*apitest.Response, requests)
	race(requests, func(i int) {
		made[i] = []*apitest.App{app, replica}[i%2].Do(http.MethodPost, recoveryPath, nil, apitest.Bearer(user.AccessToken))
	})
	var codes []string
	for _, response := range made {
		if response.Status == http.StatusOK {
			require.Empty(t, codes, "two sets")
			codes = codesOf(response)
		} else {
			response.Refused(http.StatusUnprocessableEntity, "mfa_verified_factor_exists")
		}
	}
	require.Len(t, codes, 10)

	sessions := make([]*apitest.User, requests)
	for i := range sessions {
		sessions[i] = app.SignIn(t, user.Email)
	}
	statuses := make([]int, requests)
	race(requests, func(i int) {
		statuses[i] = recoverBy([]*apitest.App{app, replica}[i%2], sessions[i], codes[0]).Status
	})
	require.Equal(t, 1, countOf(statuses, http.StatusOK), "%v", statuses)
	require.Equal(t, 9.0, remaining(app, user))
	require.Equal(t, 2, app.Count(`select count(*) from sessions where aal = 'aal2'`), "the protected one and the winner")
	require.Equal(t, 2, app.Count(`select count(*) from sessions`))

	// One session, one code, in parallel: one new refresh token.
	again := app.SignIn(t, user.Email)
	race(requests, func(i int) {
		statuses[i] = recoverBy([]*apitest.App{app, replica}[i%2], again, codes[1]).Status
	})
	require.Equal(t, 1, countOf(statuses, http.StatusOK), "%v", statuses)
	require.Equal(t, "2", app.Text(`select refresh_token_counter::text from sessions where id = $1`, again.SessionID))
}

// race runs do n times at once.
func race(n int, do func(i int)) {
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() { do(i) })
	}
	wait.Wait()
}

// Two right codes at once on one session: both are spent or one waits its turn,
// and the tokens that were answered last are good.
func TestRecoveryCodesAndRefreshAtOnce(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	owner, _ := protected(t, app)
	codes := recoveryCodes(app, owner)
	user := app.SignIn(t, owner.Email)
	var recovered *apitest.Response
	race(2, func(i int) {
		if i == 0 {
			recovered = recoverBy(app, user, codes[0])
			return
		}
		app.Refresh(user.RefreshToken)
	})
	after := stepped(user, recovered)
	app.Refresh(after.RefreshToken).OK()
	require.Equal(t, 9.0, remaining(app, after))
}

func TestRecoveryCodesAreRefused(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	alone := app.User(t)
	do := func(user *apitest.User, method, path string, body any) *apitest.Response {
		return app.Do(method, recoveryPath+path, body, apitest.Bearer(user.AccessToken))
	}
	const notFound, unprocessable = http.StatusNotFound, http.StatusUnprocessableEntity
	do(alone, http.MethodPost, "", nil).Refused(unprocessable, "mfa_recovery_codes_sole_factor")
	do(alone, http.MethodGet, "", nil).Refused(notFound, "mfa_factor_not_found")
	enrollTOTP(app, alone, "unverified")
	do(alone, http.MethodPost, "", nil).Refused(unprocessable, "mfa_recovery_codes_sole_factor")

	user, _ := protected(t, app)
	for _, route := range []struct{ method, path string }{
		{http.MethodGet, ""}, {http.MethodDelete, ""}, {http.MethodPost, "/regenerate"}, {http.MethodPost, "/verify"},
	} {
		do(user, route.method, route.path, map[string]any{"code": "k4m9x7qp2ab8ht3z"}).Refused(notFound, "mfa_factor_not_found")
	}
	do(user, http.MethodPost, "", "{").Refused(http.StatusBadRequest, "bad_json")
	do(user, http.MethodPost, "", map[string]any{"friendly_name": strings.Repeat("x", 121)}).
		Refused(http.StatusBadRequest, "validation_failed")
	do(user, http.MethodPost, "", map[string]any{"friendly_name": "app"}).Refused(unprocessable, "mfa_factor_name_conflict")
	codes := recoveryCodes(app, user)
	do(user, http.MethodPost, "", nil).Refused(unprocessable, "mfa_verified_factor_exists")

	low := app.SignIn(t, user.Email)
	do(low, http.MethodPost, "", nil).Refused(http.StatusForbidden, "insufficient_aal")
	do(low, http.MethodPost, "/regenerate", nil).Refused(http.StatusForbidden, "insufficient_aal")
	do(low, http.MethodDelete, "", nil).Refused(unprocessable, "insufficient_aal")
	do(low, http.MethodGet, "", nil).OK()
	do(low, http.MethodPost, "/verify", nil).Refused(http.StatusBadRequest, "bad_json")
	for _, code := range []any{nil, "", "123456", codes[0][1:], strings.Repeat("0", 16), strings.Repeat("-", 500)} {
		do(low, http.MethodPost, "/verify", map[string]any{"code": code}).Refused(unprocessable, "mfa_verification_failed")
	}
	stranger, _ := protected(t, app)
	recoveryCodes(app, stranger)
	recoverBy(app, app.SignIn(t, stranger.Email), codes[0]).Refused(unprocessable, "mfa_verification_failed")
	do(low, http.MethodPost, "/challenge", nil).Refused(notFound, "validation_failed")
	require.Equal(t, 10.0, remaining(app, user))
	recoverBy(app, low, codes[0]).OK()
}

func TestWhoMayUseRecoveryCodes(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(cfg *conf.Config) { cfg.External.AnonymousUsersEnabled = true })
	user, _ := protected(t, app)
	code := recoveryCodes(app, user)[0]
	granted := app.Grant(t, user, app.Client(t))
	anonymous := app.Do(http.MethodPost, "/signup", map[string]any{}).OK()["access_token"].(string)
	without := app.Sign(jwt.MapClaims{
		"sub": user.ID, "aud": "authenticated", "role": "authenticated", "aal": "aal2", "exp": app.UnixIn(time.Hour),
	})
	for _, route := range []struct{ method, path string }{
		{http.MethodGet, ""}, {http.MethodPost, ""}, {http.MethodDelete, ""}, {http.MethodPost, "/regenerate"}, {http.MethodPost, "/verify"},
	} {
		do := func(options ...apitest.Option) *apitest.Response {
			return app.Do(route.method, recoveryPath+route.path, map[string]any{"code": code}, options...)
		}
		do().Refused(http.StatusUnauthorized, "no_authorization")
		do(apitest.Bearer(granted.AccessToken)).Refused(http.StatusForbidden, "no_authorization")
		do(apitest.Bearer(anonymous)).Refused(http.StatusForbidden, "no_authorization")
		do(apitest.Bearer(without)).Refused(http.StatusInternalServerError, "unexpected_failure")
	}
	require.Equal(t, 10.0, remaining(app, user))
}

func TestRegenerateRecoveryCodes(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, _ := protected(t, app)
	made := app.Do(http.MethodPost, recoveryPath, nil, apitest.Bearer(user.AccessToken))
	old := codesOf(made)
	again := app.Do(http.MethodPost, recoveryPath+"/regenerate", nil, apitest.Bearer(user.AccessToken))
	fresh, body := codesOf(again), again.OK()
	require.Equal(t, []any{made.OK()["id"], "Recovery codes"}, []any{body["id"], body["friendly_name"]}, "the set stays")
	require.NotContains(t, fresh, old[0])
	low := app.SignIn(t, user.Email)
	recoverBy(app, low, old[0]).Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
	recoverBy(app, low, fresh[0]).OK()
	require.Equal(t, []string{"factor_in_progress", "challenge_created", "verification_attempted", "recovery_codes_generated",
		"recovery_codes_regenerated", "verification_attempted"},
		app.Texts(`select payload->>'action' from audit_log_entries where payload->>'log_type' = 'factor' and ip_address <> '' order by created_at`))
}

func TestRecoveryCodesLock(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, _ := protected(t, app)
	codes := recoveryCodes(app, user)
	low := app.SignIn(t, user.Email)
	fail := func(n int) {
		for range n {
			recoverBy(app, low, codes[9][1:]+"0").Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
		}
	}
	fail(9)
	low = stepped(low, recoverBy(app, low, codes[0])) // a right one forgives
	fail(10)
	recoverBy(app, low, codes[1]).Refused(http.StatusTooManyRequests, "mfa_recovery_codes_locked")
	app.Clock.Advance(15 * time.Minute)
	low = stepped(low, recoverBy(app, low, codes[1]))
	fail(10)
	regenerated := codesOf(app.Do(http.MethodPost, recoveryPath+"/regenerate", nil, apitest.Bearer(low.AccessToken)))
	recoverBy(app, low, regenerated[0]).OK()
}

// The codes go with what they stand in for, and so does what they brought.
func TestRecoveryCodesGoWithTheLastFactor(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, first := protected(t, app)
	second := enrollTOTP(app, user, "second")
	user = stepUp(t, app, user, second)
	codes := recoveryCodes(app, user)
	low := app.SignIn(t, user.Email)
	low = stepped(low, recoverBy(app, low, codes[0]))

	app.Do(http.MethodDelete, "/factors/"+first.id, nil, apitest.Bearer(user.AccessToken)).OK()
	require.Equal(t, 9.0, remaining(app, user))
	require.Equal(t, "aal2", app.Text(`select aal::text from sessions where id = $1`, low.SessionID))
	app.Do(http.MethodDelete, "/factors/"+second.id, nil, apitest.Bearer(low.AccessToken)).OK()
	require.Zero(t, app.Count(`select count(*) from truegrant_mfa_recovery_codes`))
	require.Equal(t, "aal1", app.Text(`select aal::text from sessions where id = $1`, low.SessionID))
	require.Equal(t, []string{"password"}, app.Texts(`select authentication_method from mfa_amr_claims where session_id = $1`, low.SessionID))
	recoverBy(app, low, codes[1]).Refused(http.StatusNotFound, "mfa_factor_not_found")
}

// Two factors that go at the same moment leave no codes behind.
func TestRecoveryCodesGoWithTheLastFactorsAtOnce(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	replica := app.Replica(t)
	for range 4 {
		user, first := protected(t, app)
		second := enrollTOTP(app, user, "second")
		user = stepUp(t, app, user, second)
		codes := recoveryCodes(app, user)
		// No factor holds this session up, so that it may remove both.
		remover := app.SignIn(t, user.Email)
		remover = stepped(remover, recoverBy(app, remover, codes[0]))
		race(3, func(i int) {
			if i == 2 {
				recoverBy(app, user, codes[1]) // gets in or not, but not in the way
				return
			}
			[]*apitest.App{app, replica}[i].Do(http.MethodDelete, "/factors/"+[]string{first.id, second.id}[i], nil,
				apitest.Bearer(remover.AccessToken)).OK()
		})
		require.Zero(t, app.Count(`select count(*) from truegrant_mfa_recovery_codes`))
		require.Zero(t, app.Count(`select count(*) from sessions where aal <> 'aal1'`))
	}
	for _, line := range app.Log.Requests() {
		require.NotEqual(t, 500.0, line["status"], "%v", line)
	}
}

// GoTrue does not know of the codes: what it leaves behind does not revive.
func TestRecoveryCodesThatOutlivedTheirFactor(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, f := protected(t, app)
	codes := recoveryCodes(app, user)
	app.Exec(`delete from mfa_factors where id = $1`, f.id)
	recoverBy(app, user, codes[0]).Refused(http.StatusNotFound, "mfa_factor_not_found")
	user = stepUp(t, app, user, enrollTOTP(app, user, "new"))
	require.Zero(t, app.Count(`select count(*) from truegrant_mfa_recovery_codes`))
	require.Len(t, recoveryCodes(app, user), 10)
}

func TestDeleteRecoveryCodes(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, _ := protected(t, app)
	codes := recoveryCodes(app, user)
	low := app.SignIn(t, user.Email)
	low = stepped(low, recoverBy(app, low, codes[0]))
	app.Do(http.MethodDelete, recoveryPath, nil, apitest.Bearer(user.AccessToken)).OK()
	recoverBy(app, user, codes[1]).Refused(http.StatusNotFound, "mfa_factor_not_found")
	require.Equal(t, []string{"aal1", "aal2"}, app.Texts(`select aal::text from sessions order by aal`))
	refreshed := app.Refresh(low.RefreshToken).OK()
	require.Equal(t, "aal1", apitest.Claims(t, refreshed["access_token"].(string))["aal"])
	require.Zero(t, app.Count(`select count(*) from mfa_amr_claims where authentication_method = 'mfa/recovery_code'`))
	require.Equal(t, user.SessionID, app.Text(`select payload->'traits'->>'session_id' from audit_log_entries
		where payload->>'action' = 'recovery_codes_deleted'`))
}

func TestRecoveryCodesOfAdministrators(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, _ := protected(t, app)
	path := "/admin/users/" + user.ID + recoveryPath
	service := apitest.Bearer(app.ServiceKey())
	app.Do(http.MethodGet, path, nil, service).Refused(http.StatusNotFound, "mfa_factor_not_found")
	codes := recoveryCodes(app, user)
	recoverBy(app, user, codes[0]).OK()
	app.Do(http.MethodGet, path, nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusForbidden, "not_admin")
	shown := app.Do(http.MethodGet, path, nil, service).OK()
	require.Equal(t, []any{"recovery_code", "Recovery codes", 10.0, 9.0},
		[]any{shown["type"], shown["friendly_name"], shown["total"], shown["remaining"]})
	require.Equal(t, shown, app.Do(http.MethodDelete, path, nil, service).OK())
	app.Do(http.MethodDelete, path, nil, service).Refused(http.StatusNotFound, "mfa_factor_not_found")
	require.Equal(t, user.ID+" service_role", app.Text(`select (payload->'traits'->>'user_id') || ' ' || (payload->>'actor_username')
		from audit_log_entries where payload->>'action' = 'recovery_codes_deleted'`))

	app.Do(http.MethodGet, "/admin/users/no-uuid"+recoveryPath, nil, service).Refused(http.StatusNotFound, "validation_failed")
	other, _ := protected(t, app)
	recoveryCodes(app, other)
	app.Do(http.MethodDelete, "/admin/users/"+other.ID, map[string]any{"should_soft_delete": true}, service).OK()
	require.Zero(t, app.Count(`select count(*) from truegrant_mfa_recovery_codes`))
}

func TestRecoveryCodesHookMailAndSwitches(t *testing.T) {
	t.Parallel()
	hook, mail := newHTTPHook(t), apitest.NewMail(t)
	app := apitest.New(t, mail.Configure, func(cfg *conf.Config) {
		cfg.Hook.MFAVerificationAttempt = conf.HookPoint{Enabled: true, URI: hook.url, Secrets: []string{hookSecret}}
		cfg.Mailer.Notifications.MFAFactorEnrolledEnabled = true
		cfg.Mailer.Notifications.MFAFactorUnenrolledEnabled = true
	})
	user, _ := protected(t, app)
	codes := recoveryCodes(app, user)
	require.Contains(t, mail.Last(user.Email).Body, "recovery_code")
	recoverBy(app, user, "x").Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
	told := hook.last()
	require.Equal(t, []any{user.ID, "recovery_code", false}, []any{told["user_id"], told["factor_type"], told["valid"]})
	recoverBy(app, user, codes[0]).OK()
	require.Equal(t, true, hook.last()["valid"])

	off := apitest.New(t, func(cfg *conf.Config) { cfg.MFA.RecoveryCodes = conf.MFARecoveryCodes{} })
	other, _ := protected(t, off)
	do := func(path string) *apitest.Response {
		return off.Do(http.MethodPost, recoveryPath+path, map[string]any{}, apitest.Bearer(other.AccessToken))
	}
	do("").Refused(http.StatusUnprocessableEntity, "mfa_recovery_codes_enroll_not_enabled")
	do("/regenerate").Refused(http.StatusUnprocessableEntity, "mfa_recovery_codes_enroll_not_enabled")
	do("/verify").Refused(http.StatusUnprocessableEntity, "mfa_recovery_codes_verify_not_enabled")

	hook.answer(func(map[string]any) (int, any) { return http.StatusOK, map[string]any{"decision": "reject"} })
	recoverBy(app, user, codes[1]).Refused(http.StatusForbidden, "mfa_verification_rejected")
	require.Zero(t, app.Count(`select count(*) from sessions`))
	require.Equal(t, 9, app.Count(`select cardinality(unspent) from truegrant_mfa_recovery_codes`))
}

func TestRecoveryCodesLimitAndStatements(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(cfg *conf.Config) { cfg.RateLimit.Header = "X-Client" })
	user, _ := protected(t, app)
	bearer := apitest.Bearer(user.AccessToken)
	var codes []string
	require.Equal(t, 3, app.Statements(func() { codes = recoveryCodes(app, user) }))
	require.Equal(t, 2, app.Statements(func() { remaining(app, user) }))
	require.Equal(t, 4, app.Statements(func() { recoverBy(app, user, codes[0]).OK() }), "as verifying a factor")
	require.Equal(t, 4, app.Statements(func() { recoverBy(app, user, "x") }))
	require.Equal(t, 4, app.Statements(func() {
		app.Do(http.MethodPost, recoveryPath+"/regenerate", nil, bearer).OK()
	}))
	require.Equal(t, 4, app.Statements(func() { app.Do(http.MethodDelete, recoveryPath, nil, bearer).OK() }))
	for _, path := range []string{"", "/verify"} {
		var last *apitest.Response
		for range 31 {
			last = app.Do(http.MethodPost, recoveryPath+path, "{}", apitest.Header("X-Client", "198.51.100.1"))
		}
		last.Refused(http.StatusTooManyRequests, "over_request_rate_limit")
	}
}
