package oauthserver

import (
	"io"
	"net/http"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/redirects"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// AuthorizePath is where browsers arrive (RFC 6749 §3.1).
const AuthorizePath = "/oauth/authorize"

// Deps are the parts that the server is wired from.
type Deps struct {
	Config    *conf.Config
	DB        *storage.DB
	Kit       *web.Kit
	Keys      *keys.Set
	Tokens    *tokens.Service
	Redirects *redirects.AllowList
	ClientIP  web.ClientIP
	IDs       models.IDs
	Audit     models.Auditor
	Random    io.Reader
	// RegisterLimit counts dynamic registrations by client address.
	RegisterLimit web.Limiter
}

// Server answers the OAuth routes.
type Server struct {
	Deps
	cfg      conf.OAuthServer
	issuer   string
	metadata []byte
}

// Issuer is the issuer identifier of a project (RFC 8414 §2): the configured
// one, else the server's own address.
func Issuer(cfg *conf.Config) string {
	if cfg.JWT.Issuer != "" {
		return cfg.JWT.Issuer
	}
	return strings.TrimRight(cfg.API.ExternalURL, "/")
}

// New returns a Server.
func New(deps Deps) (*Server, error) {
	s := &Server{Deps: deps, cfg: deps.Config.OAuthServer, issuer: Issuer(deps.Config)}
	var err error
	s.metadata, err = s.renderMetadata()
	return s, err
}

// Routes registers what clients, consent pages and users call.
func (s *Server) Routes(r chi.Router) {
	kit := s.Kit
	r.Get("/.well-known/openid-configuration", kit.Open(s.discovery))
	r.Get("/.well-known/openid-configuration/*", kit.Open(s.discoveryAtPath))
	r.Get("/.well-known/oauth-authorization-server", kit.Open(s.enabled(s.discovery)))
	r.Get("/.well-known/oauth-authorization-server/*", kit.Open(s.enabled(s.discoveryAtPath)))

	r.Get(AuthorizePath, kit.Open(s.enabled(s.authorize)))
	r.Post(AuthorizePath, kit.Open(s.enabled(s.authorize)))
	r.Post("/oauth/token", kit.Open(s.enabled(s.token)))
	r.Post("/oauth/revoke", kit.Open(s.enabled(s.revoke)))
	r.Post("/oauth/introspect", kit.Open(s.enabled(s.introspect)))
	r.Get("/oauth/userinfo", kit.Open(s.enabled(s.userInfo)))
	r.Post("/oauth/userinfo", kit.Open(s.enabled(s.userInfo)))
	r.Post("/oauth/clients/register", kit.Open(s.enabled(s.register)))
	r.Get("/oauth/authorizations/{authorization_id}", kit.Open(s.enabled(s.firstParty(s.getAuthorization))))
	r.Post("/oauth/authorizations/{authorization_id}/consent", kit.Open(s.enabled(s.firstParty(s.decide))))
	r.Get("/user/oauth/grants", kit.FirstParty(s.enabledUser(s.listGrants)))
	r.Delete("/user/oauth/grants", kit.FirstParty(s.enabledUser(s.revokeGrant)))
}

// AdminRoutes registers the administration of clients, below /admin.
func (s *Server) AdminRoutes(r chi.Router) {
	kit := s.Kit
	r.Get("/oauth/clients", kit.Admin(s.enabledAdmin(s.listClients)))
	r.Post("/oauth/clients", kit.Admin(s.enabledAdmin(s.createClient)))
	r.Get("/oauth/clients/{client_id}", kit.Admin(s.enabledAdmin(s.getClient)))
	r.Put("/oauth/clients/{client_id}", kit.Admin(s.enabledAdmin(s.updateClient)))
	r.Delete("/oauth/clients/{client_id}", kit.Admin(s.enabledAdmin(s.deleteClient)))
	r.Post("/oauth/clients/{client_id}/regenerate_secret", kit.Admin(s.enabledAdmin(s.regenerateSecret)))
}

// enabled refuses a request while the OAuth server is switched off, before
// anybody is authenticated.
func (s *Server) enabled(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !s.cfg.Enabled {
			return errDisabled()
		}
		return next(w, r)
	}
}

// enabledUser is enabled for routes that authenticate first.
func (s *Server) enabledUser(next web.UserHandler) web.UserHandler {
	return func(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
		if !s.cfg.Enabled {
			return errDisabled()
		}
		return next(w, r, caller)
	}
}

// enabledAdmin is enabled for routes that authenticate first.
func (s *Server) enabledAdmin(next web.AdminHandler) web.AdminHandler {
	return func(w http.ResponseWriter, r *http.Request, admin *web.Admin) error {
		if !s.cfg.Enabled {
			return errDisabled()
		}
		return next(w, r, admin)
	}
}

// firstParty authenticates the user's own app.
func (s *Server) firstParty(next web.UserHandler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		s.Kit.FirstParty(next)(w, r)
		return nil
	}
}

func errDisabled() error {
	return apierror.New(http.StatusNotFound, apierror.FeatureDisabled, "OAuth server is disabled")
}

// origin is where a request came from, for the session it starts or refreshes.
func (s *Server) origin(r *http.Request) tokens.Origin {
	return tokens.Origin{UserAgent: r.UserAgent(), IP: s.ClientIP.Of(r)}
}
