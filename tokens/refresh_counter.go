package tokens

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// refreshCounter refreshes a session by a counter token.
func (s *Service) refreshCounter(ctx context.Context, req RefreshRequest, token secret.RefreshToken) (*Refreshed, error) {
	conn := s.db.Conn(ctx)
	unknown := &Refreshed{Issued: Issued{Counter: -1}}
	account, err := models.FindAccountBySession(conn, uuid.UUID(token.SessionID))
	if errors.Is(err, storage.ErrNotFound) {
		return unknown, ErrNotFound
	}
	if err != nil {
		return unknown, fmt.Errorf("find session: %w", err)
	}
	if account.Session.RefreshTokenCounter == nil || account.Session.RefreshTokenHMACKey == "" {
		return unknown, ErrNotFound
	}
	key, sealed, err := s.openHMACKey(account.Session)
	if err != nil {
		return unknown, err
	}
	if !token.Verify(key) {
		return unknown, ErrNotFound
	}

	out := startOutcome(account)
	out.Counter = *account.Session.RefreshTokenCounter
	if account.Banned(req.Now) {
		return out, ErrBanned
	}
	if err := s.permitted(conn, req, account, account.Session.CreatedAt); err != nil {
		return out, err
	}
	return out, s.stepCounter(ctx, req, account, out, counterState{
		presented: int64(token.Counter), key: key, sealed: sealed, //nolint:gosec // parsing bounds the counter
	})
}

// counterState is the token presented and the key of its session.
type counterState struct {
	presented int64
	key       []byte
	sealed    string
}

// stepCounter decides on the generation and writes the decision.
func (s *Service) stepCounter(ctx context.Context, req RefreshRequest, account *models.Account, out *Refreshed, state counterState) error {
	stored := *account.Session.RefreshTokenCounter
	next, causes := s.rotation.decideCounter(stored, state.presented, account.Session.RefreshedAt, req.Now)
	conn := s.db.Conn(ctx)
	switch next {
	case stepForeign:
		return ErrNotIssuedHere
	case stepReused:
		return s.endReused(conn, account, out)
	case stepReplay:
		out.Replayed, out.Causes = true, causes
		out.RefreshToken = counterToken(account.Session.ID, stored, state.key)
		if err := s.issue(ctx, req, account, out); err != nil {
			return err
		}
		trail := s.audit.By(&account.User, models.AuditTokenRefreshed, nil)
		done, err := models.TouchSession(conn, touched(req, account.Session), trail, req.Now)
		return won(done, err)
	}

	out.Counter = stored + 1
	out.RefreshToken = counterToken(account.Session.ID, out.Counter, state.key)
	if err := s.issue(ctx, req, account, out); err != nil {
		return err
	}
	trail := s.audit.By(&account.User, models.AuditTokenRefreshed, nil)
	done, err := models.AdvanceCounter(conn, touched(req, account.Session), stored, out.Counter, state.sealed, trail, req.Now)
	return won(done, err)
}

// endReused ends the session of a spent token that came back.
func (s *Service) endReused(conn *storage.Conn, account *models.Account, out *Refreshed) error {
	if !s.rotation.EndOnReuse {
		return ErrReused
	}
	if err := models.DeleteSession(conn, account.Session.ID); err != nil {
		return fmt.Errorf("end reused session: %w", err)
	}
	out.SessionEnded = true
	return ErrReused
}
