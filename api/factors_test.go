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
	"github.com/truegrant/truegrant/secret"
)

func TestEnrollTOTP(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	bearer := apitest.Bearer(user.AccessToken)
	body := app.Do(http.MethodPost, "/factors",
		map[string]any{"factor_type": "totp", "friendly_name": "my app", "issuer": "My App"}, bearer).OK()
	require.Equal(t, "totp", body["type"])
	require.Equal(t, "my app", body["friendly_name"])
	require.NotContains(t, body, "phone")
	key := body["totp"].(map[string]any)
	require.Regexp(t, `^[A-Z2-7]{32}$`, key["secret"])
	require.Equal(t, "otpauth://totp/My%20App:"+user.Email+"?algorithm=SHA1&digits=6&issuer=My%20App&period=30&secret="+
		key["secret"].(string), key["uri"])
	require.True(t, strings.HasPrefix(key["qr_code"].(string), `<?xml version="1.0"?>`))

	other := app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "totp"}, bearer).OK()
	require.Equal(t, "", other["friendly_name"])
	require.Contains(t, other["totp"].(map[string]any)["uri"], "otpauth://totp/app.test:")
	for _, name := range []string{"my app", ""} {
		app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "totp", "friendly_name": name}, bearer).
			Refused(http.StatusUnprocessableEntity, "mfa_factor_name_conflict")
	}
	require.Equal(t, "unverified ", app.Text(`select status || ' ' || coalesce(phone, '') from mfa_factors
		where id = $1 and last_challenged_at is null and web_authn_credential is null`, body["id"]))
	require.Equal(t, "factor|192.0.2.1", app.Text(`select (payload->>'log_type') || '|' || ip_address from audit_log_entries
		where payload->>'action' = 'factor_in_progress' and payload->'traits'->>'factor_id' = $1`, body["id"]))
	require.Len(t, app.Do(http.MethodGet, "/user", nil, bearer).OK()["factors"], 2)
}

func TestEnrollAbandonedFactorsMakeRoom(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	enrollTOTP(app, user, "app")
	challenged := enrollTOTP(app, user, "challenged")
	challengeOf(app, user, challenged)
	app.Clock.Advance(301 * time.Second)
	enrollTOTP(app, user, "app")
	app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "totp", "friendly_name": "challenged"},
		apitest.Bearer(user.AccessToken)).Refused(http.StatusUnprocessableEntity, "mfa_factor_name_conflict")
	require.Equal(t, 2, app.Count(`select count(*) from mfa_factors`))
}

func TestEnrollConcurrentlyKeepsTheLimit(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(cfg *conf.Config) { cfg.MFA.MaxEnrolledFactors = 3 })
	replica := app.Replica(t)
	user := app.User(t)
	var wait sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		server := []*apitest.App{app, replica}[i%2]
		wait.Go(func() {
			statuses[i] = server.Do(http.MethodPost, "/factors",
				map[string]any{"factor_type": "totp", "friendly_name": string(rune('a' + i))}, apitest.Bearer(user.AccessToken)).Status
		})
	}
	wait.Wait()
	require.Equal(t, 3, countOf(statuses, http.StatusOK), "%v", statuses)
	require.Equal(t, 5, countOf(statuses, http.StatusUnprocessableEntity), "%v", statuses)
	require.Equal(t, 3, app.Count(`select count(*) from mfa_factors`))
}

func countOf(values []int, wanted int) (n int) {
	for _, value := range values {
		if value == wanted {
			n++
		}
	}
	return n
}

