package admin

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// GET /admin/users/{user_id}
func (s *Server) getUser(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, view.NewUser(user))
}

// PUT /admin/users/{user_id}
func (s *Server) updateUser(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	user, err := s.pathUser(r)
	if err != nil {
		return err
	}
	in, err := web.Decode[userInput](r)
	if err != nil {
		return err
	}
	update, err := s.newUpdate(r, in, user)
	if err != nil {
		return err
	}

	// Metadata is merged and identities are chosen by what the row holds, so it
	// is read again under a lock. Hashing is over by now: it takes long.
	var before, after *models.User
	err = s.DB.Tx(r.Context(), func(tx *storage.Conn) (err error) {
		if before, err = models.FindUserForUpdate(tx, user.ID); err != nil {
			return err
		}
		changes, err := update.changes(before)
		if err != nil {
			return err
		}
		trail := s.Audit.ByAdmin(admin.Role, models.AuditUserModified,
			traits(before.ID, cmp.Or(in.Email, before.Email), cmp.Or(in.Phone, before.Phone)))
		after, err = models.UpdateUser(tx, before.ID, changes, trail, update.now)
		return err
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return errUserNotFound() // deleted meanwhile
	case err != nil:
		return apierror.Failure("Error updating user", fmt.Errorf("update user %s: %w", user.ID, err))
	}
	return web.JSON(w, http.StatusOK, view.NewUser(asAnswered(before, after)))
}

// update is a checked request to change a user.
type update struct {
	*userInput
	ban ban
	// hash is the new password's, sealed for the user's row; nil keeps the old.
	hash *string
	now  time.Time
	ids  models.IDs
	// identityOnPassword gives an e-mail identity to a confirmed user who gets
	// a first password.
	identityOnPassword bool
}

// newUpdate checks all that does not depend on the state of the user.
func (s *Server) newUpdate(r *http.Request, in *userInput, user *models.User) (*update, error) {
	u := &update{
		userInput: in, now: s.Kit.Time(r), ids: s.IDs,
		identityOnPassword: s.Config.Experimental.CreateEmailIdentityOnPasswordSetEnabled,
	}
	err := s.normalize(in)
	if err != nil {
		return nil, err
	}
	if u.ban, err = parseBan(in.BanDuration, u.now); err != nil {
		return nil, err
	}
	if in.Password == nil {
		return u, nil
	}
	if err := web.CheckPassword(r.Context(), s.Passwords, *in.Password); err != nil {
		return nil, err
	}
	hash, err := s.Hasher.Hash(r.Context(), *in.Password)
	if err != nil {
		return nil, err
	}
	if hash, err = s.Box.Seal(user.ID.String(), hash); err != nil {
		return nil, err
	}
	u.hash = &hash
	return u, nil
}

// asAnswered shows a changed user the way GoTrue answers: identities that were
// there before, and the confirmed_at that the database makes, as they were read
// at first. The next read shows the new ones.
func asAnswered(before, after *models.User) *models.User {
	shown := *after
	shown.ConfirmedAt = before.ConfirmedAt
	shown.Identities = slices.Clone(after.Identities)
	for i := range shown.Identities {
		for _, known := range before.Identities {
			if known.ID == shown.Identities[i].ID {
				shown.Identities[i] = known
			}
		}
	}
	return &shown
}
