package app_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/secret"
)

// environment is the file of an installation that ran GoTrue.
const environment = `
# general
GOTRUE_SITE_URL=https://app.example.test
GOTRUE_URI_ALLOW_LIST="https://app.example.test/**,exampleapp://callback"
API_EXTERNAL_URL=https://project.example.test/auth/v1
GOTRUE_API_HOST=0.0.0.0
PORT=9999
GOTRUE_DB_DRIVER=postgres
DATABASE_URL=postgres://supabase_auth_admin:root@localhost:5432/postgres
GOTRUE_DB_MAX_POOL_SIZE=10
GOTRUE_JWT_SECRET="super-secret-jwt-token-with-at-least-32-characters"
GOTRUE_JWT_EXP=3600
GOTRUE_JWT_AUD=authenticated
GOTRUE_JWT_DEFAULT_GROUP_NAME=authenticated
GOTRUE_JWT_ADMIN_ROLES=service_role
GOTRUE_DISABLE_SIGNUP=false
export GOTRUE_EXTERNAL_EMAIL_ENABLED=true
GOTRUE_EXTERNAL_PHONE_ENABLED=true
GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED=false
GOTRUE_MAILER_AUTOCONFIRM=false
GOTRUE_MAILER_URLPATHS_CONFIRMATION=/auth/v1/verify
GOTRUE_SMTP_HOST=localhost
GOTRUE_SMTP_PORT=2500
GOTRUE_SMTP_USER=
GOTRUE_SMTP_PASS=
GOTRUE_SMTP_ADMIN_EMAIL=admin@example.test
GOTRUE_SMTP_MAX_FREQUENCY=1s
GOTRUE_SMS_AUTOCONFIRM=true
GOTRUE_SMS_PROVIDER=twilio
GOTRUE_EXTERNAL_GITHUB_ENABLED=true
GOTRUE_EXTERNAL_GITHUB_CLIENT_ID=myclient
GOTRUE_EXTERNAL_GITHUB_SECRET=secret
GOTRUE_EXTERNAL_GITHUB_REDIRECT_URI=https://project.example.test/auth/v1/callback
GOTRUE_RATE_LIMIT_HEADER=X-Forwarded-For
GOTRUE_RATE_LIMIT_EMAIL_SENT=100
GOTRUE_SECURITY_REFRESH_TOKEN_ROTATION_ENABLED=true
GOTRUE_SECURITY_REFRESH_TOKEN_REUSE_INTERVAL=10
GOTRUE_SESSIONS_INACTIVITY_TIMEOUT=720h
GOTRUE_MFA_MAX_ENROLLED_FACTORS=10
GOTRUE_LOG_LEVEL=info
GOTRUE_OPERATOR_TOKEN=unused
`

// Rows of the installation, by the ids of their users.
const (
	ann   = "10000000-0000-4000-8000-000000000001" // everything as it is today
	ben   = "10000000-0000-4000-8000-000000000002" // as few values as GoTrue can read, no identity
	cleo  = "10000000-0000-4000-8000-000000000003" // phone only
	older = "20000000-0000-4000-8000-000000000001" // ann's session with tokens of the older kind
	newer = "20000000-0000-4000-8000-000000000002" // ann's session with counter tokens
	bare  = "20000000-0000-4000-8000-000000000003" // ben's session, NULL where it may be

	oldSecret = "super-secret-jwt-token-with-at-least-32-characters"
	oldKey    = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
	password  = "the old password"
)

// takenOver is a server that was started with the old environment on a
// database with the old rows.
func takenOver(t *testing.T) *apitest.App {
	t.Helper()
	file := filepath.Join(t.TempDir(), "gotrue.env")
	require.NoError(t, os.WriteFile(file, []byte(environment), 0o600))
	loaded, warnings, err := conf.Load(conf.Sources{ConfigFile: file, WorkDir: t.TempDir()})
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0].String(), "GOTRUE_EXTERNAL_GITHUB_ENABLED: this version does not have")
	app := apitest.New(t, func(c *conf.Config) {
		url := c.DB.URL
		*c = *loaded
		c.DB.URL = url
	})
	insertOldRows(t, app)
	return app
}

