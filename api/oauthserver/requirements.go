package oauthserver

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
)

// codeLoginRequired: the login does not suffice for a request.
const codeLoginRequired apierror.Code = "oauth_login_required"

// loginRequest is what a stored request asks of the login.
func loginRequest(a *models.OAuthAuthorization) (oauth.LoginRequest, error) {
	var asked oauth.LoginRequest
	if len(a.LoginRequest) > 0 {
		if err := json.Unmarshal(a.LoginRequest, &asked); err != nil {
			return asked, fmt.Errorf("read login request: %w", err)
		}
	}
	return asked, nil
}

// missing is what the caller's login lacks for a request.
func (s *Server) missing(asked oauth.LoginRequest, a *models.OAuthAuthorization, caller *web.Caller, now time.Time) []string {
	proof := authenticationOf(caller, now)
	return asked.Missing(oauth.Login{Time: proof.Time, ACR: proof.ACR, CanStepUp: caller.HasVerifiedFactor()}, a.CreatedAt)
}

// checkLogin refuses an approval in a session that does not suffice. The
// consent page knows beforehand, by the requirements it is shown.
func checkLogin(missing []string) error {
	switch {
	case len(missing) == 0:
		return nil
	case missing[0] == oauth.RequireLogin:
		return apierror.New(http.StatusForbidden, codeLoginRequired, "The client asks for a new login: sign in again and come back")
	}
	return apierror.New(http.StatusForbidden, apierror.InsufficientAAL, "The client asks for "+strings.Join(missing, ", ")+
		": verify a second factor and come back")
}

// authenticationOf tells how and when the user proved who they are: by the
// newest of the session's methods (OpenID Connect Core §2).
func authenticationOf(caller *web.Caller, now time.Time) models.Authentication {
	proof := models.Authentication{Time: now, ACR: models.AAL1}
	if caller.LastSignInAt != nil {
		proof.Time = *caller.LastSignInAt
	}
	var methods []string
	if caller.Session != nil {
		proof.Time = caller.Session.CreatedAt
		for _, claim := range caller.Session.AMR {
			methods = append(methods, claim.Method)
		}
		if len(methods) > 0 {
			proof.Time = time.Unix(caller.Session.AMR[0].Timestamp, 0)
		}
		proof.ACR = caller.Session.AAL
	}
	proof.AMR = oauth.MethodReferences(methods, proof.ACR == models.AAL2)
	return proof
}