func TestStepUp(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int{"counter": 2, "older kind": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, func(cfg *conf.Config) { cfg.Security.RefreshTokenAlgorithmVersion = version })
			user := app.User(t)
			elsewhere := app.SignIn(t, user.Email)
			f := enrollTOTP(app, user, "app")
			sibling := enrollTOTP(app, user, "sibling")
			challenge := challengeOf(app, user, f)
			response := answer(app, user, f, challenge, f.code(t, app))
			body := response.OK()
			require.Empty(t, response.Header.Get("Sb-Auth-Session-Id"), "as GoTrue answers")
			after := stepped(user, response)

			claims := apitest.Claims(t, after.AccessToken)
			require.Equal(t, "aal2", claims["aal"])
			require.Equal(t, user.SessionID, claims["session_id"])
			methods := claims["amr"].([]any)
			require.Len(t, methods, 2)
			require.Equal(t, "totp", methods[0].(map[string]any)["method"])
			shown := body["user"].(map[string]any)["factors"].([]any)
			require.Len(t, shown, 2, "a snapshot with the sibling")
			require.Equal(t, "verified", shown[0].(map[string]any)["status"])
			require.NotEmpty(t, shown[0].(map[string]any)["last_challenged_at"])

			require.Equal(t, "aal2 "+f.id, app.Text(`select aal || ' ' || factor_id from sessions where id = $1`, user.SessionID))
			require.Zero(t, app.Count(`select count(*) from mfa_factors where id = $1`, sibling.id))
			app.Do(http.MethodGet, "/user", nil, apitest.Bearer(elsewhere.AccessToken)).
				Refused(http.StatusForbidden, "session_not_found")
			app.Do(http.MethodGet, "/user", nil, apitest.Bearer(after.AccessToken)).OK()
			require.Equal(t, 1, app.Count(`select count(*) from audit_log_entries
				where payload->>'action' = 'verification_attempted' and payload->'traits'->>'challenge_id' = $1`, challenge))

			refreshed := app.Refresh(after.RefreshToken).OK()
			require.Equal(t, "aal2", apitest.Claims(t, refreshed["access_token"].(string))["aal"])
			app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_already_used")
		})
	}
}

func TestStepUpMovesTheCounterByTwo(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	after := stepUp(t, app, user, enrollTOTP(app, user, "app"))
	parsed, err := secret.ParseRefreshToken(after.RefreshToken)
	require.NoError(t, err)
	require.EqualValues(t, 2, parsed.Counter)
	require.Equal(t, "2", app.Text(`select refresh_token_counter::text from sessions where id = $1`, user.SessionID))
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_already_used")
}

// One challenge, many answers, two replicas: one of them wins.
func TestConcurrentVerifications(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int{"counter": 2, "older kind": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, func(cfg *conf.Config) { cfg.Security.RefreshTokenAlgorithmVersion = version })
			replica := app.Replica(t)
			user := app.User(t)
			f := enrollTOTP(app, user, "app")
			challenge, code := challengeOf(app, user, f), f.code(t, app)
			var wait sync.WaitGroup
			statuses := make([]int, 8)
			for i := range statuses {
				server := []*apitest.App{app, replica}[i%2]
				wait.Go(func() { statuses[i] = answer(server, user, f, challenge, code).Status })
			}
			wait.Wait()
			require.Equal(t, 1, countOf(statuses, http.StatusOK), "%v", statuses)
			require.Equal(t, 7, countOf(statuses, http.StatusUnprocessableEntity), "%v", statuses)
			require.Equal(t, 1, app.Count(`select count(*) from audit_log_entries where payload->>'action' = 'verification_attempted'`))
			require.Equal(t, 2, app.Count(`select count(*) from mfa_amr_claims`))
			if version == 1 {
				require.Equal(t, 2, app.Count(`select count(*) from refresh_tokens where session_id = $1`, user.SessionID))
			}
		})
	}
}

// A code is good for one verification, whatever the challenge and session.
func TestTOTPCodeIsSpentOnce(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, f := protected(t, app)
	code := f.code(t, app)
	again := app.SignIn(t, user.Email)
	answer(app, again, f, challengeOf(app, again, f), code).Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")

	app.Clock.Advance(30 * time.Second)
	challenge := challengeOf(app, again, f)
	answer(app, again, f, challenge, code).Refused(http.StatusUnprocessableEntity, "mfa_verification_failed")
	answer(app, again, f, challenge, f.code(t, app)).OK()
}

