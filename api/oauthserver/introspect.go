package oauthserver

import (
	"errors"
	"net/http"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/tokens"
)

// introspection says what a token is worth now (RFC 7662 §2.2). Of one that is
// worth nothing it says only that.
type introspection struct {
	Active    bool     `json:"active"`
	Scope     string   `json:"scope,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	TokenType string   `json:"token_type,omitempty"`
	ExpiresAt int64    `json:"exp,omitempty"`
	IssuedAt  int64    `json:"iat,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	Audience  []string `json:"aud,omitempty"`
	Issuer    string   `json:"iss,omitempty"`
}

// POST /oauth/introspect tells a client about its tokens, and an administrator
// about any (RFC 7662).
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) error {
	web.NoStore(w)
	answer, err := s.inspect(r)
	if err != nil {
		return s.fail(w, r, err)
	}
	return web.JSON(w, http.StatusOK, answer)
}

func (s *Server) inspect(r *http.Request) (*introspection, error) {
	params, asker, err := s.introspector(r)
	if err != nil {
		return nil, err
	}
	token := params.Get("token")
	if token == "" {
		return nil, oauth.InvalidRequest("token is required")
	}
	found, err := s.Tokens.Inspect(r.Context(), token, s.Kit.Time(r))
	switch {
	case errors.Is(err, tokens.ErrUnknownToken):
		return &introspection{}, nil
	case err != nil:
		return nil, err
	case !found.Active, !asker.mayKnow(found.Session.OAuthClientID):
		return &introspection{}, nil
	}
	return s.describe(found), nil
}

// describe takes the grant from the session's row, which no hook can change,
// and the rest from the token.
func (s *Server) describe(found *tokens.Inspected) *introspection {
	answer := &introspection{Active: true, Scope: found.Scope(), Subject: found.User.ID.String(), Issuer: s.issuer}
	if found.Session.OAuthClientID != nil {
		answer.ClientID = found.Session.OAuthClientID.String()
	}
	if found.Refresh {
		if found.Session.NotAfter != nil {
			answer.ExpiresAt = found.Session.NotAfter.Unix()
		}
		return answer
	}
	claims := found.Claims
	answer.TokenType, answer.Audience, answer.Issuer = "Bearer", claims.Audience, claims.Issuer
	if claims.ExpiresAt != nil {
		answer.ExpiresAt = claims.ExpiresAt.Unix()
	}
	if claims.IssuedAt != nil {
		answer.IssuedAt = claims.IssuedAt.Unix()
	}
	return answer
}

// introspector is who asks: a client, or an administrator.
type introspector struct{ client *uuid.UUID }

// mayKnow reports whether the asker may learn of a token of a client, nil for
// the project's own.
func (i introspector) mayKnow(client *uuid.UUID) bool {
	return i.client == nil || client != nil && *client == *i.client
}

// introspector authenticates whoever asks (RFC 7662 §2.1).
func (s *Server) introspector(r *http.Request) (oauth.Params, introspector, error) {
	if token, ok := web.BearerToken(r); ok {
		params, err := s.administratorsParams(r, token)
		return params, introspector{}, err
	}
	req, err := readTokenRequest(r)
	if err != nil {
		return oauth.Params{}, introspector{}, err
	}
	observability.EventFrom(r.Context()).Set("client_id", req.clientID)
	client, err := s.authenticatedClient(r, req)
	if err != nil {
		return oauth.Params{}, introspector{}, err
	}
	if req.credentials.Method == oauth.AuthNone {
		// It cannot prove that a token was issued to it rather than found.
		return oauth.Params{}, introspector{}, oauth.InvalidClient("introspection needs a client that authenticates")
	}
	return req.params, introspector{&client.ID}, nil
}

// administratorsParams are the parameters of a request with the bearer token of
// an administrator.
func (s *Server) administratorsParams(r *http.Request, token string) (oauth.Params, error) {
	if _, err := s.Tokens.AuthenticateAdmin(r.Context(), token, s.Kit.Time(r)); err != nil {
		if tokens.IsRefusal(err) {
			err = oauth.InvalidToken("The bearer token is not that of an administrator")
		}
		return oauth.Params{}, err
	}
	return readParams(r)
}
