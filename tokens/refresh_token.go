package tokens

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// refreshToken refreshes a session by a token of the older kind.
func (s *Service) refreshToken(ctx context.Context, req RefreshRequest) (*Refreshed, error) {
	conn := s.db.Conn(ctx)
	unknown := &Refreshed{Issued: Issued{Counter: -1}}
	token, err := models.FindRefreshToken(conn, req.Token)
	if errors.Is(err, storage.ErrNotFound) {
		return unknown, ErrNotFound
	}
	if err != nil {
		return unknown, fmt.Errorf("find refresh token: %w", err)
	}
	if token.Banned(req.Now) {
		return unknown, ErrBanned
	}
	if token.TokenSessionID == nil {
		if err := models.DeleteRefreshToken(conn, token.TokenID); err != nil {
			return unknown, fmt.Errorf("delete refresh token: %w", err)
		}
		return unknown, ErrNoSession
	}
	if token.Session == nil {
		return unknown, ErrNotFound
	}

	out := startOutcome(&token.Account)
	out.RefreshToken = token.Token
	if err := s.permitted(conn, req, &token.Account, token.TokenUpdatedAt); err != nil {
		return out, err
	}
	return out, s.stepToken(ctx, req, token, out)
}

// stepToken decides on the token and writes the decision.
func (s *Service) stepToken(ctx context.Context, req RefreshRequest, token *models.RefreshToken, out *Refreshed) error {
	next := s.rotation.decideToken(tokenState{
		token: token.Token, revoked: token.Revoked, revokedAt: token.TokenUpdatedAt,
		activeParent: token.ActiveParent,
	}, req.Now)
	switch {
	case next == stepReused:
		return s.revokeFamily(ctx, req, token)
	case next == stepReplay:
		out.Replayed = true
		out.RefreshToken = token.ActiveToken
		return s.writeToken(ctx, req, token, out, models.TouchSession)
	case next == stepRotate && s.rotation.upgrades(token.Session.ID):
		return s.upgrade(ctx, req, token, out)
	}
	successor, err := secret.RefreshTokenV1(s.random)
	if err != nil {
		return err
	}
	out.RefreshToken = successor
	write := models.SwapToken
	if next == stepChild {
		write = models.AddChildToken
	}
	return s.writeToken(ctx, req, token, out, func(c *storage.Conn, r models.Refreshed, trail models.AuditTrail, now time.Time) (bool, error) {
		return write(c, r, token, successor, trail, now)
	})
}

// tokenWrite is a conditional write of models.
type tokenWrite func(*storage.Conn, models.Refreshed, models.AuditTrail, time.Time) (bool, error)

// writeToken mints the access token, then writes.
func (s *Service) writeToken(ctx context.Context, req RefreshRequest, token *models.RefreshToken, out *Refreshed, write tokenWrite) error {
	if err := s.issue(ctx, req, &token.Account, out); err != nil {
		return err
	}
	trail := s.audit.By(&token.User, models.AuditTokenRefreshed, nil)
	if !out.Replayed {
		trail = append(trail, s.audit.By(&token.User, models.AuditTokenRevoked, nil)...)
	}
	done, err := write(s.db.Conn(ctx), touched(req, token.Session), trail, req.Now)
	return won(done, err)
}

// upgrade moves a session of the older kind to counter tokens.
func (s *Service) upgrade(ctx context.Context, req RefreshRequest, token *models.RefreshToken, out *Refreshed) error {
	key, sealed, counter, err := s.upgradedState(token.Session)
	if err != nil {
		return err
	}
	out.Counter = counter
	out.RefreshToken = counterToken(token.Session.ID, counter, key)
	return s.writeToken(ctx, req, token, out, func(c *storage.Conn, r models.Refreshed, trail models.AuditTrail, now time.Time) (bool, error) {
		return models.UpgradeToken(c, r, token, sealed, counter, trail, now)
	})
}

// upgradedState is a fresh key and counter 0, or the next generation of those
// that the session already has.
func (s *Service) upgradedState(session *models.Session) (key []byte, sealed string, counter int64, err error) {
	if session.RefreshTokenCounter == nil || session.RefreshTokenHMACKey == "" {
		key, sealed, err = s.newHMACKey(session.ID)
		return key, sealed, 0, err
	}
	key, sealed, err = s.openHMACKey(session)
	return key, sealed, *session.RefreshTokenCounter + 1, err
}

// revokeFamily ends all tokens of the session whose spent token came back. The
// session's row stays, as GoTrue has it.
func (s *Service) revokeFamily(ctx context.Context, req RefreshRequest, token *models.RefreshToken) error {
	if !s.rotation.EndOnReuse {
		return ErrReused
	}
	if err := models.RevokeFamily(s.db.Conn(ctx), token.Session.ID, req.Now); err != nil {
		return fmt.Errorf("revoke token family: %w", err)
	}
	return ErrReused
}
