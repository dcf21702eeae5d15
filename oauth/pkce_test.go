package oauth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The example of RFC 7636 Appendix B.
const (
	exampleVerifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	exampleChallenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// RFC 7636 §4.3: both parameters, S256 only (RFC 9700 §2.1.1).
func TestCheckChallenge(t *testing.T) {
	t.Parallel()
	both := InvalidRequest("PKCE flow requires both code_challenge and code_challenge_method")
	s256 := InvalidRequest("code_challenge_method must be 'S256'")
	s256OrPlain := InvalidRequest("code_challenge_method must be 'S256' or 'plain'")
	for name, tc := range map[string]struct {
		challenge, method string
		allowPlain        bool
		want              *Error
	}{
		"S256":                     {exampleChallenge, "S256", false, nil},
		"S256, plain allowed":      {exampleChallenge, "S256", true, nil},
		"s256":                     {exampleChallenge, "s256", false, s256},
		"s256, plain allowed":      {exampleChallenge, "s256", true, nil},
		"plain":                    {exampleChallenge, "plain", false, s256},
		"plain, plain allowed":     {exampleChallenge, "plain", true, nil},
		"unknown":                  {exampleChallenge, "S512", false, s256},
		"unknown, plain allowed":   {exampleChallenge, "S512", true, s256OrPlain},
		"no method":                {exampleChallenge, "", false, both},
		"no method, plain allowed": {exampleChallenge, "", true, both},
		"no challenge":             {"", "S256", false, both},
		"neither":                  {"", "", false, both},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, CheckChallenge(tc.challenge, tc.method, tc.allowPlain))
		})
	}
}

// RFC 7636 §4.1, §4.2: 43*128unreserved, for challenge and verifier alike.
func TestPKCESyntax(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		value string
		ok    bool
	}{
		"42 characters":   {strings.Repeat("a", 42), false},
		"43 characters":   {strings.Repeat("a", 43), true},
		"128 characters":  {strings.Repeat("a", 128), true},
		"129 characters":  {strings.Repeat("a", 129), false},
		"every class":     {strings.Repeat("aZ09-._~", 6), true},
		"base64 standard": {strings.Repeat("+/", 22), false},
		"padding":         {strings.Repeat("a", 42) + "=", false},
		"space":           {strings.Repeat("a", 42) + " ", false},
		"not ASCII":       {strings.Repeat("é", 30), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.ok, CheckChallenge(tc.value, "S256", false) == nil)
			require.Equal(t, tc.ok, CheckVerifier(tc.value) == nil)
		})
	}
	require.Equal(t, InvalidRequest("code_challenge must be between 43 and 128 characters"),
		CheckChallenge("short", "S256", false))
}

// RFC 7636 §4.6, Appendix B.
func TestVerifierMatches(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		method, challenge, verifier string
		want                        bool
	}{
		"S256":                  {ChallengeS256, exampleChallenge, exampleVerifier, true},
		"S256, wrong verifier":  {ChallengeS256, exampleChallenge, exampleVerifier + "x", false},
		"S256, equal strings":   {ChallengeS256, exampleChallenge, exampleChallenge, false},
		"plain":                 {ChallengePlain, exampleVerifier, exampleVerifier, true},
		"plain, wrong verifier": {ChallengePlain, exampleVerifier, exampleChallenge, false},
		"plain, hashed":         {ChallengePlain, exampleChallenge, exampleVerifier, false},
		"plain, both empty":     {ChallengePlain, "", "", false},
		"unknown method":        {"none", exampleVerifier, exampleVerifier, false},
		"no method":             {"", exampleVerifier, exampleVerifier, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tc.want, VerifierMatches(tc.method, tc.challenge, tc.verifier))
		})
	}
}

// RFC 7636 §4.6; RFC 9700 §4.8.2 for the verifier without a challenge.
func TestCheckProof(t *testing.T) {
	t.Parallel()
	require.Nil(t, CheckProof(ChallengeS256, exampleChallenge, exampleVerifier))
	require.Nil(t, CheckProof("", "", ""))
	for name, tc := range map[string]struct{ challenge, verifier, why string }{
		"missing":   {exampleChallenge, "", "code_verifier is required when PKCE challenge is present"},
		"malformed": {exampleChallenge, "short", "code_verifier must be between 43 and 128 characters"},
		"wrong":     {exampleChallenge, exampleVerifier + "x", "code challenge does not match previously saved code verifier"},
		"downgrade": {"", exampleVerifier, "the authorization request had no code_challenge"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, InvalidGrant("PKCE verification failed: "+tc.why),
				CheckProof(ChallengeS256, tc.challenge, tc.verifier))
		})
	}
}
