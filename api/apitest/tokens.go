package apitest

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"
)

// ServiceKey is the API key of an administrator.
func (a *App) ServiceKey() string { return a.apiKey("service_role") }

// AnonKey is the API key of apps without a user.
func (a *App) AnonKey() string { return a.apiKey("anon") }

func (a *App) apiKey(role string) string {
	now := a.Clock.Now()
	return a.SignWith([]byte(JWTSecret), jwt.MapClaims{
		"iss": "tests", "role": role, "iat": now.Unix(), "exp": now.AddDate(10, 0, 0).Unix(),
	})
}

// Sign signs claims with the server's own key, as its tokens are.
func (a *App) Sign(claims jwt.MapClaims) string {
	a.t.Helper()
	token, err := a.Keys.Sign("JWT", claims)
	require.NoError(a.t, err)
	return token
}

// SignWith signs claims with an HS256 secret.
func (a *App) SignWith(secret []byte, claims jwt.MapClaims) string {
	a.t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims).SignedString(secret)
	require.NoError(a.t, err)
	return token
}

// Claims decodes the payload of a JWT without verifying it.
func Claims(t testing.TB, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(t, err)
	claims := map[string]any{}
	require.NoError(t, json.Unmarshal(raw, &claims))
	return claims
}

// UnixIn is a claim's time, relative to the server's clock.
func (a *App) UnixIn(d time.Duration) int64 { return a.Clock.Now().Add(d).Unix() }
