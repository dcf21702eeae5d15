package api

import (
	"context"
	"errors"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/password"
)

// renewHash stores the password of a user who has just signed in again, if its
// hash is weaker than those of today or not under the present encryption key.
// Failures are logged: the next sign-in tries again.
func (s *Server) renewHash(ctx context.Context, user *models.User, plain string) {
	if err := s.tryRenewHash(ctx, user, plain); err != nil {
		s.Log.WithError(err).WithField("user_id", user.ID).Warn("a password hash could not be renewed")
	}
}

func (s *Server) tryRenewHash(ctx context.Context, user *models.User, plain string) error {
	id := user.ID.String()
	hash, stale, err := s.Box.Open(id, user.EncryptedPassword)
	if err != nil {
		return err
	}
	if password.Outdated(hash) {
		fresh, err := s.Hasher.Hash(ctx, plain)
		switch {
		case errors.Is(err, password.ErrTooLong): // bcrypt would cut it off
		case err != nil:
			return err
		default:
			hash, stale = fresh, true
		}
	}
	if !stale {
		return nil
	}
	sealed, err := s.Box.Seal(id, hash)
	if err != nil {
		return err
	}
	return models.RenewPasswordHash(s.DB.Conn(ctx), user.ID, user.EncryptedPassword, sealed)
}
