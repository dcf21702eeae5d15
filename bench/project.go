package main

import (
	"crypto/rand"
	"fmt"
	"os"
	"strconv"

	"github.com/golang-jwt/jwt/v5"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

const (
	siteURL     = "http://127.0.0.1:3000"
	issuer      = "http://127.0.0.1:9999"
	audience    = "authenticated"
	redirectURI = "http://127.0.0.1:4000/callback"
	scope       = "openid email profile"
	userAgent   = "truegrant-bench"
	clientIP    = "127.0.0.1"
)

// project is the configuration of the server that is measured.
type project struct {
	databaseURL string
	secret      string
	signingKey  string
	pool        int
}

func newProject(databaseURL string, pool int) (*project, error) {
	signing, err := keys.Generate("ES256", rand.Reader)
	if err != nil {
		return nil, err
	}
	return &project{databaseURL: databaseURL, secret: rand.Text() + rand.Text(), signingKey: "[" + string(signing) + "]", pool: pool}, nil
}

// environment is that of the server process: the defaults, and nothing of the
// caller's own settings.
func (p *project) environment(port int) []string {
	kept := []string{}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GOMAXPROCS", "GODEBUG"} {
		if value, given := os.LookupEnv(name); given {
			kept = append(kept, name+"="+value)
		}
	}
	return append(kept,
		"DATABASE_URL="+p.databaseURL, "GOTRUE_DB_DRIVER=postgres",
		"GOTRUE_DB_MAX_POOL_SIZE="+strconv.Itoa(p.pool), "GOTRUE_DB_MAX_IDLE_POOL_SIZE="+strconv.Itoa(p.pool),
		"GOTRUE_API_HOST=127.0.0.1", "PORT="+strconv.Itoa(port),
		"API_EXTERNAL_URL="+issuer, "GOTRUE_SITE_URL="+siteURL, "GOTRUE_JWT_ISSUER="+issuer,
		"GOTRUE_JWT_SECRET="+p.secret, "GOTRUE_JWT_KEYS="+p.signingKey, "GOTRUE_JWT_AUD="+audience,
		"GOTRUE_JWT_DEFAULT_GROUP_NAME=authenticated", "GOTRUE_MAILER_AUTOCONFIRM=true",
		"GOTRUE_OAUTH_SERVER_ENABLED=true", "GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH=/oauth/consent",
	)
}

// config is the same for code that runs in this process.
func (p *project) config() *conf.Config {
	cfg := conf.Default()
	cfg.SiteURL, cfg.API.ExternalURL = siteURL, issuer
	cfg.DB.Driver, cfg.DB.URL, cfg.DB.MaxPoolSize = "postgres", p.databaseURL, p.pool
	cfg.JWT.Secret, cfg.JWT.Keys, cfg.JWT.Issuer = p.secret, p.signingKey, issuer
	cfg.JWT.Aud, cfg.JWT.DefaultGroupName = audience, audience
	cfg.Mailer.Autoconfirm = true
	cfg.OAuthServer.Enabled, cfg.OAuthServer.AuthorizationPath = true, "/oauth/consent"
	return cfg
}

// serviceToken is that of an administrator.
func (p *project) serviceToken() (string, error) {
	set, err := keys.New(keys.Config{Secret: p.secret, JWKs: p.signingKey})
	if err != nil {
		return "", err
	}
	return set.Sign("JWT", jwt.MapClaims{"role": "service_role"})
}

// service mints the tokens of the seeded sessions.
func (p *project) service(db *storage.DB) (*tokens.Service, error) {
	cfg := p.config()
	set, err := keys.New(keys.Config{Secret: cfg.JWT.Secret, JWKs: cfg.JWT.Keys})
	if err != nil {
		return nil, err
	}
	box, err := secret.NewBox(secret.BoxConfig{}, rand.Reader)
	if err != nil {
		return nil, err
	}
	return tokens.New(tokens.Deps{
		DB: db, Keys: set, Box: box, Audit: models.Auditor{Random: rand.Reader},
		Random: rand.Reader, Issuer: issuer,
	}, tokens.Settings{JWT: cfg.JWT, Sessions: cfg.Sessions, Security: cfg.Security, OAuthServer: cfg.OAuthServer}), nil
}

// seededEmail names a seeded user.
func seededEmail(i int) string { return fmt.Sprintf("user-%05d@example.com", i) }
