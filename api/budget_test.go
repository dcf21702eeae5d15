package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// What a request may cost the database, in statements without BEGIN and
// COMMIT. The numbers are the design's; a request may cost less.
func TestStatementBudgets(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.External.AnonymousUsersEnabled = true })
	older := func() *apitest.App {
		app.Config.Security.RefreshTokenAlgorithmVersion = 1
		defer func() { app.Config.Security.RefreshTokenAlgorithmVersion = 2 }()
		return app.Replica(t)
	}()
	counted, olderUser, leaver := app.User(t), older.User(t), app.User(t)
	spent := counted.RefreshToken
	counted.RefreshToken = refreshed(t, app, spent)
	get := func(path string, options ...apitest.Option) func() {
		return func() { app.Do(http.MethodGet, path, nil, options...).OK() }
	}
	for _, test := range []struct {
		name   string
		budget int
		do     func()
	}{
		{"GET /user", 1, get("/user", apitest.Bearer(counted.AccessToken))},
		{"password", 3, func() { app.SignIn(t, counted.Email) }},
		{"refresh", 2, func() { app.Refresh(counted.RefreshToken).OK() }},
		{"refresh, replayed", 2, func() { app.Refresh(counted.RefreshToken).OK() }},
		{"refresh of the older kind", 2, func() { older.Refresh(olderUser.RefreshToken).OK() }},
		{"refresh of the older kind, replayed", 2, func() { older.Refresh(olderUser.RefreshToken).OK() }},
		{"refresh refused", 1, func() { app.Refresh("aaaaaaaaaaaa").Refused(http.StatusBadRequest, "refresh_token_not_found") }},
		{"refresh malformed", 0, func() { app.Refresh("x").Refused(http.StatusBadRequest, "validation_failed") }},
		{"signup", 4, func() { app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)).OK() }},
		{"signup, anonymous", 4, func() { app.Do(http.MethodPost, "/signup", "{}").OK() }},
		{"PUT /user", 3, func() {
			app.Do(http.MethodPut, "/user", map[string]any{"data": map[string]any{"a": 1}}, apitest.Bearer(counted.AccessToken)).OK()
		}},
		{"logout", 2, func() { app.Do(http.MethodPost, "/logout", nil, apitest.Bearer(leaver.AccessToken)).OK() }},
		{"bad bearer", 0, func() {
			app.Do(http.MethodGet, "/user", nil, apitest.Bearer("x")).Refused(http.StatusForbidden, "bad_jwt")
		}},
		{"jwks", 0, get("/.well-known/jwks.json")},
		{"metadata", 0, get("/.well-known/openid-configuration")},
		{"health", 0, get("/health")},
		{"settings", 0, get("/settings")},
	} {
		server := app
		if test.name == "refresh of the older kind" || test.name == "refresh of the older kind, replayed" {
			server = older
		}
		require.LessOrEqual(t, server.Statements(test.do), test.budget, test.name)
	}
}

// Sign-in by phone costs no more than by mail.
func TestPhoneStatementBudgets(t *testing.T) {
	t.Parallel()
	app, hook := texting(t, func(c *conf.Config) { c.SMS.MaxFrequency = time.Nanosecond })
	phone, token := phoneUser(t, app)
	change := newPhone()
	for _, test := range []struct {
		name   string
		budget int
		do     func()
	}{
		{"password", 2, func() { signInPhone(app, phone).OK() }},
		{"otp", 2, func() { askText(app, phone).OK() }},
		{"verify", 2, func() { verifyPhone(app, "sms", phone, textedTo(hook, phone)).OK() }},
		{"verify, wrong", 1, func() { verifyPhone(app, "sms", phone, "x").Refused(http.StatusForbidden, "otp_expired") }},
		{"otp, new", 2, func() { askText(app, newPhone()).OK() }},
		{"signup", 2, func() { signUpPhone(app, newPhone()).OK() }},
		{"resend", 2, func() { post(app, "/resend", map[string]any{"type": "sms", "phone": phone}).OK() }},
		{"reauthenticate", 2, func() { app.Do(http.MethodGet, "/reauthenticate", nil, apitest.Bearer(token)).OK() }},
		{"PUT /user", 4, func() { putAs(app, token, map[string]any{"phone": change}).OK() }},
		{"verify the change", 2, func() { verifyPhone(app, "phone_change", change, textedTo(hook, change)).OK() }},
	} {
		require.LessOrEqual(t, app.Statements(test.do), test.budget, test.name)
	}
}

// The log line of a request tells what it cost.
func TestStatementsAreLogged(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	lines := app.Log.Requests()
	require.InDelta(t, 1, lines[len(lines)-1]["statements"], 0)
	require.Equal(t, "/user", lines[len(lines)-1]["route"])
}

