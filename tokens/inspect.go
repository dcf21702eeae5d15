package tokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// ErrUnknownToken means that a text is no token of ours, or one whose session
// has ended, or an access token that has expired.
var ErrUnknownToken = errors.New("token is unknown or has ended")

// Inspected is a token that somebody shows without using it, with the session
// that it belongs to, which is never nil.
type Inspected struct {
	models.Account
	// Refresh tells a refresh token from an access token.
	Refresh bool
	// Active reports whether the token would be accepted now. One that is not,
	// a spent refresh token say, still names its session.
	Active bool
	// Claims are those of an access token.
	Claims BearerClaims
}

// Scope is what the token allows.
func (i *Inspected) Scope() string { return allowedScope(i.Session, i.Claims.Scope) }

// Inspect finds out what a token is, and changes nothing. Tokens without a
// session, such as API keys, are ErrUnknownToken.
func (s *Service) Inspect(ctx context.Context, token string, now time.Time) (*Inspected, error) {
	if isTokenV1(token) {
		return s.inspectRow(ctx, token, now)
	}
	if parsed, err := secret.ParseRefreshToken(token); err == nil {
		return s.inspectCounter(ctx, parsed, now)
	}
	principal, err := s.Authenticate(ctx, token, now)
	switch {
	case errors.Is(err, ErrBearerBanned) && principal.Session != nil:
		return &Inspected{Account: principal.Account, Claims: principal.Claims}, nil
	case IsRefusal(err), err == nil && principal.Session == nil:
		return nil, ErrUnknownToken
	case err != nil:
		return nil, err
	}
	return &Inspected{Account: principal.Account, Active: true, Claims: principal.Claims}, nil
}

// inspectRow inspects a refresh token of the older kind.
func (s *Service) inspectRow(ctx context.Context, token string, now time.Time) (*Inspected, error) {
	conn := s.db.Conn(ctx)
	row, err := models.FindRefreshToken(conn, token)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, ErrUnknownToken
	case err != nil:
		return nil, fmt.Errorf("find refresh token: %w", err)
	case row.Session == nil:
		return nil, ErrUnknownToken
	}
	current := !row.Revoked && s.refreshable(conn, &row.Account, row.TokenUpdatedAt, now)
	return &Inspected{Account: row.Account, Refresh: true, Active: current}, nil
}

// inspectCounter inspects a counter token.
func (s *Service) inspectCounter(ctx context.Context, token secret.RefreshToken, now time.Time) (*Inspected, error) {
	conn := s.db.Conn(ctx)
	account, err := models.FindAccountBySession(conn, uuid.UUID(token.SessionID))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil, ErrUnknownToken
	case err != nil:
		return nil, fmt.Errorf("find session: %w", err)
	case account.Session.RefreshTokenCounter == nil || account.Session.RefreshTokenHMACKey == "":
		return nil, ErrUnknownToken
	}
	key, _, err := s.openHMACKey(account.Session)
	if err != nil {
		return nil, err
	}
	if !token.Verify(key) {
		return nil, ErrUnknownToken
	}
	newest := int64(token.Counter) == *account.Session.RefreshTokenCounter //nolint:gosec // parsing bounds the counter
	current := newest && s.refreshable(conn, account, account.Session.CreatedAt, now)
	return &Inspected{Account: *account, Refresh: true, Active: current}, nil
}

// refreshable reports whether the newest refresh token of a session would be
// accepted from whomever it was issued to.
func (s *Service) refreshable(conn *storage.Conn, account *models.Account, tokenUpdatedAt, now time.Time) bool {
	req := RefreshRequest{Client: account.Session.OAuthClientID, Now: now}
	return !account.Banned(now) && s.permitted(conn, req, account, tokenUpdatedAt) == nil
}
