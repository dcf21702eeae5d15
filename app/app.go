// Package app wires the configured parts into one server, for the command
// line and for tests alike.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/janitor"
	"github.com/truegrant/truegrant/listing"
	"github.com/truegrant/truegrant/mailer"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/ratelimit"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// App is the whole server without its listener.
type App struct {
	// Handler answers requests, each by the configuration that is in force when
	// it arrives.
	Handler http.Handler
	// DB is the pool; close it with Close.
	DB *storage.DB
	// Janitor sweeps when run.
	Janitor *janitor.Janitor
	// Lists knows the long lists of the admin API.
	Lists *listing.Surveyor

	rates    *ratelimit.Store
	opts     Options
	hasher   *password.Hasher
	current  atomic.Pointer[generation]
	reload   sync.Mutex
	reloaded chan struct{}
}

// drainTimeout is how long Close waits for mails that are still to be sent.
const drainTimeout = 30 * time.Second

// Options are what does not come from the configuration.
type Options struct {
	Log     logrus.FieldLogger
	Now     func() time.Time
	Random  io.Reader
	Version string
	// Tracer sees every statement; nil traces nothing.
	Tracer pgx.QueryTracer
	// Transport carries what is asked of services elsewhere; nil means one of
	// each service's own, which honours HTTPS_PROXY.
	Transport http.RoundTripper
	// Telemetry measures what happens; nil measures nothing.
	Telemetry *observability.Telemetry
}

// New wires an App. All problems of the configuration that only the parts can
// judge are reported at once.
func New(cfg *conf.Config, opts Options) (*App, error) {
	rates, ratesErr := newRates(cfg, opts)
	db, err := storage.Open(cfg.DB, storage.Options{ApplicationName: "truegrant", Tracer: opts.Tracer})
	if err != nil {
		_, problems := newParts(cfg, opts, nil)
		return nil, errors.Join(err, ratesErr, problems)
	}
	a := &App{
		DB: db, Janitor: &janitor.Janitor{DB: db, Log: opts.Log, Now: opts.Now},
		Lists: listing.New(db, opts.Log, opts.Now), rates: rates,
		opts: opts, hasher: password.New(runtime.GOMAXPROCS(0), opts.Random), reloaded: make(chan struct{}, 1),
	}
	a.Janitor.CleanUp = a.cleanUp
	first, err := a.build(cfg, nil)
	if err = errors.Join(ratesErr, err); err == nil {
		err = opts.Telemetry.WatchPool(db.Stats)
	}
	if err != nil {
		return nil, errors.Join(err, a.closeConnections())
	}
	a.current.Store(first)
	a.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.current.Load().server.ServeHTTP(w, r)
	})
	return a, nil
}

// cleanUp is what the configuration in force wants removed.
func (a *App) cleanUp() *models.CleanUp {
	cfg := a.current.Load().config
	if !cfg.DB.CleanupEnabled {
		return nil
	}
	return &models.CleanUp{
		AnonymousUsers: cfg.External.AnonymousUsersEnabled,
		Timebox:        cfg.Sessions.Timebox, Inactivity: cfg.Sessions.InactivityTimeout,
		GrantTimebox: cfg.OAuthServer.SessionTimebox, GrantInactivity: cfg.OAuthServer.SessionInactivityTimeout,
	}
}

// Close sends the mails that wait in the background, if it can, and closes the
// database connections. No request may be under way.
func (a *App) Close() error {
	drain(context.Background(), a.current.Load().mail)
	return a.closeConnections()
}

func (a *App) closeConnections() error {
	a.Lists.Close()
	return errors.Join(a.rates.Close(), a.DB.Close())
}

// drain sends what waits in the background of a mailer that gets no more of it.
func drain(ctx context.Context, mail *mailer.Mailer) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	mail.Close(ctx)
}

func newBox(cfg conf.DBEncryption, random io.Reader) (*secret.Box, error) {
	return secret.NewBox(secret.BoxConfig{
		Encrypt: cfg.Encrypt, KeyID: cfg.EncryptionKeyID, Key: cfg.EncryptionKey, DecryptionKeys: cfg.DecryptionKeys,
	}, random)
}

// newRates returns the store that replicas count in, nil if none is configured.
// Its keys depend on the project's secrets, which all of its replicas know.
func newRates(cfg *conf.Config, opts Options) (*ratelimit.Store, error) {
	if cfg.RateLimit.StoreURL == "" {
		return nil, nil //nolint:nilnil // nil is the store that shares nothing
	}
	store, err := ratelimit.NewStore(ratelimit.StoreConfig{
		URL: cfg.RateLimit.StoreURL, Timeout: cfg.RateLimit.StoreTimeout, Log: opts.Log, Now: opts.Now,
		Secret: cfg.API.ExternalURL + "\n" + cfg.JWT.Secret + "\n" + cfg.JWT.Keys,
	})
	if err != nil {
		return nil, fmt.Errorf("GOTRUE_RATE_LIMIT_STORE_URL: %w", err)
	}
	return store, nil
}

func newMailer(cfg *conf.Config, opts Options, previous *mailer.Mailer) (*mailer.Mailer, error) {
	host := ""
	if external, err := url.Parse(cfg.API.ExternalURL); err == nil {
		host = external.Hostname()
	}
	if cfg.SMTP.Host == "" && !cfg.Hook.SendEmail.Enabled {
		opts.Log.Info("no mail server is configured, so mails are dropped")
	}
	mail := mailer.FromConf(cfg.Mailer, cfg.SMTP, cfg.SiteURL, host)
	mail.Now, mail.Random, mail.Logger, mail.Previous = opts.Now, opts.Random, opts.Log, previous
	return mailer.New(mail)
}

// newHook returns the access token hook, nil when none is configured.
func newHook(configured *hooks.Hooks) tokens.Hook {
	if !configured.Enabled(hooks.PointCustomAccessToken) {
		return nil
	}
	return accessTokenHook{configured}
}

// accessTokenHook lets package tokens call package hooks, which does not know
// it.
type accessTokenHook struct{ hooks *hooks.Hooks }

// CustomAccessToken implements tokens.Hook.
func (h accessTokenHook) CustomAccessToken(ctx context.Context, in tokens.HookInput) (map[string]any, error) {
	input := hooks.AccessTokenInput{
		UserID: in.UserID, Claims: in.Claims, AuthenticationMethod: in.AuthenticationMethod, IPAddress: in.IPAddress,
	}
	if in.OAuth != nil {
		input.OAuth = &hooks.OAuthContext{
			ClientID: in.OAuth.ClientID.String(), Scopes: in.OAuth.Scopes(), GrantType: in.OAuth.Type,
		}
		if in.OAuth.Resource != "" {
			input.OAuth.Resource = []string{in.OAuth.Resource}
		}
	}
	return h.hooks.CustomAccessToken(ctx, input)
}
