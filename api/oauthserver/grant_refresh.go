package oauthserver

import (
	"cmp"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/tokens"
)

// grantRefresh exchanges a refresh token (RFC 6749 §6).
func (s *Server) grantRefresh(w http.ResponseWriter, r *http.Request, req *tokenRequest) (*tokenResponse, error) {
	client, err := s.authenticatedClient(r, req)
	if err != nil {
		return nil, err
	}
	refreshToken := req.params.Get("refresh_token")
	if problem := cmp.Or(allow(client, oauth.GrantRefreshToken), checkRefreshTokenPresent(refreshToken)); problem != nil {
		return nil, problem
	}
	scope, problem := oauth.ParseScope(req.params.Get("scope"))
	if problem != nil {
		return nil, problem
	}
	now := s.Kit.Time(r)
	outcome, err := s.Tokens.Refresh(r.Context(), tokens.RefreshRequest{
		Token: refreshToken, Client: &client.ID, Scope: scope, Origin: s.origin(r), Now: now,
	})
	if err != nil {
		return nil, err
	}
	view.SetRefreshHeaders(w.Header(), outcome, nil)
	response := s.respond(w, r, outcome.Issued, client, outcome.Scope)
	response.IDToken, err = s.refreshedIDToken(outcome, now)
	return response, err
}

// refreshedIDToken mints the ID token of a refresh, which tells of the same
// login as the first one and has no nonce (OpenID Connect Core §12.2). A project
// that has lost its asymmetric key still refreshes.
func (s *Server) refreshedIDToken(outcome *tokens.Refreshed, now time.Time) (string, error) {
	scope, problem := oauth.ParseScope(outcome.Scope)
	if problem != nil || !scope.Has(oauth.ScopeOpenID) || !s.Tokens.CanSignIDTokens() {
		return "", nil
	}
	return s.Tokens.IDToken(tokens.IDTokenRequest{
		User: outcome.User, Grant: tokens.Grant{ClientID: *outcome.Session.OAuthClientID, Scope: outcome.Scope},
		Authentication: knownAuthentication(outcome.Session.Authentication, outcome.User, outcome.Session.CreatedAt),
		AccessToken:    outcome.AccessToken, SessionID: outcome.SessionID.String(), Now: now,
	})
}

func checkRefreshTokenPresent(token string) *oauth.Error {
	if token == "" {
		return oauth.InvalidRequest("refresh_token is required for refresh_token grant")
	}
	return nil
}
