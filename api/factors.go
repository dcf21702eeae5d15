package api

import (
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/ratelimit"
)

// factors are the routes of second factors.
type factors struct {
	*Server
	party  *mfa.RelyingParty
	phones texts
}

func newFactors(s *Server) *factors {
	return &factors{Server: s, party: mfa.NewRelyingParty(s.Config.WebAuthn), phones: newTexts(s, s.Config.MFA.Phone.Template)}
}

// factorRoutes registers the routes of second factors. They are for the user's
// own apps: an OAuth client must not give itself a way in.
func (s *Server) factorRoutes(r chi.Router) {
	f := s.factors
	f.recoveryRoutes(r)
	s.both(r, http.MethodPost, "/factors", f.guard(f.enroll))
	s.both(r, http.MethodDelete, "/factors/{factor_id}", f.guard(f.onFactor(f.unenroll)))
	r.Post("/factors/{factor_id}/challenge",
		s.limit(s.limits.factorChallenge, f.guard(f.onFactor(f.challenge))))
	r.Post("/factors/{factor_id}/verify",
		s.limit(s.limits.factorVerify, f.guard(f.onFactor(f.verify))))
}

// factorLimit is the bucket of challenges, or of verifications.
func factorLimit(perMinute float64) ratelimit.Limiter {
	return ratelimit.NewTokenBucket(perMinute, time.Minute, burst)
}

// guard lets in users of the project's own apps who are not anonymous and have
// a session.
func (f *factors) guard(h web.UserHandler) http.HandlerFunc {
	return f.kit.FirstParty(func(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
		if caller.Claims.IsAnonymous {
			return apierror.New(http.StatusForbidden, apierror.NoAuthorization,
				"Anonymous user not allowed to perform these actions")
		}
		if caller.Session == nil {
			return errFactorNeedsSession(r)
		}
		return h(w, r, caller)
	})
}

// errFactorNeedsSession answers tokens without a session, which no login of
// the server makes.
func errFactorNeedsSession(r *http.Request) error {
	sentence := "A valid session and a registered user are required to enroll a factor"
	if r.Method == http.MethodDelete {
		sentence = "A valid session and factor are required to unenroll a factor"
	}
	return apierror.Failure(sentence, nil)
}

// factorHandler is a route about one factor of the caller.
type factorHandler func(w http.ResponseWriter, r *http.Request, caller *web.Caller, factor *models.Factor) error

// onFactor finds the factor that the path names among those of the caller, who
// came with the bearer token.
func (f *factors) onFactor(h factorHandler) web.UserHandler {
	return func(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
		id, err := uuid.FromString(chi.URLParam(r, "factor_id"))
		if err != nil {
			return apierror.New(http.StatusNotFound, apierror.ValidationFailed, "factor_id must be an UUID")
		}
		for i := range caller.Factors {
			if caller.Factors[i].ID == id {
				return h(w, r, caller, &caller.Factors[i])
			}
		}
		return errFactorNotFound()
	}
}

// trail is the audit trail of an action about a factor.
func (f *factors) trail(r *http.Request, caller *web.Caller, action models.AuditAction, traits map[string]any) models.AuditTrail {
	return f.audit.By(&caller.User, action, traits).From(f.clientIP.Of(r))
}
