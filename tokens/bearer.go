package tokens

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gofrs/uuid"
	"github.com/golang-jwt/jwt/v5"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/storage"
)

// Why a bearer token is refused.
var (
	ErrBearerSubjectMissing  = errors.New("missing sub claim")
	ErrBearerSubjectNotUUID  = errors.New("sub claim must be a UUID")
	ErrBearerSessionNotUUID  = errors.New("session_id claim must be a UUID")
	ErrBearerUserNotFound    = errors.New("user of token not found")
	ErrBearerSessionNotFound = errors.New("session of token not found")
	ErrBearerBanned          = errors.New("user of token is banned")
	ErrBearerNotAdmin        = errors.New("role of token is not an admin role")
	ErrBearerSessionExpired  = errors.New("session of token is expired")
)

// IsRefusal tells a bad bearer token from a failure of ours.
func IsRefusal(err error) bool {
	var unverified *UnverifiedError
	if errors.As(err, &unverified) {
		return true
	}
	for _, refusal := range []error{
		ErrBearerSubjectMissing, ErrBearerSubjectNotUUID, ErrBearerSessionNotUUID, ErrBearerUserNotFound,
		ErrBearerSessionNotFound, ErrBearerBanned, ErrBearerNotAdmin, ErrBearerSessionExpired,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

// UnverifiedError is a bearer token whose form, signature, algorithm or times
// are wrong. Its text is golang-jwt's, which GoTrue's answer repeats.
type UnverifiedError struct{ Cause error }

// Error returns the reason.
func (e *UnverifiedError) Error() string { return e.Cause.Error() }

// Unwrap returns golang-jwt's error.
func (e *UnverifiedError) Unwrap() error { return e.Cause }

// errIDToken: an ID token is a message to a client about a login, not a key to
// anything (RFC 8725 §3.12).
var errIDToken = fmt.Errorf("%w: an ID token is not an access token", jwt.ErrTokenInvalidClaims)

// BearerClaims are the claims that bearer routes read.
type BearerClaims struct {
	jwt.RegisteredClaims
	Role        string `json:"role"`
	SessionID   string `json:"session_id"`
	IsAnonymous bool   `json:"is_anonymous"`
	Scope       string `json:"scope"`
	// ATHash is a claim of ID tokens only (OpenID Connect Core §3.1.3.6).
	ATHash string `json:"at_hash"`
}

// Principal is the user whom a bearer token speaks for.
type Principal struct {
	models.Account
	Claims BearerClaims
}

// SessionID is uuid.Nil for a token without a session.
func (p *Principal) SessionID() uuid.UUID {
	if p.Session == nil {
		return uuid.Nil
	}
	return p.Session.ID
}

// OAuthClient reports whether the token belongs to an OAuth client. The
// session's row says so, which no hook can change.
func (p *Principal) OAuthClient() bool {
	return p.Session != nil && p.Session.OAuthClientID != nil
}

// Scope is what the token of an OAuth client allows.
func (p *Principal) Scope() string { return allowedScope(p.Session, p.Claims.Scope) }

// allowedScope is the scope of a client's session, or what a refresh has
// narrowed it to (RFC 6749 §6). A hook cannot widen it.
func allowedScope(session *models.Session, claim string) string {
	if session == nil || session.OAuthClientID == nil {
		return ""
	}
	granted, problem := oauth.ParseScope(session.Scopes)
	narrowed, other := oauth.ParseScope(claim)
	if problem != nil || other != nil || len(narrowed) == 0 {
		return session.Scopes
	}
	return granted.Intersect(narrowed).String()
}

// Verify checks a bearer token's signature, algorithm and times.
func (s *Service) Verify(token string, now time.Time) (*BearerClaims, error) {
	claims := new(BearerClaims)
	if _, err := s.keys.Parse(token, claims, func() time.Time { return now }); err != nil {
		return nil, &UnverifiedError{err}
	}
	if claims.ATHash != "" {
		return nil, &UnverifiedError{errIDToken}
	}
	return claims, nil
}

// Authenticate verifies a bearer token and finds its user and session, in one
// statement.
func (s *Service) Authenticate(ctx context.Context, token string, now time.Time) (*Principal, error) {
	claims, err := s.Verify(token, now)
	if err != nil {
		return nil, err
	}
	return s.find(ctx, claims, now)
}

func (s *Service) find(ctx context.Context, claims *BearerClaims, now time.Time) (*Principal, error) {
	if claims.Subject == "" {
		return nil, ErrBearerSubjectMissing
	}
	userID, err := uuid.FromString(claims.Subject)
	if err != nil {
		return nil, ErrBearerSubjectNotUUID
	}
	sessionID, sessionErr := parseSessionID(claims.SessionID)
	account, err := models.FindAccount(s.db.Conn(ctx), userID, sessionID)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, ErrBearerUserNotFound
	case err != nil:
		return nil, fmt.Errorf("find bearer: %w", err)
	case sessionErr != nil:
		return nil, ErrBearerSessionNotUUID
	case sessionID != uuid.Nil && (account.Session == nil || !account.Session.ClientActive):
		return nil, ErrBearerSessionNotFound
	}
	principal := &Principal{Account: *account, Claims: *claims}
	if account.Banned(now) {
		return principal, ErrBearerBanned
	}
	return principal, nil
}

// parseSessionID reads a session_id claim: absent and all-zero mean none.
func parseSessionID(claim string) (uuid.UUID, error) {
	if claim == "" {
		return uuid.Nil, nil
	}
	return uuid.FromString(claim)
}

// AuthenticateAdmin verifies the bearer token of an administrator: its role
// is an admin role and, when it has a session, that session is alive and
// within its limits. It needs no user.
func (s *Service) AuthenticateAdmin(ctx context.Context, token string, now time.Time) (*BearerClaims, error) {
	claims, err := s.Verify(token, now)
	if err != nil {
		return nil, err
	}
	if claims.SessionID != "" {
		principal, err := s.find(ctx, claims, now)
		if err != nil {
			return nil, err
		}
		if principal.Session != nil {
			if err := s.limitsOf(principal.Session).check(&principal.Account, lastUsed(principal.Session, time.Time{}), now); err != nil {
				return nil, ErrBearerSessionExpired
			}
		}
	}
	if !slices.Contains(s.jwt.AdminRoles, claims.Role) {
		return nil, ErrBearerNotAdmin
	}
	return claims, nil
}
