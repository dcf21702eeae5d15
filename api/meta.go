package api

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/conf"
)

// GET /health says that the process lives. It does not ask the database: a
// restart would not mend an outage of it.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	return web.JSON(w, http.StatusOK, map[string]string{
		"version": s.Version, "name": "GoTrue",
		"description": "GoTrue is a user registration and authentication API",
	})
}

// GET /health/ready says whether requests can be served now.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	if err := s.DB.Ping(r.Context()); err != nil {
		return fmt.Errorf("ready: %w", err)
	}
	return web.JSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

// GET /.well-known/jwks.json publishes the keys that tokens are verified with
// (RFC 7517 §5).
func (s *Server) jwks(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=600")
	_, _ = w.Write(s.Keys.JWKS())
	return nil
}

// GET /settings
func (s *Server) getSettings(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.settings)
	return nil
}

// settingsView tells sign-in pages what is switched on.
type settingsView struct {
	External          map[string]bool `json:"external"`
	DisableSignup     bool            `json:"disable_signup"`
	MailerAutoconfirm bool            `json:"mailer_autoconfirm"`
	PhoneAutoconfirm  bool            `json:"phone_autoconfirm"`
	SMSProvider       string          `json:"sms_provider"`
	SAMLEnabled       bool            `json:"saml_enabled"`
	SAMLNextKey       bool            `json:"saml_private_key_next_configured"`
	PasskeysEnabled   bool            `json:"passkeys_enabled"`
}

// renderSettings renders the answer once: it changes only with the
// configuration.
func renderSettings(cfg *conf.Config) ([]byte, error) {
	external := map[string]bool{
		"anonymous_users": cfg.External.AnonymousUsersEnabled,
		"email":           cfg.External.EmailEnabled,
		"phone":           cfg.External.PhoneEnabled,
	}
	for _, name := range []string{
		"apple", "azure", "bitbucket", "discord", "facebook", "snapchat", "figma", "fly", "github", "gitlab",
		"google", "keycloak", "kakao", "linkedin", "linkedin_oidc", "notion", "spotify", "slack", "slack_oidc",
		"workos", "twitch", "twitter", "zoom",
	} {
		external[name] = cfg.External.Providers[name].Enabled
	}
	return json.Marshal(settingsView{
		External: external, DisableSignup: cfg.DisableSignup, MailerAutoconfirm: cfg.Mailer.Autoconfirm,
		PhoneAutoconfirm: cfg.SMS.Autoconfirm, SMSProvider: cfg.SMS.Provider, SAMLEnabled: cfg.SAML.Enabled,
		// GoTrue compares with a key that does not exist while SAML is off.
		SAMLNextKey:     !cfg.SAML.Enabled || cfg.SAML.PrivateKeyNext != "",
		PasskeysEnabled: cfg.Passkey.Enabled,
	})
}
