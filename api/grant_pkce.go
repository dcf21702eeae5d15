package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/view"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// challengePair are the parameters that ask for the PKCE flow, in the body of
// every request that sends a mail.
type challengePair struct {
	CodeChallenge       string `json:"code_challenge"`
	CodeChallengeMethod string `json:"code_challenge_method"`
}

// parse returns nil when the request does not ask for the flow.
func (p challengePair) parse() (*flow.Challenge, error) {
	challenge, err := flow.ParseChallenge(p.CodeChallenge, p.CodeChallengeMethod)
	if err != nil {
		return nil, apierror.Validation(err.Error())
	}
	return challenge, nil
}

type pkceGrant struct {
	AuthCode     string `json:"auth_code"`
	CodeVerifier string `json:"code_verifier"`
}

// pkceSession is a session with what an external provider gave, if one did.
type pkceSession struct {
	view.Session
	ProviderToken        string `json:"provider_token,omitempty"`
	ProviderRefreshToken string `json:"provider_refresh_token,omitempty"`
}

// grantPKCE gives the app that began a flow its session.
func (s *Server) grantPKCE(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[pkceGrant](r)
	if err != nil {
		return err
	}
	if in.AuthCode == "" || in.CodeVerifier == "" {
		return apierror.Validation("invalid request: both auth code and code verifier should be non-empty")
	}
	exchange, err := s.findExchange(r, in)
	if err != nil {
		return err
	}

	now, user, state := s.kit.Time(r), &exchange.User, exchange.Flow
	draft, err := s.Tokens.Draft(r.Context(), tokens.SignIn{
		User: user, Method: state.AuthenticationMethod, Origin: s.origin(r), Now: now,
	})
	if err != nil {
		return err
	}
	trail := s.audit.By(user, models.AuditLogin, map[string]any{"provider_type": state.ProviderType})
	redeemed, err := models.RedeemFlow(s.DB.Conn(r.Context()), state, draft.Session, trail, now)
	if err != nil {
		return fmt.Errorf("redeem flow: %w", err)
	}
	if !redeemed { // another request was faster
		return errNoFlow()
	}
	user.LastSignInAt, user.UpdatedAt = &now, now
	view.SetIssuedHeaders(w.Header(), draft.Issued)
	return web.JSON(w, http.StatusOK, pkceSession{
		Session:       view.NewSession(draft.Issued, user, now),
		ProviderToken: state.ProviderAccessToken, ProviderRefreshToken: state.ProviderRefreshToken,
	})
}

// findExchange finds the flow of a code and judges whether the caller may end
// it.
func (s *Server) findExchange(r *http.Request, in *pkceGrant) (*models.FlowExchange, error) {
	now := s.kit.Time(r)
	exchange, err := models.FindFlowExchange(s.DB.Conn(r.Context()), in.AuthCode)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, errNoFlow()
	}
	if err != nil {
		return nil, fmt.Errorf("find flow: %w", err)
	}
	err = flow.CheckExchange(exchange.Flow, in.CodeVerifier, s.Config.External.FlowStateExpiryDuration, now)
	switch {
	case errors.Is(err, flow.ErrExpired):
		return nil, apierror.New(http.StatusUnprocessableEntity, apierror.FlowStateExpired, "invalid flow state, flow state has expired")
	case errors.Is(err, flow.ErrVerifier):
		return nil, apierror.New(http.StatusBadRequest, apierror.BadCodeVerifier, err.Error())
	case exchange.Banned(now): // only whoever holds code and verifier learns this
		return nil, apierror.New(http.StatusBadRequest, apierror.UserBanned, "User is banned")
	}
	return exchange, err
}

func errNoFlow() error {
	return apierror.New(http.StatusNotFound, apierror.FlowStateNotFound, "invalid flow state, no valid flow state found")
}
