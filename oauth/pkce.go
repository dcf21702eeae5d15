package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"
)

// Challenge methods as they are stored: lower-case, whatever the client sent.
const (
	ChallengeS256  = "s256"
	ChallengePlain = "plain"
)

// Length bounds of challenge and verifier (RFC 7636 §4.1, §4.2).
const (
	minPKCE = 43
	maxPKCE = 128
)

// CheckChallenge judges the PKCE parameters of an authorization request
// (RFC 7636 §4.3). Both are required. The method is S256, spelt exactly so
// (RFC 9700 §2.1.1). With allowPlain, "plain" is taken too and case does not
// matter, as in GoTrue.
func CheckChallenge(challenge, method string, allowPlain bool) *Error {
	if challenge == "" || method == "" {
		// An absent method would mean "plain" (RFC 7636 §4.3).
		return InvalidRequest("PKCE flow requires both code_challenge and code_challenge_method")
	}
	if err := checkChallengeMethod(method, allowPlain); err != nil {
		return err
	}
	switch {
	case len(challenge) < minPKCE || len(challenge) > maxPKCE:
		return InvalidRequest("code_challenge must be between 43 and 128 characters")
	case !consistsOf(challenge, isUnreserved):
		return InvalidRequest("code_challenge must consist of letters, digits, '-', '.', '_' and '~'")
	}
	return nil
}

// CheckVerifier judges the form of a code_verifier: 43*128unreserved (RFC 7636
// §4.1). The answer is invalid_grant, as for a verifier that does not match
// (RFC 7636 §4.6).
func CheckVerifier(v string) *Error {
	switch {
	case v == "":
		return InvalidGrant("PKCE verification failed: code_verifier is required when PKCE challenge is present")
	case len(v) < minPKCE || len(v) > maxPKCE:
		return InvalidGrant("PKCE verification failed: code_verifier must be between 43 and 128 characters")
	case !consistsOf(v, isUnreserved):
		return InvalidGrant("PKCE verification failed: code_verifier must consist of letters, digits, '-', '.', '_' and '~'")
	}
	return nil
}

// VerifierMatches reports whether the verifier belongs to the challenge, in
// constant time (RFC 7636 §4.6). method is the stored, lower-case one; an
// unknown method and an empty challenge or verifier never match.
func VerifierMatches(method, challenge, verifier string) bool {
	if challenge == "" || verifier == "" {
		return false
	}
	derived := verifier
	switch method {
	case ChallengeS256:
		sum := sha256.Sum256([]byte(verifier))
		derived = base64.RawURLEncoding.EncodeToString(sum[:])
	case ChallengePlain:
	default:
		return false
	}
	return subtle.ConstantTimeCompare([]byte(derived), []byte(challenge)) == 1
}

// CheckProof judges the code_verifier of a token request against what the
// authorization request stored. Without a challenge a verifier is refused:
// someone has stripped the challenge from the authorization request (the PKCE
// downgrade of RFC 9700 §4.8.2).
func CheckProof(method, challenge, verifier string) *Error {
	if challenge == "" {
		if verifier != "" {
			return InvalidGrant("PKCE verification failed: the authorization request had no code_challenge")
		}
		return nil
	}
	if err := CheckVerifier(verifier); err != nil {
		return err
	}
	if !VerifierMatches(method, challenge, verifier) {
		return InvalidGrant("PKCE verification failed: code challenge does not match previously saved code verifier")
	}
	return nil
}

func checkChallengeMethod(method string, allowPlain bool) *Error {
	if !allowPlain {
		if method != "S256" {
			return InvalidRequest("code_challenge_method must be 'S256'")
		}
		return nil
	}
	switch strings.ToLower(method) {
	case ChallengeS256, ChallengePlain:
		return nil
	}
	return InvalidRequest("code_challenge_method must be 'S256' or 'plain'")
}
