package api

import (
	"net/http"
	"slices"
	"sync"

	"github.com/go-chi/chi/v5"
	"github.com/rs/cors"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/oauthserver"
	"github.com/truegrant/truegrant/api/openapi"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/observability"
)

// routes is the table of who may call what.
func (s *Server) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(web.Observe(web.Observer{Log: s.Log, Now: s.Now, NewID: s.requestID, Telemetry: s.Telemetry}),
		web.Recover(s.failPanic), web.LimitBody, web.Harden,
		web.Deadline(s.Config.API.MaxRequestDuration))

	r.Use(s.cors)
	if s.audit.Disabled {
		r.Use(logAudit)
	}
	s.publicRoutes(r)
	s.userRoutes(r)
	s.factorRoutes(r)
	s.oauth.Routes(r)
	s.absentRoutes(r)
	r.Route("/scim/v2", s.scimRoutes)
	r.Route("/admin", func(r chi.Router) {
		s.admin.Routes(r)
		r.Post("/generate_link", s.kit.Admin(s.generateLink))
		s.oauth.AdminRoutes(r)
		// Whoever is no administrator does not learn what there is.
		r.NotFound(s.kit.Admin(func(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
			http.NotFound(w, r)
			return nil
		}))
	})
	return r
}

func (s *Server) publicRoutes(r chi.Router) {
	r.Get("/health", s.kit.Open(s.health))
	r.Get("/health/ready", s.kit.Open(s.ready))
	r.Get("/settings", s.kit.Open(s.getSettings))
	r.Get("/.well-known/jwks.json", s.kit.Open(s.jwks))
	r.Get(openapi.Path, s.kit.Open(openapi.Handler(openapi.About{URL: s.Config.API.ExternalURL, Version: s.Version})))
	s.both(r, http.MethodPost, "/signup", s.kit.Open(s.guarded(s.signUp))) // limited within, by kind of sign-up
	r.Post("/token", s.kit.Open(s.token))                                  // guarded and limited within, by grant
	s.both(r, http.MethodGet, "/verify", s.limit(s.limits.verify, s.kit.Open(s.verifyLink)))
	s.both(r, http.MethodPost, "/verify", s.limit(s.limits.verify, s.kit.Open(s.verifyCode)))
	r.Post("/otp", s.limit(s.limits.otp, s.kit.Open(s.guarded(s.otp))))
	r.Post("/magiclink", s.limit(s.limits.magicLink, s.kit.Open(s.guarded(s.magicLink))))
	r.Post("/recover", s.limit(s.limits.recover, s.kit.Open(s.guarded(s.recover))))
	r.Post("/invite", s.kit.Admin(s.invite))
	r.Post("/resend", s.limit(s.limits.resend, s.kit.Open(s.guarded(s.resend))))
}

func (s *Server) userRoutes(r chi.Router) {
	s.both(r, http.MethodGet, "/user", s.kit.User(s.getUser))
	s.both(r, http.MethodPut, "/user", s.limit(s.limits.user, s.kit.FirstParty(s.updateUser)))
	s.both(r, http.MethodGet, "/reauthenticate", s.kit.FirstParty(s.reauthenticate))
	r.Post("/logout", s.kit.FirstParty(s.logout))
	s.identityRoutes(r)
	// Below /user even an unknown path asks for a user first, as with GoTrue.
	r.HandleFunc("/user/*", s.kit.User(func(w http.ResponseWriter, r *http.Request, _ *web.Caller) error {
		http.NotFound(w, r)
		return nil
	}))
}

// both registers a path with and without a trailing slash.
func (*Server) both(r chi.Router, method, path string, h http.HandlerFunc) {
	r.Method(method, path, h)
	r.Method(method, path+"/", h)
}

// cors lets any origin call: callers prove themselves by tokens, not cookies.
// The authorization endpoint is visited by browsers and never called by
// scripts, so it is left out (RFC 9700 §2.6).
func (s *Server) cors(next http.Handler) http.Handler {
	shared := cors.New(cors.Options{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		AllowedHeaders: append([]string{
			"Accept", "Authorization", "Content-Type", "X-Client-IP", "X-Client-Info", "X-JWT-AUD", "x-use-cookie",
			"X-Supabase-Api-Version",
		}, s.Config.CORS.AllowedHeaders...),
		ExposedHeaders:   []string{"X-Total-Count", "Link", "X-Supabase-Api-Version"},
		AllowCredentials: true,
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == oauthserver.AuthorizePath {
			next.ServeHTTP(w, r)
			return
		}
		shared.ServeHTTP(w, r)
	})
}

// logAudit puts the audit trail of a request into its line of the log, for
// projects that keep it out of the database.
func logAudit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		event := observability.EventFrom(r.Context())
		var mu sync.Mutex
		var trail []models.AuditEvent
		ctx := models.WithAuditLog(r.Context(), func(one models.AuditEvent) {
			mu.Lock()
			defer mu.Unlock()
			trail = append(trail, one)
			event.Set("auth_audit_event", slices.Clone(trail))
		})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// failPanic answers a request whose handler panicked.
func (s *Server) failPanic(w http.ResponseWriter, r *http.Request) {
	(&apierror.Error{Status: http.StatusInternalServerError, Message: "Internal Server Error"}).
		Write(w, r, observability.EventFrom(r.Context()).RequestID)
}