func TestTOTPCodeIsSpentOnceConcurrently(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, f := protected(t, app)
	app.Clock.Advance(time.Minute)
	code := f.code(t, app)
	sessions := []*apitest.User{user}
	for range 4 {
		sessions = append(sessions, app.SignIn(t, user.Email))
	}
	challenges := make([]string, len(sessions))
	for i, session := range sessions {
		challenges[i] = challengeOf(app, session, f)
	}
	var wait sync.WaitGroup
	statuses := make([]int, len(sessions))
	for i, session := range sessions {
		wait.Go(func() { statuses[i] = answer(app, session, f, challenges[i], code).Status })
	}
	wait.Wait()
	require.Equal(t, 1, countOf(statuses, http.StatusOK), "%v", statuses)
	for _, status := range statuses {
		require.Contains(t, []int{200, 403, 422}, status, "refused, or the session ended by the winner")
	}
}

func TestChallengesAtTheSameMoment(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	factors := []factor{enrollTOTP(app, user, "a"), enrollTOTP(app, user, "b"), enrollTOTP(app, user, "c"), enrollTOTP(app, user, "d")}
	var wait sync.WaitGroup
	statuses := make([]int, 16)
	for i := range statuses {
		wait.Go(func() {
			statuses[i] = app.Do(http.MethodPost, "/factors/"+factors[i%4].id+"/challenge", nil, apitest.Bearer(user.AccessToken)).Status
		})
	}
	wait.Wait()
	require.Equal(t, 16, countOf(statuses, http.StatusOK), "%v", statuses)
	require.Equal(t, 16, app.Count(`select count(*) from mfa_challenges`))
}

func TestAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, f := protected(t, app)
	app.Clock.Advance(time.Minute)
	challenge := challengeOf(app, user, f)
	second := enrollTOTP(app, user, "second")
	refuse := func(status int, code string, f factor, challenge, answered string, options ...apitest.Option) {
		t.Helper()
		before := app.Snapshot()
		answer(app, user, f, challenge, answered, options...).Refused(status, code)
		require.Equal(t, before, app.Snapshot(), "what failed changes nothing")
	}
	right := f.code(t, app)
	refuse(400, "validation_failed", f, challenge, "")
	refuse(400, "bad_json", f, "not-a-uuid", right)
	refuse(422, "mfa_verification_failed", f, challenge, "000000")
	refuse(422, "mfa_verification_failed", f, challenge, right+"0")
	refuse(422, "mfa_factor_not_found", f, "11111111-2222-4333-8444-555555555555", right)
	refuse(422, "mfa_factor_not_found", second, challenge, right)
	refuse(422, "mfa_ip_address_mismatch", f, challenge, right, apitest.Header("X-Forwarded-For", "203.0.113.9"))

	stranger := app.User(t)
	user = stranger
	refuse(404, "mfa_factor_not_found", f, challenge, right)
}

func TestExpiredChallengeIsRemoved(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	f := enrollTOTP(app, user, "app")
	challenge := challengeOf(app, user, f)
	app.Clock.Advance(300 * time.Second)
	answer(app, user, f, challenge, f.code(t, app)).Refused(http.StatusUnprocessableEntity, "mfa_challenge_expired")
	require.Zero(t, app.Count(`select count(*) from mfa_challenges`))
}

