package flow

import (
	"errors"
	"time"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
)

// Why a code is not exchanged.
var (
	// ErrExpired means that the flow took longer than it may.
	ErrExpired = errors.New("flow state has expired")
	// ErrVerifier means that the verifier is not the challenge's. The code
	// stays usable: a wrong guess must not end somebody's sign-in.
	ErrVerifier = errors.New("code challenge does not match previously saved code verifier")
)

// methodMagicLink is the authentication method whose time starts when the link
// is opened, not when it is sent.
const methodMagicLink = "magiclink"

// CheckExchange judges a request for the session of a flow: in time, and with
// the verifier of its challenge (RFC 7636 §4.6). life is how long a flow may
// take.
func CheckExchange(f models.FlowState, verifier string, life time.Duration, now time.Time) error {
	start := f.CreatedAt
	if f.AuthenticationMethod == methodMagicLink && f.AuthCodeIssuedAt != nil {
		start = *f.AuthCodeIssuedAt
	}
	switch {
	case now.After(start.Add(life)):
		return ErrExpired
	case !oauth.VerifierMatches(f.CodeChallengeMethod, f.CodeChallenge, verifier):
		return ErrVerifier
	}
	return nil
}
