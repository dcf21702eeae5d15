package oauthserver

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// methodOAuth is the amr method of a client's session.
const methodOAuth = "oauth_provider/authorization_code"

// grantCode redeems an authorization code (RFC 6749 §4.1.3): client and code
// are read, then the user; the tokens are minted; the code is spent and the
// session written by one conditional statement.
func (s *Server) grantCode(w http.ResponseWriter, r *http.Request, req *tokenRequest) (*tokenResponse, error) {
	code := req.params.Get("code")
	digest := secret.Digest(code)
	exchange, err := models.FindCodeExchange(s.DB.Conn(r.Context()), req.clientID, digest)
	if err != nil {
		return nil, clientProblem(err)
	}
	client := &exchange.Client
	now := s.Kit.Time(r)
	problem := cmp.Or(req.authenticate(client), allow(client, oauth.GrantAuthorizationCode), checkCodePresent(code))
	if problem != nil {
		return nil, problem
	}
	if exchange.Spent != nil {
		return nil, s.refuseSpent(r, client, exchange.Spent)
	}
	if problem := checkCode(exchange.Authorization, req, now); problem != nil {
		return nil, problem
	}

	user, err := s.codeUser(r, exchange.Authorization, now)
	if err != nil {
		return nil, err
	}
	grant := tokens.Grant{
		ClientID: client.ID, Scope: exchange.Authorization.Scope,
		Type: oauth.GrantAuthorizationCode, Resource: exchange.Authorization.Resource,
	}
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{
		User: user, Method: methodOAuth, Origin: s.origin(r), OAuth: &grant, Now: now,
	})
	if err != nil {
		return nil, err
	}
	idToken, err := s.idToken(exchange.Authorization, user, draft, grant, now)
	if err != nil {
		return nil, err
	}
	if err := s.redeem(r, exchange.Authorization, digest, draft, user); err != nil {
		return nil, err
	}
	response := s.respond(w, r, draft.Issued, client, grant.Scope)
	response.IDToken = idToken
	return response, nil
}

func checkCodePresent(code string) *oauth.Error {
	if code == "" {
		return oauth.InvalidRequest("code is required for authorization_code grant")
	}
	return nil
}

// checkCode says whether a code may be redeemed by this request. A request
// that fails here leaves the code as it is: only its holder's proof spends it.
func checkCode(a *models.OAuthAuthorization, req *tokenRequest, now time.Time) *oauth.Error {
	switch {
	case a == nil:
		return oauth.InvalidGrant("Invalid authorization code")
	case a.ClientID != req.clientID: // RFC 6749 §5.2
		return oauth.InvalidGrant("Authorization code was not issued for this client")
	case !now.Before(a.ExpiresAt): // RFC 6749 §4.1.2
		return oauth.InvalidGrant("Authorization code has expired")
	}
	return cmp.Or(
		checkTokenResource(a, req.params),    // RFC 8707 §2.2
		checkTokenRedirectURI(a, req.params), // RFC 6749 §4.1.3
		oauth.CheckProof(a.CodeChallengeMethod, a.CodeChallenge, req.params.Get("code_verifier")), // RFC 7636 §4.6
	)
}

// checkTokenResource lets a token request repeat the resource of the grant.
func checkTokenResource(a *models.OAuthAuthorization, p oauth.Params) *oauth.Error {
	for _, resource := range p.All("resource") {
		if resource != a.Resource {
			return oauth.InvalidTarget("Authorization code resource does not match the resource parameter")
		}
	}
	return nil
}

// checkTokenRedirectURI compares the redirect URI when the request repeats it.
// OAuth 2.1 §10.2 no longer asks clients to: PKCE binds the code better.
func checkTokenRedirectURI(a *models.OAuthAuthorization, p oauth.Params) *oauth.Error {
	if given := p.Get("redirect_uri"); given != "" && given != a.RedirectURI {
		return oauth.InvalidGrant("Invalid redirect_uri")
	}
	return nil
}

// codeUser is the user who approved the request, if that user may still get
// tokens.
func (s *Server) codeUser(r *http.Request, a *models.OAuthAuthorization, now time.Time) (*models.User, error) {
	if a.UserID == nil {
		return nil, oauth.InvalidGrant("Authorization code has no associated user")
	}
	user, err := models.FindUser(s.DB.Conn(r.Context()), *a.UserID)
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && user.DeletedAt != nil:
		return nil, oauth.InvalidGrant("User not found for authorization code")
	case err != nil:
		return nil, fmt.Errorf("find user: %w", err)
	case user.Banned(now):
		return nil, oauth.InvalidGrant("User is banned")
	}
	return user, nil
}

// idToken mints the ID token that the scope openid asks for (OpenID Connect
// Core §3.1.3.3).
func (s *Server) idToken(a *models.OAuthAuthorization, user *models.User, draft *tokens.Draft, grant tokens.Grant, now time.Time) (string, error) {
	scope, problem := oauth.ParseScope(grant.Scope)
	if problem != nil {
		return "", problem
	}
	if !scope.Has(oauth.ScopeOpenID) {
		return "", nil
	}
	return s.Tokens.IDToken(tokens.IDTokenRequest{
		User: user, Grant: grant, Authentication: knownAuthentication(a.Authentication, user, now), Nonce: a.Nonce,
		AccessToken: draft.Issued.AccessToken, SessionID: draft.Issued.SessionID.String(), Now: now,
	})
}

// knownAuthentication is how the user had authenticated, or the little that is
// known of a grant that GoTrue or an earlier release approved.
func knownAuthentication(kept *models.Authentication, user *models.User, granted time.Time) models.Authentication {
	switch {
	case kept != nil:
		return *kept
	case user.LastSignInAt != nil && user.LastSignInAt.Before(granted):
		return models.Authentication{Time: *user.LastSignInAt}
	}
	return models.Authentication{Time: granted}
}

// redeem spends the code.
func (s *Server) redeem(r *http.Request, a *models.OAuthAuthorization, digest string, draft *tokens.Draft, user *models.User) error {
	trail := s.Audit.By(user, models.AuditLogin, map[string]any{
		"provider_type": "oauth_provider_authorization_code", "client_id": a.ClientID.String(),
	})
	redeemed, err := models.RedeemCode(s.DB.Conn(r.Context()), a, digest, draft.Session, trail, s.Kit.Time(r))
	if err != nil {
		return fmt.Errorf("redeem code: %w", err)
	}
	if !redeemed {
		return errSpent()
	}
	return nil
}

// refuseSpent answers a code that was redeemed before. A request that was
// already under way at that time has only lost a race, as a client that sends
// its request twice does. One that came later is a replay: somebody else may
// hold the code, so what it brought is taken back (RFC 6749 §4.1.2, RFC 9700
// §4.2). Only the client of the code can cause that.
func (s *Server) refuseSpent(r *http.Request, client *models.OAuthClient, spent *models.SpentCode) error {
	if spent.ClientID == client.ID && spent.RedeemedBefore(s.Kit.Waited(r)) {
		if err := models.DeleteSession(s.DB.Conn(r.Context()), spent.SessionID); err != nil {
			return fmt.Errorf("end replayed grant: %w", err)
		}
		observability.EventFrom(r.Context()).Set("code_replayed", true)
	}
	return errSpent()
}

func errSpent() error { return oauth.InvalidGrant("Invalid authorization code") }

// clientProblem maps a failed look-up of the client.
func clientProblem(err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return oauth.InvalidClient("Invalid client credentials")
	}
	return fmt.Errorf("find client: %w", err)
}
