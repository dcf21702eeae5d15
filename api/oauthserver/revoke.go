package oauthserver

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/tokens"
)

// POST /oauth/revoke ends what a client was given (RFC 7009).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) error {
	web.NoStore(w)
	if err := s.endToken(r); err != nil {
		return s.fail(w, r, err)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// endToken ends the session of a token, and so its other tokens (RFC 7009
// §2.1). The user's consent stays: the client may ask again.
func (s *Server) endToken(r *http.Request) error {
	req, err := readTokenRequest(r)
	if err != nil {
		return err
	}
	observability.EventFrom(r.Context()).Set("client_id", req.clientID)
	client, err := s.authenticatedClient(r, req)
	if err != nil {
		return err
	}
	token := req.params.Get("token")
	if token == "" {
		return oauth.InvalidRequest("token is required")
	}
	now := s.Kit.Time(r)
	found, err := s.Tokens.Inspect(r.Context(), token, now)
	switch {
	case errors.Is(err, tokens.ErrUnknownToken):
		return nil // what the client wants is so already (RFC 7009 §2.2)
	case err != nil:
		return err
	case found.Session.OAuthClientID == nil || *found.Session.OAuthClientID != client.ID:
		return oauth.InvalidGrant("The token was issued to another client")
	}
	trail := s.Audit.By(&found.User, models.AuditTokenRevoked, map[string]any{
		"oauth_client_id": client.ID.String(), "action": "revoke_oauth_token",
	})
	err = models.EndSessions(s.DB.Conn(r.Context()), found.ID, found.Session.ID, models.LogoutLocal, trail, now)
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}
