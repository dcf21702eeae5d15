package api_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/secret"
)

// refreshed demands a new session object and returns its refresh token.
func refreshed(t *testing.T, app *apitest.App, token string) string {
	t.Helper()
	body := app.Refresh(token).OK()
	require.NotEmpty(t, body["access_token"])
	return body["refresh_token"].(string)
}

func TestRefreshCounter(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	app.Exec(`delete from audit_log_entries`)
	require.Len(t, user.RefreshToken, 51)
	require.Equal(t, 0, app.Count(`select count(*) from refresh_tokens`), "nothing but the session's key is stored")

	app.Clock.Advance(time.Minute)
	got := app.Do(http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": user.RefreshToken},
		apitest.Header("User-Agent", "agent-2"), apitest.Header("X-Forwarded-For", "bogus, 192.0.2.7"))
	body := got.OK()
	require.Equal(t, "1", got.Header.Get("Sb-Auth-Refresh-Token-Counter"))
	require.Equal(t, "false", got.Header.Get("Sb-Auth-Refresh-Token-Reuse"))
	require.Equal(t, user.SessionID, got.Header.Get("Sb-Auth-Session-Id"))
	require.NotContains(t, body, "weak_password")
	before, after := apitest.Claims(t, user.AccessToken), apitest.Claims(t, body["access_token"].(string))
	require.Equal(t, before["amr"], after["amr"])
	require.Equal(t, before["session_id"], after["session_id"])
	require.Greater(t, after["iat"], before["iat"])
	require.Equal(t, []string{"token_refreshed"}, actions(app))
	require.Equal(t, "1 agent-2 192.0.2.7", app.Text(
		`select refresh_token_counter || ' ' || user_agent || ' ' || host(ip) from sessions where id = $1`, user.SessionID))
}

// A client that lost the last answer gets it again, however late.
func TestRefreshCounterReplay(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	first := refreshed(t, app, user.RefreshToken)
	app.Clock.Advance(24 * time.Hour)
	got := app.Refresh(user.RefreshToken)
	require.Equal(t, first, got.OK()["refresh_token"])
	require.Equal(t, "fail-to-save", got.Header.Get("Sb-Auth-Refresh-Token-Reuse-Cause"))
	require.Empty(t, got.Header.Get("Sb-Auth-Refresh-Token-Reuse"))
	refreshed(t, app, first)
}

func TestRefreshCounterReuseEndsTheSession(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	current := refreshed(t, app, refreshed(t, app, user.RefreshToken))
	app.Clock.Advance(time.Minute)
	got := app.Refresh(user.RefreshToken)
	require.Equal(t, "Invalid Refresh Token: Already Used", got.Refused(http.StatusBadRequest, "refresh_token_already_used"))
	require.Equal(t, "true", got.Header.Get("Sb-Auth-Refresh-Token-Rotated"))
	app.Refresh(current).Refused(http.StatusBadRequest, "refresh_token_not_found")
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusForbidden, "session_not_found")
	require.Equal(t, 0, app.Count(`select count(*) from sessions`))
}

func TestRefreshCounterReusePolicies(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		option func(*conf.Config)
		wait   time.Duration
		cause  string // "" when refused
	}{
		{"inside the interval", func(c *conf.Config) { c.Security.RefreshTokenReuseInterval = time.Minute }, 30 * time.Second, "concurrent-refresh"},
		{"after the interval", func(c *conf.Config) { c.Security.RefreshTokenReuseInterval = time.Minute }, 61 * time.Second, ""},
		{"always allowed", func(c *conf.Config) { c.Security.RefreshTokenAllowReuse = true }, time.Hour, "always-allow"},
		{"rotation off", func(c *conf.Config) { c.Security.RefreshTokenRotationEnabled = false }, time.Hour, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, test.option)
			user := app.User(t)
			current := refreshed(t, app, refreshed(t, app, user.RefreshToken))
			app.Clock.Advance(test.wait)
			got := app.Refresh(user.RefreshToken)
			if test.cause != "" {
				require.Equal(t, current, got.OK()["refresh_token"])
				require.Equal(t, test.cause, got.Header.Get("Sb-Auth-Refresh-Token-Reuse-Cause"))
				return
			}
			got.Refused(http.StatusBadRequest, "refresh_token_already_used")
			sessions := 0
			if !app.Config.Security.RefreshTokenRotationEnabled {
				sessions = 1
			}
			require.Equal(t, sessions, app.Count(`select count(*) from sessions`))
		})
	}
}

