package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/truegrant/truegrant/mailer"
	"github.com/truegrant/truegrant/onetime"
)

// confirmations hands the mails of package onetime to the mailer.
type confirmations struct {
	mail    *mailer.Mailer
	siteURL string
	path    string
}

// SendConfirmation sends the mail that confirms a sign-up.
func (c confirmations) SendConfirmation(ctx context.Context, m onetime.Mail) error {
	metadata, err := m.User.Metadata()
	if err != nil {
		return err
	}
	return c.mail.Send(ctx, mailer.Message{Kind: mailer.Confirmation, To: m.User.Email, Data: mailer.TemplateData{
		SiteURL: c.siteURL, Email: m.User.Email, Token: m.Code, TokenHash: m.Hash, RedirectTo: m.RedirectTo, Data: metadata,
		ConfirmationURL: mailer.ConfirmationURL(m.LinkBase, c.path, m.Hash, "signup", m.RedirectTo),
	}})
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
