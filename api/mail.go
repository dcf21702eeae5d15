package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/mailer"
	"github.com/truegrant/truegrant/onetime"
)

// newSender returns what mails leave by: the operator's hook, if there is one,
// else the mailer.
func newSender(deps Deps) onetime.Sender {
	cfg := deps.Config
	if deps.Hooks.Enabled(hooks.PointSendEmail) {
		return hookMails{hooks: deps.Hooks, externalURL: cfg.API.ExternalURL}
	}
	return codeMails{mail: deps.Mailer, siteURL: cfg.SiteURL, paths: cfg.Mailer.URLPaths}
}

// codeMails hands the mails of package onetime to the mailer.
type codeMails struct {
	mail    *mailer.Mailer
	siteURL string
	paths   conf.MailTexts
}

// Send implements onetime.Sender.
func (c codeMails) Send(ctx context.Context, m onetime.Mail) error {
	if err := c.post(ctx, m); err != nil || m.Other == nil {
		return err
	}
	return c.post(ctx, *m.Other)
}

// post sends a single letter.
func (c codeMails) post(ctx context.Context, m onetime.Mail) error {
	metadata, err := m.User.Metadata()
	if err != nil {
		return err
	}
	path, linkType := c.link(m.Kind)
	return c.mail.Send(ctx, mailer.Message{Kind: mailer.Kind(m.Kind), To: m.To(), Data: mailer.TemplateData{
		SiteURL: c.siteURL, Email: m.User.Email, NewEmail: m.User.EmailChange, SendingTo: m.To(), Token: m.Code, TokenHash: m.Hash, RedirectTo: m.RedirectTo, Data: metadata,
		OldEmail: m.OldEmail, Phone: m.User.Phone, OldPhone: m.OldPhone, Provider: m.Provider, FactorType: m.FactorType,
		ConfirmationURL: mailer.ConfirmationURL(m.LinkBase, path, m.Hash, linkType, m.RedirectTo),
	}})
}

// link is the path that the link of a kind of mail leads to, and the type it
// names. Magic links share the path of recovery.
func (c codeMails) link(kind onetime.Kind) (path, linkType string) {
	switch kind {
	case onetime.Invite:
		return c.paths.Invite, "invite"
	case onetime.Recovery:
		return c.paths.Recovery, "recovery"
	case onetime.MagicLink:
		return c.paths.Recovery, "magiclink"
	case onetime.EmailChange:
		return c.paths.EmailChange, "email_change"
	}
	return c.paths.Confirmation, "signup"
}

// redirectTarget is where a link or a browser is sent in the end: what the
// request asks for, else where it came from, else the site, whichever is
// permitted first.
func (s *Server) redirectTarget(r *http.Request) string {
	asked := r.Header.Get("redirect_to")
	if asked == "" {
		asked = r.URL.Query().Get("redirect_to")
	}
	return s.redirects.First(asked, r.Referer())
}

// linkBase is the server's external URL for links in mails: a forwarded host
// counts only if the operator listed it.
func (s *Server) linkBase(r *http.Request) string {
	host := r.Header.Get("X-Forwarded-Host")
	if host == "" || !slices.Contains(s.Config.Mailer.ExternalHosts, strings.ToLower(host)) {
		return s.Config.API.ExternalURL
	}
	scheme := "https"
	if host == "localhost" && r.Header.Get("X-Forwarded-Proto") == "http" {
		scheme = "http"
	}
	return (&url.URL{Scheme: scheme, Host: host}).String()
}