func TestRefreshCounterForeign(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, other := app.User(t), app.User(t)
	key, err := secret.ParseKey(app.Text(`select refresh_token_hmac_key from sessions where id = $1`, user.SessionID))
	require.NoError(t, err)
	session := uuid.FromStringOrNil(user.SessionID)
	before := app.Snapshot()

	app.Refresh(secret.FormatRefreshToken(session, 5, key)).Refused(http.StatusBadRequest, "validation_failed")
	require.Equal(t, "Invalid Refresh Token: Not Issued By This Server",
		app.Refresh(secret.FormatRefreshToken(session, secret.MaxRefreshCounter, key)).Refused(http.StatusBadRequest, "validation_failed"))
	for name, token := range map[string]string{
		"another session's key": secret.FormatRefreshToken(uuid.FromStringOrNil(other.SessionID), 0, key),
		"unknown session":       secret.FormatRefreshToken(uuid.Must(uuid.NewV4()), 0, key),
		"nil session":           secret.FormatRefreshToken(uuid.Nil, 0, key),
		"wrong key":             secret.FormatRefreshToken(session, 0, make([]byte, 32)),
	} {
		got := app.Refresh(token)
		require.Equal(t, http.StatusBadRequest, got.Status, name)
		got.Refused(http.StatusBadRequest, "refresh_token_not_found")
	}
	require.Equal(t, before, app.Snapshot())
	app.Exec(`update sessions set refresh_token_counter = null, refresh_token_hmac_key = null where id = $1`, user.SessionID)
	app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "refresh_token_not_found")
}

func TestRefreshMalformed(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	raw, err := base64.RawURLEncoding.DecodeString(user.RefreshToken)
	require.NoError(t, err)
	flipped := append([]byte{}, raw...)
	flipped[3] ^= 1
	before := app.Snapshot()
	for _, token := range []string{
		"", "short", "elevenchars", "TWELVECHARS1", "has-symbols!", "22characters-of-a-kind", user.RefreshToken[:50],
		user.RefreshToken + "A", user.RefreshToken + "=", "\n" + user.RefreshToken, strings.Repeat("A", 51),
		base64.RawURLEncoding.EncodeToString(flipped), base64.URLEncoding.EncodeToString(raw) + "==",
		strings.Repeat("a", 100_000), "äöüäöü",
	} {
		require.Equal(t, "Refresh token is not valid", app.Refresh(token).Refused(http.StatusBadRequest, "validation_failed"))
	}
	require.Equal(t, before, app.Snapshot())
	app.Refresh("abcdefghijkl").Refused(http.StatusBadRequest, "refresh_token_not_found")
}

func TestRefreshOfABannedUser(t *testing.T) {
	t.Parallel()
	for version := range 2 {
		app := apitest.New(t, func(c *conf.Config) { c.Security.RefreshTokenAlgorithmVersion = version + 1 })
		user := app.User(t)
		app.Exec(`update users set banned_until = now() + interval '1 hour'`)
		app.Refresh(user.RefreshToken).Refused(http.StatusBadRequest, "user_banned")
		app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusForbidden, "user_banned")
		app.Exec(`update users set banned_until = null`)
		refreshed(t, app, user.RefreshToken)
	}
}

// Turning encryption on, off, or to another key never invalidates a token;
// each refresh stores the key in the form that is configured then.
func TestRefreshKeySealedAndResealed(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	stored := func() string {
		return app.Text(`select refresh_token_hmac_key from sessions where id = $1`, user.SessionID)
	}
	plain := stored()
	require.Len(t, plain, 43)

	sealed(app.Config)
	token := refreshed(t, app.Replica(t), user.RefreshToken)
	require.Contains(t, stored(), `"k1"`)
	require.NotContains(t, stored(), plain)

	const second = "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-P0A"
	app.Config.Security.DBEncryption.EncryptionKeyID = "k2"
	app.Config.Security.DBEncryption.EncryptionKey = second
	app.Config.Security.DBEncryption.DecryptionKeys["k2"] = second
	token = refreshed(t, app.Replica(t), token)
	require.Contains(t, stored(), `"k2"`)

	app.Config.Security.DBEncryption.Encrypt = false
	token = refreshed(t, app.Replica(t), token)
	refreshed(t, app.Replica(t), token)

	app.Config.Security.DBEncryption = conf.DBEncryption{}
	if strings.Contains(stored(), `"key_id"`) {
		got := app.Replica(t).Refresh(token)
		require.Equal(t, http.StatusInternalServerError, got.Status, "a key that is gone cannot be guessed")
		require.NotContains(t, string(got.Body), "key")
	}
}

// What an app sends as its name must not keep its user out.
func TestRefreshWithAnUnreadableUserAgent(t *testing.T) {
	t.Parallel()
	for version := range 2 {
		app := apitest.New(t, func(c *conf.Config) { c.Security.RefreshTokenAlgorithmVersion = version + 1 })
		agent := apitest.Header("User-Agent", "agent \xff\xfe")
		body := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil), agent).OK()
		app.Do(http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": body["refresh_token"]}, agent).OK()
		require.Contains(t, app.Text(`select user_agent from sessions`), "agent ")
	}
}
