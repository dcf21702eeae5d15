package tokens

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
)

// counterStepUp is how many generations a step-up moves a counter token: two,
// so that the token from before is not taken for one whose answer was lost.
const counterStepUp = 2

// StepUp is a session whose user has just used a second factor.
type StepUp struct {
	// User is the user as the answer shows it.
	User    *models.User
	Session *models.Session
	// Method is the authentication method to add to the amr claim.
	Method string
	Origin Origin
	Now    time.Time
}

// StepUpDraft is a step-up on paper: tokens are minted, nothing is written.
// Whoever writes it does so on the condition that the session is still at the
// refresh token it was read with, and starts again if not.
type StepUpDraft struct {
	Session models.SessionStepUp
	Issued  Issued
}

// DraftStepUp mints the tokens of a session that moves to aal2. The hook may
// refuse.
func (s *Service) DraftStepUp(ctx context.Context, in StepUp) (*StepUpDraft, error) {
	draft := &StepUpDraft{Session: models.SessionStepUp{
		SessionID: in.Session.ID, Method: in.Method, AMRID: s.ids.New(),
	}}
	refreshToken, counter, err := s.steppedUpToken(in.Session, &draft.Session)
	if err != nil {
		return nil, err
	}
	accessToken, expiresAt, err := s.accessToken(ctx, subject{
		user: in.User, sessionID: in.Session.ID, sessionCreatedAt: in.Session.CreatedAt,
		aal: models.AAL2, amr: withMethod(in.Session.AMR, in.Method, in.Now), ip: in.Origin.IP,
	}, in.Method, in.Now)
	if err != nil {
		return nil, err
	}
	draft.Issued = Issued{
		AccessToken: accessToken, ExpiresAt: expiresAt, RefreshToken: refreshToken, Counter: counter,
		UserID: in.User.ID, SessionID: in.Session.ID,
	}
	return draft, nil
}

// steppedUpToken makes the refresh token that replaces the present one.
func (s *Service) steppedUpToken(session *models.Session, to *models.SessionStepUp) (token string, counter int64, err error) {
	if session.RefreshTokenCounter == nil || session.RefreshTokenHMACKey == "" {
		if to.Token, err = secret.RefreshTokenV1(s.random); err != nil {
			return "", 0, fmt.Errorf("refresh token: %w", err)
		}
		return to.Token, -1, nil
	}
	key, sealed, err := s.openHMACKey(session)
	if err != nil {
		return "", 0, err
	}
	counter = *session.RefreshTokenCounter + counterStepUp
	to.CounterFrom, to.CounterTo, to.HMACKey = session.RefreshTokenCounter, &counter, sealed
	return secret.FormatRefreshToken(session.ID, uint64(counter), key), counter, nil //nolint:gosec // never negative
}

// withMethod adds a method to the amr claim, newest first, or renews its time.
func withMethod(amr []models.AMRClaim, method string, now time.Time) []models.AMRClaim {
	others := slices.DeleteFunc(slices.Clone(amr), func(c models.AMRClaim) bool { return c.Method == method })
	return append([]models.AMRClaim{{Method: method, Timestamp: now.Unix()}}, others...)
}
