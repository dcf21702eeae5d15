package tokens

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// hmacKeyBytes is the length of a session's refresh-token key.
const hmacKeyBytes = 32

// Service issues and refreshes tokens. It is safe for concurrent use.
type Service struct {
	db       *storage.DB
	keys     *keys.Set
	box      *secret.Box
	hook     Hook
	audit    models.Auditor
	ids      models.IDs
	random   io.Reader
	jwt      conf.JWT
	issuer   string
	rotation Rotation
	// limits are those of the project's own sessions, grantLimits those of grants.
	limits, grantLimits Limits
}

// Settings are the parts of the configuration that tokens depend on.
type Settings struct {
	JWT         conf.JWT
	Sessions    conf.Sessions
	Security    conf.Security
	OAuthServer conf.OAuthServer
}

// Deps are what a Service works with.
type Deps struct {
	DB     *storage.DB
	Keys   *keys.Set
	Box    *secret.Box
	Hook   Hook // nil when no hook is configured
	Audit  models.Auditor
	Random io.Reader
	// Issuer is the OAuth server's issuer identifier (RFC 8414 §2). Tokens of
	// OAuth clients always carry it; those of the project's own apps only when
	// the operator configured one.
	Issuer string
}

// New returns a Service.
func New(deps Deps, cfg Settings) *Service {
	security := cfg.Security
	return &Service{
		db: deps.DB, keys: deps.Keys, box: deps.Box, hook: deps.Hook, audit: deps.Audit,
		ids: models.IDs{Random: deps.Random}, random: deps.Random, jwt: cfg.JWT, issuer: deps.Issuer,
		limits: newLimits(cfg.Sessions), grantLimits: newGrantLimits(cfg.OAuthServer),
		rotation: Rotation{
			Counter:           security.RefreshTokenAlgorithmVersion == 2,
			UpgradePercentage: security.RefreshTokenUpgradePercentage,
			ReuseInterval:     security.RefreshTokenReuseInterval,
			AllowReuse:        security.RefreshTokenAllowReuse,
			EndOnReuse:        security.RefreshTokenRotationEnabled,
		},
	}
}

// Origin is where a request came from, as the session remembers it.
type Origin struct {
	UserAgent string
	IP        string
}

// Grant is what an OAuth client was given.
type Grant struct {
	ClientID uuid.UUID
	// Scope is space-separated.
	Scope string
	// Type is the grant_type that is being used, for the hook.
	Type string
	// Resource is the resource indicator of the grant (RFC 8707), if any.
	Resource string
}

// Scopes lists the scopes of the grant.
func (g *Grant) Scopes() []string { return strings.Fields(g.Scope) }

// Issued are the tokens of one response.
type Issued struct {
	AccessToken  string
	ExpiresAt    time.Time
	RefreshToken string
	UserID       uuid.UUID
	SessionID    uuid.UUID
	// Counter is the generation of a counter refresh token, -1 for the older
	// kind.
	Counter int64
}

// SignIn is a user who has just authenticated, or a client whose code is being
// redeemed.
type SignIn struct {
	User *models.User
	// Method is the authentication method for the amr claim.
	Method string
	Origin Origin
	// OAuth is nil for the project's own apps.
	OAuth *Grant
	Now   time.Time
}

// Draft is a session that exists on paper: its tokens are minted, its rows not
// yet written. Whoever writes them does so in the statement that also makes
// the change which justifies the session.
type Draft struct {
	Session models.NewSession
	Issued  Issued
}

// Draft mints the tokens of a new session. The hook may refuse.
func (s *Service) Draft(ctx context.Context, in SignIn) (*Draft, error) {
	session := models.NewSession{
		ID: s.ids.New(), UserID: in.User.ID, Method: in.Method, AMRID: s.ids.New(),
		UserAgent: in.Origin.UserAgent, IP: in.Origin.IP,
	}
	if in.OAuth != nil {
		session.OAuthClientID = &in.OAuth.ClientID
		session.Scopes = in.OAuth.Scope
	}
	refreshToken, counter, err := s.firstRefreshToken(&session)
	if err != nil {
		return nil, err
	}
	accessToken, expiresAt, err := s.accessToken(ctx, subject{
		user: in.User, sessionID: session.ID, sessionCreatedAt: in.Now, aal: models.AAL1,
		amr: []models.AMRClaim{{Method: in.Method, Timestamp: in.Now.Unix()}}, grant: in.OAuth, ip: in.Origin.IP,
	}, in.Method, in.Now)
	if err != nil {
		return nil, err
	}
	return &Draft{Session: session, Issued: Issued{
		AccessToken: accessToken, ExpiresAt: expiresAt, RefreshToken: refreshToken, Counter: counter,
		UserID: in.User.ID, SessionID: session.ID,
	}}, nil
}

// counterToken is the text of a generation of a session's counter token.
func counterToken(session uuid.UUID, counter int64, key []byte) string {
	return secret.FormatRefreshToken(session, uint64(counter), key) //nolint:gosec // counters start at 0 and only grow
}

// firstRefreshToken sets the session's refresh-token state.
func (s *Service) firstRefreshToken(session *models.NewSession) (token string, counter int64, err error) {
	if !s.rotation.Counter {
		session.Token, err = secret.RefreshTokenV1(s.random)
		return session.Token, -1, err
	}
	key, sealed, err := s.newHMACKey(session.ID)
	if err != nil {
		return "", 0, err
	}
	session.HMACKey = sealed
	return counterToken(session.ID, 0, key), 0, nil
}

// newHMACKey returns a fresh refresh-token key of a session and the text that
// the session's row keeps.
func (s *Service) newHMACKey(session uuid.UUID) (key []byte, sealed string, err error) {
	text, err := secret.Token(s.random, hmacKeyBytes)
	if err != nil {
		return nil, "", err
	}
	if key, err = secret.ParseKey(text); err != nil {
		return nil, "", err
	}
	if sealed, err = s.box.Seal(session.String(), text); err != nil {
		return nil, "", fmt.Errorf("seal refresh token key: %w", err)
	}
	return key, sealed, nil
}

// openHMACKey returns the refresh-token key of a session and the text to store
// with its next state: sealed again when encryption or its key has changed.
func (s *Service) openHMACKey(session *models.Session) (key []byte, sealed string, err error) {
	text, stale, err := s.box.Open(session.ID.String(), session.RefreshTokenHMACKey)
	if err != nil {
		return nil, "", fmt.Errorf("open refresh token key: %w", err)
	}
	if key, err = secret.ParseKey(text); err != nil {
		return nil, "", fmt.Errorf("refresh token key of session %s: %w", session.ID, err)
	}
	sealed = session.RefreshTokenHMACKey
	if stale {
		sealed, err = s.box.Seal(session.ID.String(), text)
	}
	return key, sealed, err
}
