package oauth

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func jane() Subject {
	return Subject{
		ID:            "5f0c1c62-0c09-4d4b-9f5b-0a4d6a3f6f55",
		Email:         "jane@example.com",
		EmailVerified: true,
		Phone:         "15551234567",
		UserMetadata: map[string]any{
			"name": "Jane Doe", "full_name": "J. Doe", "given_name": "Jane", "family_name": "Doe",
			"nickname": "jd", "avatar_url": "https://img.example/j.png", "user_name": "jane",
			"locale": "en-GB", "zoneinfo": "Europe/Berlin", "website": "https://jane.example",
			"profile": "https://social.example/jane", "credit_limit": "1000",
		},
		UpdatedAt: time.Unix(1700000000, 999),
	}
}

// OIDC Core §5.4: each scope releases its own claims and no others.
func TestStandardClaims(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		granted Scope
		want    map[string]any
	}{
		"no scope": {nil, map[string]any{}},
		"openid":   {Scope{"openid", "offline_access"}, map[string]any{}},
		"email":    {Scope{"email"}, map[string]any{"email": "jane@example.com", "email_verified": true}},
		"phone":    {Scope{"phone"}, map[string]any{"phone_number": "15551234567", "phone_number_verified": false}},
		"profile": {Scope{"profile"}, map[string]any{
			"name": "Jane Doe", "given_name": "Jane", "family_name": "Doe", "nickname": "jd",
			"preferred_username": "jane", "picture": "https://img.example/j.png",
			"profile": "https://social.example/jane", "website": "https://jane.example",
			"locale": "en-GB", "zoneinfo": "Europe/Berlin", "updated_at": int64(1700000000),
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want["sub"] = jane().ID
			require.Equal(t, tc.want, StandardClaims(jane(), tc.granted))
		})
	}
}

// OIDC Core §5.3.2: a claim that is not there is left out.
func TestStandardClaimsOmitEmpty(t *testing.T) {
	t.Parallel()
	got := StandardClaims(Subject{ID: "x", EmailVerified: true}, SupportedScopes())
	require.Equal(t, map[string]any{"sub": "x"}, got)
}

// Metadata is written by the user: only sane strings under known names pass.
func TestStandardClaimsFromMetadata(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		metadata map[string]any
		claim    string
		want     any
	}{
		"full_name instead of name":    {map[string]any{"full_name": "J"}, "name", "J"},
		"empty name falls back":        {map[string]any{"name": "", "full_name": "J"}, "name", "J"},
		"picture before avatar_url":    {map[string]any{"picture": "https://a.example/1", "avatar_url": "https://a.example/2"}, "picture", "https://a.example/1"},
		"preferred_username first":     {map[string]any{"preferred_username": "a", "user_name": "b", "username": "c"}, "preferred_username", "a"},
		"user_name before username":    {map[string]any{"user_name": "b", "username": "c"}, "preferred_username", "b"},
		"username last":                {map[string]any{"username": "c"}, "preferred_username", "c"},
		"number":                       {map[string]any{"name": 7}, "name", nil},
		"object":                       {map[string]any{"name": map[string]any{"first": "J"}}, "name", nil},
		"overlong":                     {map[string]any{"name": strings.Repeat("x", 2049)}, "name", nil},
		"overlong falls back":          {map[string]any{"name": strings.Repeat("x", 2049), "full_name": "J"}, "name", "J"},
		"control character":            {map[string]any{"nickname": "a\x00b"}, "nickname", nil},
		"script as picture":            {map[string]any{"picture": "javascript:alert(1)"}, "picture", nil},
		"embedded picture":             {map[string]any{"picture": "data:image/png;base64,AA=="}, "picture", nil},
		"never the e-mail as name":     {map[string]any{}, "name", nil},
		"email in metadata":            {map[string]any{"email": "other@example.com"}, "email", nil},
		"sub in metadata":              {map[string]any{"sub": "someone else"}, "sub", "x"},
		"email_verified in metadata":   {map[string]any{"email_verified": true}, "email_verified", nil},
		"updated_at in metadata":       {map[string]any{"updated_at": "never"}, "updated_at", nil},
		"unknown members not released": {map[string]any{"role": "admin"}, "role", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := StandardClaims(Subject{ID: "x", Email: "", UserMetadata: tc.metadata}, Scope{"profile", "email"})
			require.Equal(t, tc.want, got[tc.claim])
		})
	}
	got := StandardClaims(Subject{ID: "x", Email: "jane@example.com"}, Scope{"profile"})
	require.Equal(t, map[string]any{"sub": "x"}, got)
}

// OIDC Core §3.1.3.6, with the example of Appendix A.3 (RS256).
func TestATHash(t *testing.T) {
	t.Parallel()
	const token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
	for alg, want := range map[string]string{
		"RS256": "77QmUPtjPfzWtF2AnpK9RQ",
		"ES256": "77QmUPtjPfzWtF2AnpK9RQ",
		"HS256": "77QmUPtjPfzWtF2AnpK9RQ",
		"none":  "",
		"":      "",
	} {
		require.Equal(t, want, ATHash(alg, token), alg)
	}
	for alg, length := range map[string]int{"ES384": 32, "PS384": 32, "RS512": 43, "EdDSA": 43} {
		require.Len(t, ATHash(alg, token), length, alg)
	}
	require.Equal(t, ATHash("ES512", token), ATHash("EdDSA", token))
}
