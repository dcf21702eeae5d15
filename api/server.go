package api

import (
	"io"
	"net/http"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/admin"
	"github.com/truegrant/truegrant/api/oauthserver"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/captcha"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/listing"
	"github.com/truegrant/truegrant/mailer"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/onetime"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/ratelimit"
	"github.com/truegrant/truegrant/redirects"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// Deps are the parts that the API is wired from.
type Deps struct {
	Config *conf.Config
	DB     *storage.DB
	Keys   *keys.Set
	Tokens *tokens.Service
	Hasher *password.Hasher
	Mailer *mailer.Mailer
	Box    *secret.Box
	Hooks  *hooks.Hooks
	Lists  *listing.Surveyor
	Log    logrus.FieldLogger
	// Rates counts for several replicas; nil means that each counts for itself.
	Rates *ratelimit.Store
	// Transport carries what is asked of services elsewhere, such as captcha
	// providers; nil means one of each service's own, which honours HTTPS_PROXY.
	Transport http.RoundTripper
	// Counters are those of the server that this one follows; nil means none.
	Counters *Counters
	// Telemetry measures what happens; it may be nil.
	Telemetry *observability.Telemetry
	// Now is the clock, Random the source of codes, secrets and ids.
	Now     func() time.Time
	Random  io.Reader
	Version string
}

// Server answers GoTrue's routes and the OAuth routes beside them.
type Server struct {
	Deps
	kit       *web.Kit
	ids       models.IDs
	audit     models.Auditor
	passwords password.Checker
	// captcha is nil when nobody has to prove to be a person.
	captcha   *captcha.Verifier
	addresses *accounts.Addresses
	redirects *redirects.AllowList
	onetime   *onetime.Service
	texts     codeTexts
	clientIP  web.ClientIP
	limits    *limits
	admin     *admin.Server
	oauth     *oauthserver.Server
	factors   *factors
	settings  []byte
	handler   http.Handler
}

// New wires the API. It fails when the configuration holds what only the
// parts can judge.
func New(deps Deps) (*Server, error) {
	cfg := deps.Config
	allowed, err := redirects.New(cfg.SiteURL, cfg.URIAllowList)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Deps:      deps,
		ids:       models.IDs{Random: deps.Random},
		audit:     models.Auditor{Disabled: cfg.AuditLog.DisablePostgres, Random: deps.Random},
		passwords: newPasswordChecker(cfg.Password, deps.Transport, deps.Log),
		addresses: accounts.NewAddresses(),
		redirects: allowed,
		clientIP:  web.ClientIP{TrustSBForwardedFor: cfg.Security.SBForwardedForEnabled},
	}
	if s.captcha, err = newCaptcha(cfg.Security.Captcha, deps.Transport); err != nil {
		return nil, err
	}
	s.kit = &web.Kit{Auth: deps.Tokens, Now: deps.Now, Fail: s.fail}
	s.limits = deps.Counters.under(cfg, deps.Now(), deps.Rates)
	s.texts = codeTexts{newTexts(s, cfg.SMS.Template)}
	s.onetime = onetime.New(onetime.Deps{
		DB: deps.DB, Random: deps.Random, Budget: s.limits.emails, TextBudget: s.limits.texts,
		Recipients: recipients{
			authorized: cfg.External.EmailAuthorizedAddresses,
			validator:  mailer.NewValidator(cfg.Mailer, nil, deps.Transport),
		},
		Mail:  newSender(deps),
		Texts: s.texts,
	}, cfg.Mailer, cfg.SMTP, cfg.SMS)
	s.admin = admin.New(admin.Deps{
		Config: cfg, DB: deps.DB, Kit: s.kit, Hasher: deps.Hasher, Box: deps.Box, IDs: s.ids, Audit: s.audit,
		Passwords: s.passwords, Addresses: s.addresses, Lists: deps.Lists,
	})
	s.oauth, err = oauthserver.New(oauthserver.Deps{
		Config: cfg, DB: deps.DB, Kit: s.kit, Keys: deps.Keys, Tokens: deps.Tokens, Redirects: allowed,
		ClientIP: s.clientIP, IDs: s.ids, Audit: s.audit, Random: deps.Random,
		RegisterLimit: s.limits.register,
	})
	if err != nil {
		return nil, err
	}
	s.factors = newFactors(s)
	if s.settings, err = renderSettings(cfg); err != nil {
		return nil, err
	}
	s.handler = s.routes()
	return s, nil
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// origin is where a request came from, for the session it starts or refreshes.
func (s *Server) origin(r *http.Request) tokens.Origin {
	return tokens.Origin{UserAgent: r.UserAgent(), IP: s.clientIP.Of(r)}
}

// requestID names a request in the log and in server errors.
func (s *Server) requestID(r *http.Request) string {
	if header := s.Config.API.RequestIDHeader; header != "" {
		return r.Header.Get(header)
	}
	return s.ids.New().String()
}

// audience is that of a request: the header's, else the configured one.
func (s *Server) audience(r *http.Request) string {
	if aud := r.Header.Get("X-JWT-AUD"); aud != "" {
		return aud
	}
	return s.Config.JWT.Aud
}
