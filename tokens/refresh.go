package tokens

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// refreshAttempts bounds how often a refresh starts again because another
// request changed the session in between. Each lost round means that another
// one won, and the winner's result makes the next round a replay, which needs
// no condition: two rounds are the rule.
const refreshAttempts = 8

// methodRefresh is the authentication method that the hook sees.
const methodRefresh = "token_refresh"

// RefreshRequest is a refresh token with whom it comes from.
type RefreshRequest struct {
	Token string
	// Client is the authenticated OAuth client, nil for the project's apps.
	Client *uuid.UUID
	// Scope narrows the access token; empty asks for all that was granted.
	Scope  oauth.Scope
	Origin Origin
	Now    time.Time
}

// Refreshed is the outcome of a refresh.
type Refreshed struct {
	Issued
	User *models.User
	// Session is the session as it was before the refresh.
	Session *models.Session
	// Scope of the access token, for OAuth clients.
	Scope string
	// Replayed tells that no new generation was made; Causes say why a spent
	// counter token was answered.
	Replayed bool
	Causes   []string
	// SessionEnded tells, together with ErrReused, that the session is gone.
	SessionEnded bool
}

// Refresh exchanges a refresh token for new tokens (RFC 6749 §6). The outcome
// is never nil: with an error it holds what is known by then. Tokens of the
// older kind and counter tokens are told apart by their length.
func (s *Service) Refresh(ctx context.Context, req RefreshRequest) (*Refreshed, error) {
	refresh, err := s.refresher(req.Token)
	if err != nil {
		return &Refreshed{Issued: Issued{Counter: -1}}, err
	}
	for range refreshAttempts {
		outcome, err := refresh(ctx, req)
		if !errors.Is(err, errLostRace) {
			return outcome, err
		}
	}
	return &Refreshed{Issued: Issued{Counter: -1}}, ErrBusy
}

// errLostRace: the state changed between reading and writing.
var errLostRace = errors.New("state changed meanwhile")

type refreshFunc func(context.Context, RefreshRequest) (*Refreshed, error)

// refresher chooses by the form of the token.
func (s *Service) refresher(token string) (refreshFunc, error) {
	if isTokenV1(token) {
		return s.refreshToken, nil
	}
	parsed, err := secret.ParseRefreshToken(token)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return func(ctx context.Context, req RefreshRequest) (*Refreshed, error) {
		return s.refreshCounter(ctx, req, parsed)
	}, nil
}

// isTokenV1 knows the older kind: ^[a-z0-9]{12}$.
func isTokenV1(token string) bool {
	if len(token) != 12 {
		return false
	}
	for _, c := range []byte(token) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// permitted checks all that does not depend on the generation of the token.
func (s *Service) permitted(conn *storage.Conn, req RefreshRequest, account *models.Account, tokenUpdatedAt time.Time) error {
	lastUse := lastUsed(account.Session, tokenUpdatedAt)
	limits := s.limitsOf(account.Session)
	if err := limits.check(account, lastUse, req.Now); err != nil {
		return err
	}
	if err := checkClient(req.Client, account.Session); err != nil {
		return err
	}
	if err := checkScope(req.Scope, account.Session); err != nil {
		return err
	}
	if !limits.SinglePerUser {
		return nil
	}
	newest, err := models.NewestSession(conn, account.ID, limits.group(account.Session, req.Now))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("find newest session: %w", err)
	case newest != account.Session.ID:
		return ErrExpiredNewerLogin
	}
	return nil
}

// checkClient binds a refresh token to the client it was issued to (RFC 6749
// §6, §10.4), and the project's own tokens to no client.
func checkClient(client *uuid.UUID, session *models.Session) error {
	switch {
	case session.OAuthClientID == nil && client == nil:
		return nil
	case session.OAuthClientID == nil:
		return ErrClientNotAllowed
	case client == nil:
		return ErrClientRequired
	case *client != *session.OAuthClientID:
		return ErrClientMismatch
	case !session.ClientActive:
		return ErrNotFound
	}
	return nil
}

// checkScope lets a refresh ask for less than was granted, never for more (RFC
// 6749 §6).
func checkScope(asked oauth.Scope, session *models.Session) error {
	if len(asked) == 0 {
		return nil
	}
	if granted, problem := oauth.ParseScope(session.Scopes); problem != nil || !asked.Subset(granted) {
		return ErrScopeExceeded
	}
	return nil
}

// issue mints the access token of a refresh and completes the outcome.
func (s *Service) issue(ctx context.Context, req RefreshRequest, account *models.Account, out *Refreshed) error {
	session := account.Session
	var grant *Grant
	if session.OAuthClientID != nil {
		grant = &Grant{ClientID: *session.OAuthClientID, Scope: session.Scopes, Type: "refresh_token"}
		if len(req.Scope) > 0 {
			grant.Scope = req.Scope.String()
		}
		out.Scope = grant.Scope
	}
	token, expiresAt, err := s.accessToken(ctx, subject{
		user: &account.User, sessionID: session.ID, sessionCreatedAt: session.CreatedAt,
		aal: session.AAL, amr: session.AMR, grant: grant, ip: req.Origin.IP,
	}, methodRefresh, req.Now)
	if err != nil {
		return err
	}
	out.AccessToken, out.ExpiresAt = token, expiresAt
	return nil
}

func startOutcome(account *models.Account) *Refreshed {
	return &Refreshed{
		Issued:  Issued{UserID: account.ID, SessionID: account.Session.ID, Counter: -1},
		User:    &account.User,
		Session: account.Session,
	}
}

// touched is what the session remembers of the request. PostgreSQL keeps only
// valid UTF-8, and what an app calls itself must not keep its user out.
func touched(req RefreshRequest, session *models.Session) models.Refreshed {
	agent := strings.ToValidUTF8(req.Origin.UserAgent, "\uFFFD")
	return models.Refreshed{SessionID: session.ID, UserAgent: agent, IP: req.Origin.IP}
}

// won turns a conditional write that found its condition gone into errLostRace.
func won(done bool, err error) error {
	if err == nil && !done {
		return errLostRace
	}
	return err
}
