package tokens

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gofrs/uuid"
	"github.com/golang-jwt/jwt/v5"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/observability"
)

// typJWT is the typ header of access and ID tokens (RFC 7519 §5.1), as GoTrue
// sets it.
const typJWT = "JWT"

// AccessClaims are the claims of an access token. The order and presence of
// members is GoTrue's, which database policies and SDKs read.
type AccessClaims struct {
	Issuer       string            `json:"iss,omitempty"`
	Subject      string            `json:"sub"`
	Audience     string            `json:"aud"`
	ExpiresAt    int64             `json:"exp"`
	IssuedAt     int64             `json:"iat"`
	Email        string            `json:"email"`
	Phone        string            `json:"phone"`
	AppMetadata  json.RawMessage   `json:"app_metadata"`
	UserMetadata json.RawMessage   `json:"user_metadata"`
	Role         string            `json:"role"`
	AAL          string            `json:"aal"`
	AMR          []models.AMRClaim `json:"amr,omitempty"`
	SessionID    string            `json:"session_id"`
	IsAnonymous  bool              `json:"is_anonymous"`
	// ClientID, Scope and JWTID (RFC 9068 §2.2) are set for OAuth clients only.
	ClientID string `json:"client_id,omitempty"`
	Scope    string `json:"scope,omitempty"`
	JWTID    string `json:"jti,omitempty"`
}

// GetExpirationTime implements jwt.Claims.
func (c AccessClaims) GetExpirationTime() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(c.ExpiresAt, 0)), nil
}

// GetIssuedAt implements jwt.Claims.
func (c AccessClaims) GetIssuedAt() (*jwt.NumericDate, error) {
	return jwt.NewNumericDate(time.Unix(c.IssuedAt, 0)), nil
}

// GetNotBefore implements jwt.Claims.
func (AccessClaims) GetNotBefore() (*jwt.NumericDate, error) { return nil, nil }

// GetIssuer implements jwt.Claims.
func (c AccessClaims) GetIssuer() (string, error) { return c.Issuer, nil }

// GetSubject implements jwt.Claims.
func (c AccessClaims) GetSubject() (string, error) { return c.Subject, nil }

// GetAudience implements jwt.Claims.
func (c AccessClaims) GetAudience() (jwt.ClaimStrings, error) {
	return jwt.ClaimStrings{c.Audience}, nil
}

// subject is whom and what an access token speaks of.
type subject struct {
	user             *models.User
	sessionID        uuid.UUID
	sessionCreatedAt time.Time
	aal              string
	amr              []models.AMRClaim
	grant            *Grant
	ip               string
}

// accessToken mints an access token; method is how the user came to it, for
// the hook. Every access token of the server is made here.
func (s *Service) accessToken(ctx context.Context, sub subject, method string, now time.Time) (string, time.Time, error) {
	expiresAt := s.accessExpiry(sub, now)
	claims := AccessClaims{
		Issuer: s.jwt.Issuer, Subject: sub.user.ID.String(), Audience: sub.user.Aud,
		ExpiresAt: expiresAt.Unix(), IssuedAt: now.Unix(),
		Email: sub.user.Email, Phone: sub.user.Phone,
		AppMetadata: object(sub.user.AppMetadata), UserMetadata: object(sub.user.UserMetadata),
		Role: sub.user.Role, AAL: sub.aal, AMR: sub.amr,
		SessionID: sub.sessionID.String(), IsAnonymous: sub.user.IsAnonymous,
	}
	if sub.grant != nil {
		claims.Issuer = s.issuer
		claims.ClientID = sub.grant.ClientID.String()
		claims.Scope = sub.grant.Scope
		claims.JWTID = s.ids.New().String()
	}
	final, err := s.shape(ctx, claims, sub, method)
	if err != nil {
		return "", time.Time{}, err
	}
	token, err := s.keys.Sign(typJWT, final)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign access token: %w", err)
	}
	observability.EventFrom(ctx).TokenIssued(ctx, method, sub.grant != nil)
	return token, expiresAt, nil
}

// accessExpiry is now plus the configured life, but not beyond the time that a
// user with a second factor may stay without using it.
func (s *Service) accessExpiry(sub subject, now time.Time) time.Time {
	expiresAt := now.Add(s.jwt.Exp)
	if sub.grant == nil && s.limits.LowAAL != nil && sub.aal == models.AAL1 && sub.user.HasVerifiedFactor() {
		if end := sub.sessionCreatedAt.Add(*s.limits.LowAAL); end.Before(expiresAt) {
			return end
		}
	}
	return expiresAt
}

func object(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 || string(raw) == "null" {
		return json.RawMessage("{}")
	}
	return raw
}
