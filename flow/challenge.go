package flow

import (
	"errors"
	"strings"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
)

// Why a challenge is refused, in GoTrue's words.
var (
	ErrIncomplete = errors.New("PKCE flow requires code_challenge_method and code_challenge")
	ErrLength     = errors.New("code challenge has to be between 43 and 128 characters")
	ErrCharacters = errors.New("code challenge can only contain alphanumeric characters, hyphens, periods, underscores and tildes")
	ErrMethod     = errors.New("Invalid code_challenge_method") //nolint:staticcheck // GoTrue's sentence
)

// Length bounds of a challenge in bytes (RFC 7636 §4.2).
const (
	minChallenge = 43
	maxChallenge = 128
)

// Challenge is what an app begins a flow with.
type Challenge struct {
	value string
	// method is oauth.ChallengeS256 or oauth.ChallengePlain.
	method string
}

// ParseChallenge reads the pair of parameters code_challenge and
// code_challenge_method (RFC 7636 §4.3). The method is taken in any case. With
// neither of them the request wants no PKCE and the result is nil.
func ParseChallenge(value, method string) (*Challenge, error) {
	switch {
	case value == "" && method == "":
		return nil, nil
	case value == "" || method == "":
		return nil, ErrIncomplete
	case len(value) < minChallenge || len(value) > maxChallenge:
		return nil, ErrLength
	case strings.ContainsFunc(value, reserved):
		return nil, ErrCharacters
	}
	method = strings.ToLower(method)
	if method != oauth.ChallengeS256 && method != oauth.ChallengePlain {
		return nil, ErrMethod
	}
	return &Challenge{value: value, method: method}, nil
}

// reserved reports whether a character may not stand in a challenge (RFC 3986
// §2.3 lists those that may).
func reserved(c rune) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return false
	}
	return !strings.ContainsRune("-._~", c)
}

// Begin returns the row of a flow that a mail to a user continues. provider
// names what began it, method becomes the session's amr method.
func (c *Challenge) Begin(ids models.IDs, user uuid.UUID, provider, method string) models.NewFlow {
	return models.NewFlow{
		ID: ids.New(), UserID: user, AuthCode: ids.New(),
		CodeChallengeMethod: c.method, CodeChallenge: c.value,
		ProviderType: provider, AuthenticationMethod: method,
	}
}