// Somebody who knows the password enrolled a factor before the owner verified
// one: it must not become a way around the owner's.
func TestUnverifiedFactorIsNoWayAround(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withWebAuthn)
	owner := app.User(t)
	intruder := app.SignIn(t, owner.Email)
	planted := factor{id: app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "webauthn", "friendly_name": "x"},
		apitest.Bearer(intruder.AccessToken)).OK()["id"].(string)}
	after := stepUp(t, app, owner, enrollTOTP(app, owner, "app"))

	intruder = app.SignIn(t, owner.Email)
	key := newSecurityKey()
	challenge := beginWebAuthn(app, intruder, planted)
	answerWebAuthn(app, intruder, planted, challenge.ID, "create", key.create(t, challenge)).
		Refused(http.StatusForbidden, "insufficient_aal")

	challenge = beginWebAuthn(app, after, planted)
	answerWebAuthn(app, after, planted, challenge.ID, "create", key.create(t, challenge)).OK()
}

func TestUnenroll(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, f := protected(t, app)
	other := app.SignIn(t, user.Email)
	app.Do(http.MethodDelete, "/factors/"+f.id, nil, apitest.Bearer(other.AccessToken)).
		Refused(http.StatusUnprocessableEntity, "insufficient_aal")
	body := app.Do(http.MethodDelete, "/factors/"+f.id, nil, apitest.Bearer(user.AccessToken)).OK()
	require.Equal(t, map[string]any{"id": f.id}, body)
	require.Equal(t, "aal1", app.Text(`select aal::text from sessions where id = $1 and factor_id is null`, user.SessionID))
	require.Equal(t, []string{"password"}, app.Texts(`select authentication_method from mfa_amr_claims where session_id = $1`, user.SessionID))
	require.Equal(t, user.SessionID, app.Text(`select payload->'traits'->>'session_id' from audit_log_entries
		where payload->>'action' = 'factor_unenrolled' and payload->'traits'->>'factor_status' = 'verified'`))
	app.Do(http.MethodDelete, "/factors/"+f.id, nil, apitest.Bearer(user.AccessToken)).
		Refused(http.StatusNotFound, "mfa_factor_not_found")
	refreshed := app.Refresh(user.RefreshToken).OK()
	require.Equal(t, "aal1", apitest.Claims(t, refreshed["access_token"].(string))["aal"])
}

func TestWhoMayManageFactors(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(cfg *conf.Config) { cfg.External.AnonymousUsersEnabled = true })
	user, f := protected(t, app)
	client := app.Client(t)
	granted := app.Grant(t, user, client)
	anonymous := app.Do(http.MethodPost, "/signup", map[string]any{}).OK()["access_token"].(string)
	without := app.Sign(jwt.MapClaims{
		"sub": user.ID, "aud": "authenticated", "role": "authenticated", "aal": "aal2", "exp": app.UnixIn(time.Hour),
	})
	for _, route := range []struct{ method, path string }{
		{http.MethodPost, "/factors"},
		{http.MethodPost, "/factors/" + f.id + "/challenge"},
		{http.MethodPost, "/factors/" + f.id + "/verify"},
		{http.MethodDelete, "/factors/" + f.id},
	} {
		body := map[string]any{"factor_type": "totp", "friendly_name": "x", "code": "000000"}
		do := func(options ...apitest.Option) *apitest.Response {
			return app.Do(route.method, route.path, body, options...)
		}
		do().Refused(http.StatusUnauthorized, "no_authorization")
		do(apitest.Bearer(granted.AccessToken)).Refused(http.StatusForbidden, "no_authorization")
		do(apitest.Bearer(anonymous)).Refused(http.StatusForbidden, "no_authorization")
		do(apitest.Bearer(without)).Refused(http.StatusInternalServerError, "unexpected_failure")
	}
	require.Equal(t, 1, app.Count(`select count(*) from mfa_factors`))
}

