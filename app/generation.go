package app

import (
	"errors"
	"fmt"

	"github.com/truegrant/truegrant/api"
	"github.com/truegrant/truegrant/api/oauthserver"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/indexer"
	"github.com/truegrant/truegrant/keys"
	"github.com/truegrant/truegrant/mailer"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/tokens"
)

// generation is everything that one configuration makes. A reload makes a new
// one; requests that are under way stay with theirs.
type generation struct {
	config  *conf.Config
	server  *api.Server
	mail    *mailer.Mailer
	indexer *indexer.Worker // nil when it has nothing to build
}

// parts are what needs no database.
type parts struct {
	keys *keys.Set
	box  *secret.Box
	mail *mailer.Mailer
}

func newParts(cfg *conf.Config, opts Options, previous *generation) (p parts, err error) {
	var earlier *mailer.Mailer
	if previous != nil {
		earlier = previous.mail
	}
	var problems [3]error
	p.keys, problems[0] = keys.New(keys.Config{
		Secret: cfg.JWT.Secret, KeyID: cfg.JWT.KeyID, JWKs: cfg.JWT.Keys, ValidMethods: cfg.JWT.ValidMethods,
	})
	p.box, problems[1] = newBox(cfg.Security.DBEncryption, opts.Random)
	p.mail, problems[2] = newMailer(cfg, opts, earlier)
	return p, errors.Join(problems[:]...)
}

// build wires what answers requests under cfg. What has been counted and
// fetched under the previous generation is used further.
func (a *App) build(cfg *conf.Config, previous *generation) (*generation, error) {
	opts := a.opts
	p, err := newParts(cfg, opts, previous)
	if err != nil {
		return nil, err
	}
	configured, err := hooks.New(hooks.Config{
		Targets: hooks.Targets(cfg.Hook), Database: a.DB, Now: opts.Now, Random: opts.Random,
	})
	if err != nil {
		return nil, fmt.Errorf("hooks: %w", err)
	}
	service := tokens.New(tokens.Deps{
		DB: a.DB, Keys: p.keys, Box: p.box, Hook: newHook(configured), Random: opts.Random,
		Issuer: oauthserver.Issuer(cfg),
		Audit:  models.Auditor{Disabled: cfg.AuditLog.DisablePostgres, Random: opts.Random},
	}, tokens.Settings{JWT: cfg.JWT, Sessions: cfg.Sessions, Security: cfg.Security, OAuthServer: cfg.OAuthServer})
	deps := api.Deps{
		Config: cfg, DB: a.DB, Keys: p.keys, Tokens: service, Box: p.box, Mailer: p.mail, Hooks: configured,
		Hasher: a.hasher, Log: opts.Log, Now: opts.Now, Random: opts.Random, Version: opts.Version,
		Transport: opts.Transport, Telemetry: opts.Telemetry, Lists: a.Lists, Rates: a.rates,
	}
	if previous != nil {
		deps.Counters = previous.server.Counters()
	}
	server, err := api.New(deps)
	if err != nil {
		return nil, err
	}
	return &generation{config: cfg, server: server, mail: p.mail, indexer: indexer.FromConf(cfg, opts.Log)}, nil
}
