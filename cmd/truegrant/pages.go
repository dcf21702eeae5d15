package main

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/truegrant/truegrant/examples/relyingparty"
	"github.com/truegrant/truegrant/ui"
)

// demoCallback is the redirect URI of the demo client.
const demoCallback = "/demo/callback"

// pages serves everything of a project on one port: the API at the root and
// under /auth/v1, where supabase-js looks for it; the consent and home pages;
// and the demo client, which knows of the server only what the server tells
// any client.
func (p *project) pages(api http.Handler) http.Handler {
	front := ui.Handler(ui.Options{
		Home: true, AnonKey: p.keys.AnonKey, Issuer: p.authURL(), DemoURL: p.origin() + "/demo/",
		MailNote: "This server confirms addresses by itself and sends no mail, unless GOTRUE_SMTP_HOST is set.",
	})
	demo := relyingparty.New(relyingparty.Config{
		Issuer: p.authURL(), ClientID: p.keys.ClientID, ClientSecret: p.keys.ClientSecret,
		RedirectURL: p.origin() + demoCallback,
	})
	mux := http.NewServeMux()
	mux.Handle("/", api)
	mux.Handle("/auth/v1/", http.StripPrefix("/auth/v1", api))
	mux.Handle("/demo/", demo)
	mux.Handle("/{$}", front)
	mux.Handle(ui.ConsentPath, front)
	mux.Handle("/config.json", front)
	mux.Handle("/assets/", front)
	return mux
}

// announce tells what to open and how to point a Supabase client here.
func (p *project) announce(out io.Writer) {
	fmt.Fprintf(out, `
Truegrant is running.

  Open             %s
  Demo client      %s/demo/
  Demo user        %s  /  %s
  Metadata         %s/.well-known/openid-configuration

For a Supabase client, createClient(url, anonKey):

  SUPABASE_URL=%s
  SUPABASE_ANON_KEY=%s
  SUPABASE_SERVICE_ROLE_KEY=%s

  DATABASE_URL=%s

Data and keys are in %s. Ctrl-C stops everything, --reset starts afresh.

`, p.origin(), p.origin(), demoEmail, demoPassword, p.authURL(), p.origin(), p.keys.AnonKey, p.keys.ServiceKey,
		p.databaseURL, strings.TrimRight(p.dir, "/"))
}