func insertOldRows(t *testing.T, app *apitest.App) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	require.NoError(t, err)
	const user = `insert into users (id, instance_id, aud, role, email, phone, encrypted_password, email_confirmed_at,
		phone_confirmed_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, confirmation_token, recovery_token,
		email_change_token_new, email_change) values ($1, '00000000-0000-0000-0000-000000000000', 'authenticated', 'authenticated',
		$2, $3, $4, $5, $6, $7, $8, '2023-01-02 03:04:05.678901+00', '2023-01-02 03:04:05.678901+00', '', '', '', '')`
	confirmed := time.Date(2023, 1, 2, 3, 4, 5, 0, time.UTC)
	app.Exec(user, ann, "ann@example.test", nil, string(hash), confirmed, nil,
		`{"provider": "email", "providers": ["email"]}`, `null`)
	app.Exec(user, ben, "Ben@Example.test", nil, string(hash), confirmed, nil, nil, nil)
	app.Exec(user, cleo, nil, "4912345678", string(hash), nil, confirmed, `null`, `{}`)
	app.Exec(`insert into identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at)
		values ($1, $2, 'email', $3, '{"sub": "x", "email": "ann@example.test"}', now(), now())`, uuid.Must(uuid.NewV4()), ann, ann)

	app.Exec(`insert into sessions (id, user_id, created_at, updated_at, aal, user_agent, ip)
		values ($1, $2, now(), now(), 'aal1', 'curl', '192.0.2.1')`, older, ann)
	app.Exec(`insert into mfa_amr_claims (id, session_id, created_at, updated_at, authentication_method)
		values (gen_random_uuid(), $1, now(), now(), 'password')`, older)
	app.Exec(`insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id, parent) values
		('00000000-0000-0000-0000-000000000000', 'spentspent22', $1, true, now() - interval '1 hour', now() - interval '1 hour', $2, null),
		('00000000-0000-0000-0000-000000000000', 'currentcurre', $1, false, now(), now(), $2, 'spentspent22')`, ann, older)
	app.Exec(`insert into sessions (id, user_id, created_at, updated_at, aal, refresh_token_hmac_key, refresh_token_counter)
		values ($1, $2, now(), now(), 'aal1', $3, 3)`, newer, ann, oldKey)
	app.Exec(`insert into sessions (id, user_id, created_at, updated_at) values ($1, $2, now(), now())`, bare, ben)
	app.Exec(`insert into refresh_tokens (instance_id, token, user_id, revoked, created_at, updated_at, session_id)
		values ('00000000-0000-0000-0000-000000000000', 'barebarebare', $1, false, now(), now(), $2)`, ben, bare)
}

// An environment file and a database of a GoTrue installation work unchanged:
// passwords, sessions with both kinds of refresh token, and the access tokens
// that are still under way.
func TestTakeover(t *testing.T) {
	t.Parallel()
	app := takenOver(t)
	login := func(body map[string]any) map[string]any {
		body["password"] = password
		return app.Do(http.MethodPost, "/token?grant_type=password", body).OK()["user"].(map[string]any)
	}
	user := login(map[string]any{"email": "ann@example.test"})
	require.Equal(t, map[string]any{}, user["user_metadata"], "JSON null is no metadata")
	require.Equal(t, "2023-01-02T03:04:05.678901Z", user["created_at"])
	require.Len(t, user["identities"], 1)
	user = login(map[string]any{"email": "ben@example.test"})
	require.Equal(t, ben, user["id"])
	require.Equal(t, map[string]any{}, user["app_metadata"])
	require.Equal(t, []any{}, user["identities"])
	require.Equal(t, cleo, login(map[string]any{"phone": "+49 12345678"})["id"])

	for session, user := range map[string]string{older: ann, newer: ann, bare: ben, "": ben} {
		claims := jwt.MapClaims{
			"aud": "authenticated", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(), "sub": user,
			"email": "x", "phone": "", "role": "authenticated", "aal": "aal1", "is_anonymous": false,
		}
		if session != "" {
			claims["session_id"] = session
		}
		body := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(app.SignWith([]byte(oldSecret), claims))).OK()
		require.Equal(t, user, body["id"])
	}
	service := app.SignWith([]byte(oldSecret), jwt.MapClaims{"role": "service_role"})
	require.Len(t, app.Do(http.MethodGet, "/admin/users", nil, apitest.Bearer(service)).OK()["users"], 3)
}

