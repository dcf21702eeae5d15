package hooks

import "context"

// AccessTokenInput describes the access token about to be minted.
type AccessTokenInput struct {
	// UserID is the user's UUID.
	UserID string
	// Claims are those the token gets without a hook, in JSON types.
	Claims map[string]any
	// AuthenticationMethod is how the session got here: password, otp,
	// token_refresh, oauth_provider/authorization_code and so on.
	AuthenticationMethod string
	// IPAddress is the end user's, "" if unknown.
	IPAddress string
	// OAuth is set when the token is for an OAuth client. GoTrue sends no such
	// member; a hook that does not know it is not disturbed.
	OAuth *OAuthContext
}

// OAuthContext lets a hook decide by client, scope and grant.
type OAuthContext struct {
	ClientID string `json:"client_id"`
	// ClientName is as registered, for display; it proves nothing.
	ClientName string `json:"client_name,omitempty"`
	// Scopes are the granted ones.
	Scopes []string `json:"scopes"`
	// GrantType is as in the token request (RFC 6749 §4).
	GrantType string `json:"grant_type"`
	// RedirectURI is where the code was sent, for grants that have one.
	RedirectURI string `json:"redirect_uri,omitempty"`
	// Resource holds the resource indicators of the request (RFC 8707 §2).
	Resource []string `json:"resource,omitempty"`
}

type accessTokenPayload struct {
	Metadata             Metadata       `json:"metadata"`
	UserID               string         `json:"user_id"`
	Claims               map[string]any `json:"claims"`
	AuthenticationMethod string         `json:"authentication_method"`
	OAuth                *OAuthContext  `json:"oauth,omitempty"`
}

// CustomAccessToken returns the claims that the hook puts in place of
// in.Claims. While the hook is disabled those are returned as they are.
//
// The result has the claims GoTrue requires in their types: exp, iat and nbf
// are int64, other numbers json.Number. The hook may change any of them, even
// sub and client_id; a caller for which one must not change compares it.
// [ErrClaimsMissing] and [ErrClaims] report answers that cannot be used.
func (h *Hooks) CustomAccessToken(ctx context.Context, in AccessTokenInput) (map[string]any, error) {
	if !h.Enabled(PointCustomAccessToken) {
		return in.Claims, nil
	}
	metadata, err := h.NewMetadata(PointCustomAccessToken, in.IPAddress)
	if err != nil {
		return nil, err
	}
	payload := accessTokenPayload{
		Metadata:             metadata,
		UserID:               in.UserID,
		Claims:               in.Claims,
		AuthenticationMethod: in.AuthenticationMethod,
		OAuth:                in.OAuth.withScopes(),
	}
	var reply struct {
		Claims map[string]any `json:"claims"`
	}
	if err := h.Invoke(ctx, PointCustomAccessToken, payload, &reply); err != nil {
		return nil, err
	}
	if reply.Claims == nil {
		return nil, fail(ErrClaimsMissing, nil)
	}
	if err := checkClaims(reply.Claims); err != nil {
		return nil, err
	}
	return reply.Claims, nil
}

// withScopes makes sure that "scopes" is a list in JSON, never null.
func (o *OAuthContext) withScopes() *OAuthContext {
	if o == nil || o.Scopes != nil {
		return o
	}
	filled := *o
	filled.Scopes = []string{}
	return &filled
}
