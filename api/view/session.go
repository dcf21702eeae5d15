package view

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/tokens"
)

// Session is the answer to a sign-in or refresh of the project's own apps.
type Session struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	ExpiresAt    int64  `json:"expires_at"`
	RefreshToken string `json:"refresh_token"`
	User         User   `json:"user"`
}

// PasswordSession is the answer to the password grant.
type PasswordSession struct {
	Session
	// WeakPassword is null, or why the password would be refused today.
	WeakPassword *WeakPassword `json:"weak_password"`
}

// WeakPassword tells why a password would be refused today.
type WeakPassword struct {
	Message string   `json:"message"`
	Reasons []string `json:"reasons"`
}

// NewSession shows issued tokens with their user.
func NewSession(issued tokens.Issued, user *models.User, now time.Time) Session {
	return Session{
		AccessToken: issued.AccessToken, TokenType: "bearer",
		ExpiresIn: ExpiresIn(issued, now), ExpiresAt: issued.ExpiresAt.Unix(),
		RefreshToken: issued.RefreshToken, User: NewUser(user),
	}
}

// ExpiresIn is the life of an access token in seconds.
func ExpiresIn(issued tokens.Issued, now time.Time) int64 {
	return issued.ExpiresAt.Unix() - now.Unix()
}

// legacyPrefix is how many characters of a refresh token of the older kind a
// header shows: enough to recognise it in a log, too few to use.
const legacyPrefix = 5

// SetIssuedHeaders tells gateways and logs which session an answer is about.
func SetIssuedHeaders(h http.Header, issued tokens.Issued) {
	if issued.UserID.IsNil() {
		return
	}
	h.Set("sb-auth-user-id", issued.UserID.String())
	h.Set("sb-auth-session-id", issued.SessionID.String())
	switch {
	case issued.Counter >= 0:
		h.Set("sb-auth-refresh-token-counter", strconv.FormatInt(issued.Counter, 10))
	case len(issued.RefreshToken) > legacyPrefix:
		h.Set("sb-auth-refresh-token-prefix", issued.RefreshToken[:legacyPrefix])
	}
}

// SetRefreshHeaders adds how a refresh went.
func SetRefreshHeaders(h http.Header, outcome *tokens.Refreshed, err error) {
	SetIssuedHeaders(h, outcome.Issued)
	if outcome.SessionEnded {
		h.Set("sb-auth-refresh-token-rotated", "true")
	}
	switch {
	case err != nil:
	case len(outcome.Causes) > 0:
		h.Set("sb-auth-refresh-token-reuse-cause", strings.Join(outcome.Causes, ","))
	case !outcome.Replayed:
		h.Set("sb-auth-refresh-token-reuse", "false")
	}
}