func TestTakeoverOfRefreshTokens(t *testing.T) {
	t.Parallel()
	app := takenOver(t)
	refresh := func(token string) string {
		t.Helper()
		body := app.Refresh(token).OK()
		require.Equal(t, "authenticated", apitest.Claims(t, body["access_token"].(string))["aud"])
		return body["refresh_token"].(string)
	}
	require.Equal(t, "currentcurre", refresh("spentspent22"), "its client lost the last answer")
	next := refresh("currentcurre")
	require.Regexp(t, `^[a-z2-7]{12}$`, next, "a session of the older kind stays one")
	refresh(next)
	bareNext := refresh("barebarebare")
	require.Regexp(t, `^[a-z2-7]{12}$`, bareNext)

	key, err := secret.ParseKey(oldKey)
	require.NoError(t, err)
	session := uuid.FromStringOrNil(newer)
	require.Equal(t, secret.FormatRefreshToken(session, 4, key), refresh(secret.FormatRefreshToken(session, 3, key)))
	require.Equal(t, secret.FormatRefreshToken(session, 4, key), refresh(secret.FormatRefreshToken(session, 3, key)))
	app.Refresh(secret.FormatRefreshToken(session, 9, key)).Refused(http.StatusBadRequest, "validation_failed")
}

// GoTrue can be started on the database again: it fails on a row with NULL in
// one of these columns.
func TestRowsStayReadableForGoTrue(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	for name, option := range map[string]func(*conf.Config){
		"counter": func(c *conf.Config) { c.External.AnonymousUsersEnabled = true },
		"older":   func(c *conf.Config) { c.Security.RefreshTokenAlgorithmVersion = 1 },
		"mail":    mail.Configure,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, option)
			user := app.User(t)
			app.Refresh(user.RefreshToken).OK()
			app.Do(http.MethodPost, "/signup", map[string]any{"email": apitest.NewEmail(), "password": apitest.Password}).OK()
			if app.Config.External.AnonymousUsersEnabled {
				app.Do(http.MethodPost, "/signup", map[string]any{}).OK()
			}
			app.Do(http.MethodPut, "/user", map[string]any{"password": "another one", "data": map[string]any{"a": 1}},
				apitest.Bearer(user.AccessToken)).OK()
			app.Grant(t, user, app.Client(t))
			app.Authorize(t, app.Client(t, apitest.Public))
			app.Do(http.MethodPost, "/admin/users", map[string]any{"phone": "4912345678"}, apitest.Bearer(app.ServiceKey())).OK()
			for table, columns := range unreadableAsNull() {
				condition := strings.Join(strings.Fields(columns), " is null or ") + " is null"
				require.Equal(t, 0, app.Count(`select count(*) from `+table+` where `+condition), table)
			}
		})
	}
}

// unreadableAsNull lists columns that the schema lets be NULL and GoTrue does
// not.
func unreadableAsNull() map[string]string {
	return map[string]string{
		"users": `aud role confirmation_token recovery_token email_change email_change_token_new
			email_change_token_current phone_change phone_change_token reauthentication_token
			email_change_confirm_status instance_id created_at updated_at`,
		"identities":           "created_at updated_at",
		"sessions":             "created_at updated_at",
		"refresh_tokens":       "instance_id token user_id revoked created_at updated_at",
		"oauth_clients":        "client_secret_hash",
		"audit_log_entries":    "instance_id created_at",
		"oauth_authorizations": "created_at expires_at",
	}
}
