package admin

import (
	"cmp"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/storage"
)

// POST /admin/users
func (s *Server) createUser(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
	in, err := web.Decode[userInput](r)
	if err != nil {
		return err
	}
	if err := s.normalize(in); err != nil {
		return err
	}
	if in.Email == "" && in.Phone == "" {
		return apierror.Validation("Cannot create a user without either an email or phone")
	}
	in.Aud = cmp.Or(in.Aud, s.audience(r))
	if err := s.refuseTaken(r, in); err != nil {
		return err
	}
	now := s.Kit.Time(r)
	fresh, err := s.newUser(in, now)
	if err != nil {
		return err
	}
	if fresh.EncryptedPassword, err = s.firstHash(r, in); err != nil {
		return err
	}

	about := traits(fresh.ID, in.Email, in.Phone)
	about["provider"] = in.providers()[0]
	trail := s.Audit.ByAdmin(admin.Role, models.AuditUserSignedUp, about)
	user, err := models.CreateUser(s.DB.Conn(r.Context()), fresh, trail, now)
	if err != nil {
		return s.createFailure(r, in, err)
	}
	user.ConfirmedAt = nil // as with GoTrue: the database makes it, the next read shows it
	return web.JSON(w, http.StatusOK, view.NewUser(user))
}

// providers are those of the given addresses, of which there is at least one.
func (in *userInput) providers() []string {
	var providers []string
	if in.Email != "" {
		providers = append(providers, accounts.ProviderEmail)
	}
	if in.Phone != "" {
		providers = append(providers, accounts.ProviderPhone)
	}
	return providers
}

// refuseTaken says in the API's words whose address somebody has already.
func (s *Server) refuseTaken(r *http.Request, in *userInput) error {
	taken, err := models.FindTakenAddresses(s.DB.Conn(r.Context()), in.Email, in.Phone, in.Aud)
	switch {
	case err != nil:
		return apierror.Failure("Database error checking email", err)
	case taken.Email:
		return apierror.New(http.StatusUnprocessableEntity, apierror.EmailExists,
			"A user with this email address has already been registered")
	case taken.Phone:
		return apierror.New(http.StatusUnprocessableEntity, apierror.PhoneExists,
			"Phone number already registered by another user")
	}
	return nil
}

// createFailure maps a refused insert. Another request may have taken the
// address since refuseTaken looked.
func (s *Server) createFailure(r *http.Request, in *userInput, err error) error {
	if storage.IsUnique(err, "users_email_partial_key", "users_phone_key") {
		if refusal := s.refuseTaken(r, in); refusal != nil {
			return refusal
		}
	}
	return apierror.Failure("Database error creating new user", err)
}

// newUser is the row that a request describes, its password apart.
func (s *Server) newUser(in *userInput, now time.Time) (models.NewUser, error) {
	fresh := models.NewUser{
		Aud: in.Aud, Role: cmp.Or(strings.TrimSpace(in.Role), s.Config.JWT.DefaultGroupName),
		Email: in.Email, Phone: in.Phone,
	}
	var err error
	if fresh.ID, err = s.newID(in.ID); err != nil {
		return fresh, err
	}
	banned, err := parseBan(in.BanDuration, now)
	if err != nil {
		return fresh, err
	}
	fresh.BannedUntil = banned.until

	userMetadata := maps.Clone(in.UserMetadata)
	if userMetadata == nil {
		userMetadata = map[string]any{}
	}
	if in.Email != "" {
		fresh.Identities = append(fresh.Identities, accounts.EmailIdentity(s.IDs.New(), fresh.ID, in.Email, false, nil))
		if in.EmailConfirm {
			fresh.EmailConfirmedAt = &now
			userMetadata[emailVerified] = true
		}
	}
	if in.Phone != "" {
		fresh.Identities = append(fresh.Identities, accounts.PhoneIdentity(s.IDs.New(), fresh.ID, in.Phone, false))
		if in.PhoneConfirm {
			fresh.PhoneConfirmedAt = &now
		}
	}
	if fresh.UserMetadata, err = accounts.Encode(userMetadata); err != nil {
		return fresh, err
	}
	fresh.AppMetadata, err = accounts.Encode(accounts.Merge(accounts.AppMetadata(in.providers()...), in.AppMetadata))
	return fresh, err
}

func (s *Server) newID(text string) (uuid.UUID, error) {
	if text == "" {
		return s.IDs.New(), nil
	}
	id, err := uuid.FromString(text)
	switch {
	case err != nil:
		return id, apierror.Validation("ID must conform to the uuid v4 format")
	case id == uuid.Nil:
		return id, apierror.Validation("ID cannot be a nil uuid")
	}
	return id, nil
}

// firstHash is the hash of a new user's password. Administrators move users
// here from elsewhere, so a password need not be strong, and may come hashed.
func (s *Server) firstHash(r *http.Request, in *userInput) (string, error) {
	plain := ""
	if in.Password != nil {
		plain = *in.Password
	}
	switch {
	case plain != "" && in.PasswordHash != "":
		return "", apierror.Validation("Only a password or a password hash should be provided")
	case in.PasswordHash != "":
		if err := password.ValidHash(in.PasswordHash); err != nil {
			return "", apierror.Failure("Error creating user", err)
		}
		return in.PasswordHash, nil
	case plain == "":
		return s.Hasher.Unguessable()
	}
	return s.Hasher.Hash(r.Context(), plain)
}
