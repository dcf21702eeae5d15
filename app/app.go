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
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/api"
	"github.com/truegrant/truegrant/api/oauthserver"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/indexer"
	"github.com/truegrant/truegrant/janitor"
	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/listing"
	"github.com/truegrant/truegrant/mailer"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/ratelimit"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// App is the whole server without its listener.
type App struct {
	// Handler answers requests.
	Handler http.Handler
	// DB is the pool; close it with Close.
	DB *storage.DB
	// Janitor sweeps when run.
	Janitor *janitor.Janitor
	// Indexer builds optional indexes when run; it may be nil.
	Indexer *indexer.Worker
	// Lists knows the long lists of the admin API.
	Lists *listing.Surveyor

	rates *ratelimit.Store
}

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
}

// New wires an App. All problems of the configuration that only the parts can
// judge are reported at once.
func New(cfg *conf.Config, opts Options) (*App, error) {
	keySet, keysErr := keys.New(keys.Config{
		Secret: cfg.JWT.Secret, KeyID: cfg.JWT.KeyID, JWKs: cfg.JWT.Keys, ValidMethods: cfg.JWT.ValidMethods,
	})
	box, boxErr := newBox(cfg.Security.DBEncryption, opts.Random)
	mail, mailErr := newMailer(cfg, opts)
	rates, ratesErr := newRates(cfg, opts)
	db, dbErr := storage.Open(cfg.DB, storage.Options{ApplicationName: "truegrant", Tracer: opts.Tracer})
	if err := errors.Join(keysErr, boxErr, mailErr, ratesErr, dbErr); err != nil {
		return nil, err
	}
	configured, err := hooks.New(hooks.Config{
		Targets: hooks.Targets(cfg.Hook), Database: db, Now: opts.Now, Random: opts.Random,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("hooks: %w", err), db.Close())
	}

	service := tokens.New(tokens.Deps{
		DB: db, Keys: keySet, Box: box, Hook: newHook(configured), Random: opts.Random, Issuer: oauthserver.Issuer(cfg),
		Audit: models.Auditor{Disabled: cfg.AuditLog.DisablePostgres, Random: opts.Random},
	}, cfg.JWT, cfg.Sessions, cfg.Security)
	lists := listing.New(db, opts.Log, opts.Now)
	handler, err := api.New(api.Deps{
		Config: cfg, DB: db, Keys: keySet, Tokens: service, Box: box, Mailer: mail, Hooks: configured, Lists: lists, Rates: rates,
		Hasher: password.New(runtime.GOMAXPROCS(0), opts.Random),
		Log:    opts.Log, Now: opts.Now, Random: opts.Random, Version: opts.Version,
		Transport: opts.Transport,
	})
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &App{
		Handler: handler, DB: db, Lists: lists, rates: rates,
		Janitor: &janitor.Janitor{DB: db, Log: opts.Log, Now: opts.Now},
		Indexer: indexer.FromConf(cfg, opts.Log),
	}, nil
}

// Close ends the work in the background and closes connections.
func (a *App) Close() error {
	a.Lists.Close()
	return errors.Join(a.rates.Close(), a.DB.Close())
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

func newMailer(cfg *conf.Config, opts Options) (*mailer.Mailer, error) {
	host := ""
	if external, err := url.Parse(cfg.API.ExternalURL); err == nil {
		host = external.Hostname()
	}
	mail := mailer.FromConf(cfg.Mailer, cfg.SMTP, cfg.SiteURL, host)
	mail.Now, mail.Random, mail.Logger = opts.Now, opts.Random, opts.Log
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
