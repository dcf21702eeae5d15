package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/password"
)

// checkPasswordChange asks for the present password where the project wants
// it, and refuses the same password again.
func (s *Server) checkPasswordChange(r *http.Request, in *userUpdate, caller *web.Caller) error {
	hash, _, err := s.Box.Open(caller.ID.String(), caller.EncryptedPassword)
	if err != nil {
		return fmt.Errorf("open password hash: %w", err)
	}
	if hash == "" {
		return nil
	}
	if s.Config.Security.UpdatePasswordRequireCurrentPassword && !signedInByCode(caller) {
		if err := s.checkCurrentPassword(r, hash, in.CurrentPassword); err != nil {
			return err
		}
	}
	err = s.Hasher.Compare(r.Context(), hash, *in.Password)
	switch {
	case err == nil:
		return apierror.New(http.StatusUnprocessableEntity, apierror.SamePassword,
			"New password should be different from the old password.")
	case errors.Is(err, password.ErrMismatch), errors.Is(err, password.ErrUnsupported):
		return nil
	}
	return fmt.Errorf("compare password: %w", err)
}

func (s *Server) checkCurrentPassword(r *http.Request, hash, current string) error {
	const message = "Current password required when setting new password."
	if current == "" {
		return apierror.New(http.StatusBadRequest, apierror.CurrentPasswordRequired, message)
	}
	err := s.Hasher.Compare(r.Context(), hash, current)
	// A stored hash of an unknown form matches no password.
	if errors.Is(err, password.ErrMismatch) || errors.Is(err, password.ErrUnsupported) {
		return apierror.New(http.StatusBadRequest, apierror.CurrentPasswordInvalid, message)
	}
	return err
}

// signedInByCode reports whether the session began with a mailed code or link:
// such a user may have forgotten the password.
func signedInByCode(caller *web.Caller) bool {
	if caller.Session == nil {
		return false
	}
	for _, claim := range caller.Session.AMR {
		switch claim.Method {
		case methodOTP, "magiclink", "recovery":
			return true
		}
	}
	return false
}

// sealedHash hashes a password for a user's row.
func (s *Server) sealedHash(r *http.Request, userID, plain string) (string, error) {
	hash, err := s.Hasher.Hash(r.Context(), plain)
	if err != nil {
		return "", err
	}
	return s.Box.Seal(userID, hash)
}
