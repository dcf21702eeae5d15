package oauthserver

import (
	"cmp"
	"net/http"

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
	outcome, err := s.Tokens.Refresh(r.Context(), tokens.RefreshRequest{
		Token: refreshToken, Client: &client.ID, Origin: s.origin(r), Now: s.Kit.Time(r),
	})
	if err != nil {
		return nil, err
	}
	view.SetRefreshHeaders(w.Header(), outcome, nil)
	return s.respond(w, r, outcome.Issued, client, outcome.Session.Scopes), nil
}

func checkRefreshTokenPresent(token string) *oauth.Error {
	if token == "" {
		return oauth.InvalidRequest("refresh_token is required for refresh_token grant")
	}
	return nil
}
