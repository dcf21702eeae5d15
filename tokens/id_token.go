package tokens

import (
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
)

// idTokenLife is how long an ID token may be used to log in.
const idTokenLife = time.Hour

// ErrSymmetricKey means that ID tokens need a key that clients can verify with.
var ErrSymmetricKey = errors.New("id tokens need an asymmetric signing key")

// IDTokenRequest is what an ID token speaks of.
type IDTokenRequest struct {
	User  *models.User
	Grant Grant
	// Authentication is how and when the user authenticated; AMR may be nil.
	Authentication models.Authentication
	// Nonce is the authorization request's, '' if it had none.
	Nonce string
	// AccessToken is issued beside it and bound by at_hash.
	AccessToken string
	SessionID   string
	Now         time.Time
}

// CanSignIDTokens reports whether the signing key is one that clients can
// verify: an ID token signed with the project's secret would ask every client
// to know it.
func (s *Service) CanSignIDTokens() bool { return s.keys.Asymmetric() }

// IDToken mints an ID token (OpenID Connect Core §2).
func (s *Service) IDToken(req IDTokenRequest) (string, error) {
	if !s.CanSignIDTokens() {
		return "", ErrSymmetricKey
	}
	client := req.Grant.ClientID.String()
	claims := jwt.MapClaims{
		"iss": s.issuer, "sub": req.User.ID.String(),
		"aud": client, "azp": client, "client_id": client,
		"iat": req.Now.Unix(), "exp": req.Now.Add(idTokenLife).Unix(),
		"auth_time": req.Authentication.Time.Unix(), "sid": req.SessionID,
		"at_hash": oauth.ATHash(s.keys.SigningMethod(), req.AccessToken),
	}
	if req.Nonce != "" {
		claims["nonce"] = req.Nonce
	}
	if req.Authentication.ACR != "" {
		claims["acr"] = req.Authentication.ACR
	}
	if len(req.Authentication.AMR) > 0 {
		claims["amr"] = req.Authentication.AMR
	}
	standard, err := StandardClaims(req.User, req.Grant.Scope)
	if err != nil {
		return "", err
	}
	maps.Copy(claims, standard)
	token, err := s.keys.Sign(typJWT, claims)
	if err != nil {
		return "", fmt.Errorf("sign id token: %w", err)
	}
	return token, nil
}

// StandardClaims are the claims of a user that a scope releases (OpenID
// Connect Core §5.4), for ID tokens and UserInfo alike.
func StandardClaims(user *models.User, scope string) (map[string]any, error) {
	granted, problem := oauth.ParseScope(scope)
	if problem != nil {
		return nil, problem
	}
	metadata, err := user.Metadata()
	if err != nil {
		return nil, fmt.Errorf("user metadata: %w", err)
	}
	return oauth.StandardClaims(oauth.Subject{
		ID: user.ID.String(), Email: user.Email, EmailVerified: user.EmailConfirmedAt != nil,
		Phone: user.Phone, PhoneVerified: user.PhoneConfirmedAt != nil,
		UserMetadata: metadata, UpdatedAt: user.UpdatedAt,
	}, granted), nil
}
