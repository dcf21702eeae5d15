package api

import (
	"fmt"
	"net/http"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/models"
)

// attempt is what the operator's hook learns about the answer to a challenge.
type attempt struct {
	Metadata   hooks.Metadata `json:"metadata"`
	UserID     uuid.UUID      `json:"user_id"`
	FactorID   uuid.UUID      `json:"factor_id"`
	FactorType string         `json:"factor_type"`
	Valid      bool           `json:"valid"`
}

type attemptDecision struct {
	Decision string `json:"decision"`
	Message  string `json:"message"`
}

// askHook lets the operator reject an attempt, right or wrong. A rejection ends
// all sessions of the user.
func (f *factors) askHook(r *http.Request, user *models.User, up *models.StepUp, valid bool) error {
	if !f.hooks.Enabled(hooks.PointMFAVerification) {
		return nil
	}
	metadata, err := f.hooks.NewMetadata(hooks.PointMFAVerification, f.clientIP.Of(r))
	if err != nil {
		return err
	}
	var answer attemptDecision
	err = f.hooks.Invoke(r.Context(), hooks.PointMFAVerification,
		attempt{metadata, user.ID, up.FactorID, up.FactorType, valid}, &answer)
	if err != nil {
		return err
	}
	if answer.Decision != "reject" {
		return nil
	}
	err = models.EndSessions(f.DB.Conn(r.Context()), user.ID, uuid.Nil, models.LogoutGlobal, nil, f.kit.Time(r))
	if err != nil {
		return fmt.Errorf("end sessions: %w", err)
	}
	message := answer.Message
	if message == "" {
		message = "Further MFA verification attempts will be rejected."
	}
	return apierror.New(http.StatusForbidden, "mfa_verification_rejected", message)
}
