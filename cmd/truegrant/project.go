package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/ui"
)

// projectFile keeps the keys of a development project.
const projectFile = "project.json"

// apiKeyLife is how long the anon and service keys of a project are valid.
const apiKeyLife = 10 * 365 * 24 * time.Hour

// The demo user's credentials, printed at every start.
const (
	demoEmail    = "demo@example.com"
	demoPassword = "demo-password"
)

// project is a development project: what a hosted one would have in its
// settings.
type project struct {
	dir         string
	port        int
	databaseURL string
	keys        projectKeys
}

// projectKeys are the part of a project that is kept for the next run.
type projectKeys struct {
	JWTSecret  string          `json:"jwt_secret"`
	SigningKey json.RawMessage `json:"signing_key"`
	AnonKey    string          `json:"anon_key"`
	ServiceKey string          `json:"service_key"`
	// ClientID and ClientSecret are the demo client's, once it is registered.
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
}

// openProject reads the project of an earlier run, or makes a new one.
func openProject(dir string, port int) (*project, error) {
	p := &project{dir: dir, port: port}
	raw, err := os.ReadFile(filepath.Join(dir, projectFile))
	switch {
	case err == nil:
		if err := json.Unmarshal(raw, &p.keys); err != nil {
			return nil, fmt.Errorf("%s is damaged, start with --reset: %w", projectFile, err)
		}
		return p, nil
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	if p.keys, err = newProjectKeys(time.Now()); err != nil {
		return nil, err
	}
	return p, p.save()
}

func newProjectKeys(now time.Time) (projectKeys, error) {
	var k projectKeys
	var err error
	if k.JWTSecret, err = secret.Token(rand.Reader, 32); err != nil {
		return k, err
	}
	if k.SigningKey, err = keys.Generate("ES256", rand.Reader); err != nil {
		return k, err
	}
	if k.AnonKey, err = apiKey(k.JWTSecret, "anon", now); err != nil {
		return k, err
	}
	k.ServiceKey, err = apiKey(k.JWTSecret, "service_role", now)
	return k, err
}

// apiKey signs one of the two keys that Supabase clients are configured with.
func apiKey(jwtSecret, role string, now time.Time) (string, error) {
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"iss": "truegrant", "role": role, "iat": now.Unix(), "exp": now.Add(apiKeyLife).Unix(),
	}).SignedString([]byte(jwtSecret))
}

func (p *project) save() error {
	raw, err := json.MarshalIndent(p.keys, "", "  ") //nolint:gosec // keeping the keys is the file's purpose, mode 0600
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(p.dir, projectFile), raw, 0o600)
}

// origin is where the pages are served.
func (p *project) origin() string { return fmt.Sprintf("http://localhost:%d", p.port) }

// authURL is where supabase-js expects the auth service of a project.
func (p *project) authURL() string { return p.origin() + "/auth/v1" }

// environment is the project's configuration.
func (p *project) environment() map[string]string {
	return map[string]string{
		"DATABASE_URL":      p.databaseURL,
		"GOTRUE_DB_DRIVER":  "postgres",
		"API_EXTERNAL_URL":  p.authURL(),
		"GOTRUE_SITE_URL":   p.origin(),
		"GOTRUE_JWT_SECRET": p.keys.JWTSecret,
		"GOTRUE_JWT_KEYS":   "[" + string(p.keys.SigningKey) + "]",
		// The anon and service keys are signed with the secret.
		"GOTRUE_JWT_VALID_METHODS":                       "ES256,HS256",
		"GOTRUE_JWT_ISSUER":                              p.authURL(),
		"GOTRUE_CORS_ALLOWED_HEADERS":                    "apikey", // a hosted project's gateway allows it
		"GOTRUE_JWT_AUD":                                 "authenticated",
		"GOTRUE_JWT_DEFAULT_GROUP_NAME":                  "authenticated",
		"GOTRUE_URI_ALLOW_LIST":                          "http://localhost:*/**",
		"GOTRUE_MAILER_AUTOCONFIRM":                      "true",
		"GOTRUE_EXTERNAL_ANONYMOUS_USERS_ENABLED":        "true",
		"GOTRUE_OAUTH_SERVER_ENABLED":                    "true",
		"GOTRUE_OAUTH_SERVER_ALLOW_DYNAMIC_REGISTRATION": "true",
		"GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH":         ui.ConsentPath,
	}
}