// Every statement of the hot paths finds its rows by an index, however many
// users there are: after thousands of rows have been added and analysed, the
// server's requests scan none of the large tables.
func TestHotStatementsUseIndexes(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int{"counter": 2, "older": 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, func(c *conf.Config) {
				c.External.PhoneEnabled, c.Security.RefreshTokenAlgorithmVersion = true, version
				c.SMS.TestOTP = map[string]string{"15550001001": "424242", "15550001002": "424242"}
			})
			user, client := app.User(t), app.Client(t)
			grant := app.Grant(t, user, client)
			require.NoError(t, app.Server.Close())
			crowd(t, app.Config.DB.URL, 20_000)
			before := scans(t, app)
			hot := app.Replica(t)

			hot.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
			hot.Do(http.MethodPut, "/user", map[string]any{"data": map[string]any{"a": 1}}, apitest.Bearer(user.AccessToken)).OK()
			hot.SignIn(t, user.Email)
			login(hot, map[string]any{"phone": "1", "password": "x"}).Refused(http.StatusBadRequest, "invalid_credentials")
			askText(hot, "15550001001").OK()
			for range 8 {
				verifyPhone(hot, "sms", "15550001001", "424242").OK()
				verifyPhone(hot, "phone_change", "15550001002", "424242").Refused(http.StatusForbidden, "otp_expired")
			}
			putUser(hot, user, map[string]any{"phone": "15550001002"}).OK()
			verifyPhone(hot, "phone_change", "15550001002", "424242").OK()
			token := user.RefreshToken
			for range 8 { // beyond the fifth use PostgreSQL may choose a generic plan
				token = refreshed(t, hot, token)
				refreshed(t, hot, token)
			}
			hot.User(t)
			hot.Do(http.MethodGet, "/oauth/userinfo", nil, apitest.Bearer(grant.AccessToken)).OK()
			hot.RefreshGrant(client, grant.RefreshToken).OK()
			hot.Grant(t, user, client)
			hot.Do(http.MethodPost, "/verify", map[string]any{"type": "email", "token_hash": "x"}).Refused(http.StatusForbidden, "otp_expired")
			hot.Do(http.MethodPost, "/logout?scope=local", nil, apitest.Bearer(user.AccessToken)).OK()
			require.NoError(t, hot.Server.Close())
			require.Equal(t, before, scans(t, app))
		})
	}
}

// crowd adds rows as the server writes them, and analyses the tables.
func crowd(t *testing.T, databaseURL string, n int) {
	t.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	require.NoError(t, err)
	config.RuntimeParams["search_path"], config.RuntimeParams["application_name"] = "auth", "crowd"
	conn, err := pgx.ConnectConfig(t.Context(), config)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	for _, statement := range []string{
		`insert into users (instance_id, id, aud, role, email, phone, created_at, updated_at, confirmation_token,
			recovery_token, email_change, email_change_token_new)
		select '00000000-0000-0000-0000-000000000000', gen_random_uuid(), 'authenticated', 'authenticated',
			'crowd' || i || '@example.test', (4900000000 + i)::text, now(), now(), '', '', '', ''
		  from generate_series(1, ` + strconv.Itoa(n) + `) i`,
		`insert into identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at)
		select gen_random_uuid(), id, 'email', id::text, jsonb_build_object('email', email, 'sub', id), now(), now()
		  from users where email like 'crowd%'`,
		`insert into sessions (id, user_id, created_at, updated_at, aal, refresh_token_counter, refresh_token_hmac_key)
		select gen_random_uuid(), id, now(), now(), 'aal1', 0, 'x' from users where email like 'crowd%'`,
		`insert into mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
		select gen_random_uuid(), id, now(), now(), 'password' from sessions where refresh_token_hmac_key = 'x'`,
		`insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id)
		select '00000000-0000-0000-0000-000000000000', 'crowd' || row_number() over (), user_id::text, false, now(), now(), id
		  from sessions where refresh_token_hmac_key = 'x'`,
		`insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to)
		select gen_random_uuid(), id, 'confirmation_token', md5(id::text), email from users where email like 'crowd%'`,
		`analyze ` + strings.Join(largeTables(), ", "),
	} {
		_, err := conn.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
}

func largeTables() []string {
	return []string{"users", "identities", "sessions", "refresh_tokens", "mfa_amr_claims", "one_time_tokens"}
}

// scans tells how often each large table has been read as a whole. The numbers
// are complete once the connections that did it have ended.
func scans(t *testing.T, app *apitest.App) []string {
	t.Helper()
	require.Eventually(t, func() bool {
		return app.Count(`select count(*) from pg_stat_activity
			where datname = current_database() and application_name in ('truegrant', 'crowd')`) == 0
	}, 30*time.Second, 10*time.Millisecond)
	return app.Texts(`select relname || ' ' || seq_scan from pg_stat_user_tables
		where schemaname = 'auth' and relname = any ($1) order by relname`, largeTables())
}