func TestFactorSwitchesAndLimits(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(cfg *conf.Config) {
		cfg.MFA.TOTP.VerifyEnabled = false
		cfg.MFA.RateLimitChallengeAndVerify, cfg.RateLimit.Header = 1, "X-Client"
	})
	user := app.User(t)
	f := enrollTOTP(app, user, "app")
	from := apitest.Header("X-Client", "one")
	for _, path := range []string{"challenge", "verify"} {
		do := func() *apitest.Response {
			return app.Do(http.MethodPost, "/factors/"+f.id+"/"+path,
				map[string]any{"challenge_id": f.id, "code": "123456"}, apitest.Bearer(user.AccessToken), from)
		}
		for range 30 {
			do().Refused(http.StatusUnprocessableEntity, "mfa_totp_verify_not_enabled")
		}
		do().Refused(http.StatusTooManyRequests, "over_request_rate_limit")
	}
	for _, kind := range []string{"phone", "webauthn"} {
		app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": kind, "phone": "+12345678"}, apitest.Bearer(user.AccessToken)).
			Refused(http.StatusUnprocessableEntity, "mfa_"+kind+"_enroll_not_enabled")
	}
	require.Equal(t, http.StatusMethodNotAllowed, app.Do(http.MethodGet, "/factors", nil, apitest.Bearer(user.AccessToken)).Status)
}

// With encryption on, secrets are sealed when they are made and when a plain
// one is used.
func TestSecretsAreSealed(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("A", 43)
	app := apitest.New(t, func(cfg *conf.Config) {
		cfg.Security.DBEncryption = conf.DBEncryption{
			Encrypt: true, EncryptionKeyID: "k1", EncryptionKey: key, DecryptionKeys: map[string]string{"k1": key},
		}
	})
	user := app.User(t)
	f := enrollTOTP(app, user, "app")
	const keyID = `select secret::json->>'key_id' from mfa_factors where id = $1`
	require.Equal(t, "k1", app.Text(keyID, f.id))
	app.Exec(`update mfa_factors set secret = $2 where id = $1`, f.id, f.secret)
	stepUp(t, app, user, f)
	require.Equal(t, "k1", app.Text(keyID, f.id), "sealed again")
}

func TestFactorChangesAreMailed(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	app := apitest.New(t, mail.Configure, func(cfg *conf.Config) {
		cfg.Mailer.Notifications.MFAFactorEnrolledEnabled = true
		cfg.Mailer.Notifications.MFAFactorUnenrolledEnabled = true
	})
	user, f := protected(t, app)
	require.Contains(t, mail.Last(user.Email).Body, "totp")
	stepUp(t, app, user, f)
	require.Len(t, mail.To(user.Email), 1, "only the first verification is news")

	mail.Refuse(true)
	app.Do(http.MethodDelete, "/factors/"+f.id, nil, apitest.Bearer(user.AccessToken)).OK()
	require.Zero(t, app.Count(`select count(*) from mfa_factors`), "a lost mail does not undo it")
	mail.Refuse(false)
	f = enrollTOTP(app, user, "again")
	app.Do(http.MethodDelete, "/factors/"+f.id, nil, apitest.Bearer(user.AccessToken)).OK()
	require.Len(t, mail.To(user.Email), 1, "nothing was enrolled, nothing is removed")
}

// Verifying takes four statements: the bearer, the challenge, a lock, and one
// that writes all that follows.
func TestFactorStatements(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	f := enrollTOTP(app, user, "app")
	var challenge string
	require.Equal(t, 2, app.Statements(func() { challenge = challengeOf(app, user, f) }))
	require.Equal(t, 4, app.Statements(func() { answer(app, user, f, challenge, f.code(t, app)).OK() }))
}

// A step-up ends the user's other sessions below aal2, but no grant: an agent
// that was let in cannot use a second factor.
func TestStepUpLeavesGrantsAlone(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	client := app.Client(t)
	grant := app.Grant(t, user, client)
	other := app.SignIn(t, user.Email)
	f := enrollTOTP(app, user, "app")
	stepUp(t, app, user, f)
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(other.AccessToken)).Refused(http.StatusForbidden, "session_not_found")
	app.RefreshGrant(client, grant.RefreshToken).OK()
}
