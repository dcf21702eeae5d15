package apitest

import (
	"crypto/rand"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/app"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/storage/dbtest"
)

// What every server of this package is configured with.
const (
	SiteURL     = "https://app.test"
	ExternalURL = "https://auth.test"
	Issuer      = "https://auth.test"
	ConsentPath = "/oauth/consent"
	JWTSecret   = "a-secret-of-tests-that-is-long-enough"
)

// App is a server under test. Do and the other methods may be called from any
// goroutine, but only that of the test may be failed by them.
type App struct {
	// Server is what app.New wired.
	Server *app.App
	// Config is the configuration it was wired from.
	Config *conf.Config
	// Keys are the keys of Config, for tokens that a test makes by itself.
	Keys *keys.Set
	// Clock is the server's; replicas share it.
	Clock *Clock
	// Log is what the server logged; replicas share it.
	Log *Log

	t          testing.TB
	secrets    *secrets // what Log must not repeat; replicas share them
	statements *observability.StatementCounter
	transport  http.RoundTripper // see Via
	db         *storage.DB       // the test's own connections, not counted
}

// New starts a server on a new database. Options change the configuration.
func New(t testing.TB, options ...func(*conf.Config)) *App {
	t.Helper()
	url := dbtest.New(t)
	cfg := Config(t, url)
	for _, option := range options {
		option(cfg)
	}
	a := &App{Config: cfg, Clock: new(Clock), Log: new(Log), secrets: new(secrets), t: t, db: open(t, url)}
	t.Cleanup(a.checkLog)
	a.start()
	return a
}

// Config returns the configuration that New starts from: GoTrue's defaults,
// an ES256 signing key beside the secret of the API keys, autoconfirm, and the
// OAuth server with dynamic registration.
func Config(t testing.TB, databaseURL string) *conf.Config {
	t.Helper()
	signing, err := keys.Generate("ES256", rand.Reader)
	require.NoError(t, err)
	cfg := conf.Default()
	cfg.SiteURL, cfg.API.ExternalURL = SiteURL, ExternalURL
	cfg.API.MaxRequestDuration = time.Minute // a busy machine must not fail a test
	cfg.DB.Driver, cfg.DB.URL = "postgres", databaseURL
	cfg.JWT.Secret, cfg.JWT.Issuer = JWTSecret, Issuer
	cfg.JWT.Keys, cfg.JWT.ValidMethods = "["+string(signing)+"]", []string{"ES256", "HS256"}
	cfg.JWT.Aud, cfg.JWT.DefaultGroupName = "authenticated", "authenticated"
	cfg.Mailer.Autoconfirm = true
	cfg.OAuthServer.Enabled, cfg.OAuthServer.AllowDynamicRegistration = true, true
	cfg.OAuthServer.AuthorizationPath = ConsentPath
	return cfg
}

// Replica starts a second server with the same configuration on the same
// database.
func (a *App) Replica(t testing.TB) *App {
	t.Helper()
	replica := *a
	replica.t = t
	replica.start()
	return &replica
}

// For returns the same server for a subtest, which its failures then end.
func (a *App) For(t testing.TB) *App {
	sub := *a
	sub.t = t
	return &sub
}

// URL serves the App on a port of the loopback interface until the test ends.
func (a *App) URL(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(a.Server.Handler)
	t.Cleanup(server.Close)
	return server.URL
}

// start wires the server; it stops when the test ends.
func (a *App) start() {
	a.t.Helper()
	a.statements = new(observability.StatementCounter)
	log := logrus.New()
	log.SetOutput(a.Log)
	log.SetFormatter(new(logrus.JSONFormatter))
	var err error
	a.Server, err = app.New(a.Config, app.Options{
		Log: log, Now: a.Clock.Now, Random: io.Reader(rand.Reader), Version: "test", Tracer: a.statements,
		Transport: a.transport,
	})
	require.NoError(a.t, err)
	a.t.Cleanup(func() { require.NoError(a.t, a.Server.Close()) })
	a.Keys, err = keys.New(keys.Config{
		Secret: a.Config.JWT.Secret, KeyID: a.Config.JWT.KeyID, JWKs: a.Config.JWT.Keys,
		ValidMethods: a.Config.JWT.ValidMethods,
	})
	require.NoError(a.t, err)
}

// checkLog fails the test when the log repeats a secret that went to or from
// the server, or that the server has stored. It runs once all replicas stopped.
func (a *App) checkLog() {
	a.t.Helper()
	if a.t.Failed() {
		return
	}
	for _, letter := range sink(a.Config).All() {
		a.secrets.rememberLetter(letter)
	}
	a.rememberStored(a.t)
	require.Empty(a.t, a.secrets.leaks(a.Log), "the log repeats secrets")
}

// open connects the test itself to the database.
func open(t testing.TB, url string) *storage.DB {
	t.Helper()
	cfg := conf.DB{URL: url, Namespace: "auth", MaxPoolSize: 2, StatementCacheEnabled: true}
	db, err := storage.Open(cfg, storage.Options{ApplicationName: "apitest"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
