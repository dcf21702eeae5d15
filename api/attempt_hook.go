package api

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/models"
)

// askPasswordHook lets the operator reject an attempt to sign in with a
// password, right or wrong, and end the sessions of the user with it.
func (s *Server) askPasswordHook(r *http.Request, user *models.User, valid bool) error {
	verdict, err := s.Hooks.PasswordVerification(r.Context(), hooks.PasswordAttempt{
		UserID: user.ID.String(), Valid: valid, IPAddress: s.clientIP.Of(r),
	})
	if err != nil {
		return err
	}
	return s.obey(r, user, verdict, apierror.Error{
		Status: http.StatusBadRequest, Code: apierror.InvalidCredentials,
		Message: "Further password verification attempts will be rejected.",
	})
}

// askFactorHook lets the operator reject the answer to a challenge, right or
// wrong. A rejection ends all sessions of the user.
func (s *Server) askFactorHook(r *http.Request, user *models.User, up *models.StepUp, valid bool) error {
	verdict, err := s.Hooks.MFAVerification(r.Context(), hooks.MFAAttempt{
		UserID: user.ID.String(), FactorID: up.FactorID.String(), FactorType: up.FactorType,
		Valid: valid, IPAddress: s.clientIP.Of(r),
	})
	if err != nil {
		return err
	}
	return s.obey(r, user, verdict, apierror.Error{
		Status: http.StatusForbidden, Code: "mfa_verification_rejected",
		Message: "Further MFA verification attempts will be rejected.",
	})
}

// obey does what a verdict says. Refusal is the answer to a rejected attempt,
// unless the hook words it.
func (s *Server) obey(r *http.Request, user *models.User, verdict hooks.Verdict, refusal apierror.Error) error {
	if !verdict.Rejected {
		return nil
	}
	if verdict.EndSessions {
		err := models.EndSessions(s.DB.Conn(r.Context()), user.ID, uuid.Nil, models.LogoutGlobal, nil, s.kit.Time(r))
		if err != nil {
			return fmt.Errorf("end sessions: %w", err)
		}
	}
	return apierror.New(refusal.Status, refusal.Code, cmp.Or(verdict.Message, refusal.Message))
}
