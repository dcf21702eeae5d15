package oauthserver

import (
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/tokens"
)

// GET and POST /oauth/userinfo (OpenID Connect Core §5.3) releases what the
// scopes of the token's session allow. The project's own tokens have no
// scopes and learn the subject only.
func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) error {
	token, ok := web.BearerToken(r)
	if !ok {
		return s.challenge(w, nil)
	}
	principal, err := s.Tokens.Authenticate(r.Context(), token, s.Kit.Time(r))
	if err != nil {
		return s.challenge(w, err)
	}
	if principal.OAuthClient() {
		observability.EventFrom(r.Context()).Set("client_id", *principal.Session.OAuthClientID)
	}
	claims, err := tokens.StandardClaims(&principal.User, principal.Scope())
	if err != nil {
		return fmt.Errorf("claims: %w", err)
	}
	return web.JSON(w, http.StatusOK, claims)
}

// challenge refuses a bearer token (RFC 6750 §3). A request without one gets
// no error code.
func (s *Server) challenge(w http.ResponseWriter, cause error) error {
	if cause == nil {
		w.Header().Set("WWW-Authenticate", "Bearer")
		return web.JSON(w, http.StatusUnauthorized, errorBody{oauth.CodeInvalidToken, "This endpoint requires a valid Bearer token"})
	}
	if !tokens.IsRefusal(cause) {
		return cause
	}
	problem := oauth.InvalidToken("The access token is invalid, expired or revoked")
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token", error_description="`+problem.Description+`"`)
	return web.JSON(w, http.StatusUnauthorized, errorBody{problem.Code, problem.Description})
}
