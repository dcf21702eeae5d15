package tokens

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/golang-jwt/jwt/v5"
)

// Hook lets the operator change the claims of an access token before it is
// signed.
type Hook interface {
	CustomAccessToken(ctx context.Context, in HookInput) (map[string]any, error)
}

// HookInput is what the hook sees.
type HookInput struct {
	UserID               string
	Claims               map[string]any
	AuthenticationMethod string
	// IPAddress is the end user's, '' if unknown.
	IPAddress string
	// OAuth is nil for tokens of the project's own apps.
	OAuth *Grant
}

// shape runs the hook, if there is one. What the hook returns replaces the
// claims, except for what ties a client's token to its grant: without sub,
// client_id and session_id it would pass for the user's own and outlive its
// revocation.
func (s *Service) shape(ctx context.Context, claims AccessClaims, sub subject, method string) (jwt.Claims, error) {
	if s.hook == nil {
		return claims, nil
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("encode claims: %w", err)
	}
	asMap := map[string]any{}
	if err := json.Unmarshal(raw, &asMap); err != nil {
		return nil, fmt.Errorf("decode claims: %w", err)
	}
	shaped, err := s.hook.CustomAccessToken(ctx, HookInput{
		UserID: claims.Subject, Claims: asMap, AuthenticationMethod: method,
		IPAddress: sub.ip, OAuth: sub.grant,
	})
	if err != nil {
		return nil, err
	}
	if sub.grant != nil {
		shaped["sub"] = claims.Subject
		shaped["client_id"] = claims.ClientID
		shaped["session_id"] = claims.SessionID
	}
	return jwt.MapClaims(shaped), nil
}
