package conf

import (
	"errors"
	"math"
	"net/mail"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"time"
)

// check reports what is wrong with values that could be read. Settings of
// features that are off are checked only where GoTrue does so.
func (c *Config) check(r *report) {
	checkAbsolute(r, "API_EXTERNAL_URL", c.API.ExternalURL)
	if c.CustomOAuth.ExternalURL != "" {
		checkAbsolute(r, "GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL", c.CustomOAuth.ExternalURL)
	}
	for _, pattern := range c.URIAllowList {
		switch err := checkGlob(pattern); {
		case errors.Is(err, errOpenBrace):
			r.warn("GOTRUE_URI_ALLOW_LIST", "%q: %v", pattern, err)
		case err != nil:
			r.problem("GOTRUE_URI_ALLOW_LIST", "%q is not a valid pattern: %v", pattern, err)
		}
	}
	c.checkNumbers(r)
	c.DB.check(r)
	c.JWT.check(r)
	if c.RateLimit.StoreTimeout <= 0 {
		r.problem("GOTRUE_RATE_LIMIT_STORE_TIMEOUT", "must be positive")
	}
	c.Mailer.check(r)
	c.SMTP.check(r)
	c.checkTemplates(r)
	c.Sessions.check(r)
	c.OAuthServer.check(r)
	c.Security.check(r)
	c.SAML.check(r)
	c.Hook.check(r)
	c.checkWebAuthn(r)
	c.Logging.check(r)
	c.checkAbsent(r)
}

// checkNumbers refuses limits that are no numbers: ParseFloat reads "NaN".
func (c *Config) checkNumbers(r *report) {
	for _, v := range c.variables() {
		if v.value.Kind() != reflect.Float64 {
			continue
		}
		if n := v.value.Float(); !(n >= 0) || math.IsInf(n, 0) {
			r.problem(v.key, "must be a number, not negative")
		}
	}
}

func checkAbsolute(r *report, variable, text string) {
	u, err := url.Parse(text)
	if err != nil || !u.IsAbs() || u.Host == "" {
		r.problem(variable, "must be an absolute URL such as https://auth.example.com")
	}
}

func (d DB) check(r *report) {
	switch d.Driver {
	case "", "postgres":
	case "postgresql", "pg", "pgx":
		r.warn("GOTRUE_DB_DRIVER", "%q is deprecated, write \"postgres\"", d.Driver)
	default:
		r.problem("GOTRUE_DB_DRIVER", "unsupported database driver %q, only \"postgres\" is supported", d.Driver)
	}
}

func (m Mailer) check(r *report) {
	if m.Autoconfirm && m.AllowUnverifiedEmailSignIns {
		r.problem("GOTRUE_MAILER_AUTOCONFIRM",
			"cannot enable both GOTRUE_MAILER_AUTOCONFIRM and GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS")
	}
	if m.DefaultLanguage != "" && parseLanguage(m.DefaultLanguage) == "" {
		r.problem("GOTRUE_MAILER_DEFAULT_LANGUAGE", "%q is not a language tag such as de or pt-BR", m.DefaultLanguage)
	}
	if m.TemplateDirectory != "" && !strings.HasPrefix(m.TemplateDirectory, "/") {
		r.problem("GOTRUE_MAILER_TEMPLATE_DIRECTORY", "must be an absolute path")
	}
	checkFiles(r, walk(nil, prefix+"_MAILER_TEMPLATES", reflect.ValueOf(&m.Templates).Elem()))
	for i, t := range m.Translations {
		checkFiles(r, walkTranslation(nil, &t))
		if i > 0 && t.Language == m.Translations[i-1].Language {
			r.problem("GOTRUE_MAILER_SUBJECTS", "mail texts for %s are spelt both …_%s and …_%s",
				t.Language, m.Translations[i-1].suffix, t.suffix)
		}
	}
}

// check warns of a sender that no mail server would take.
func (s SMTP) check(r *report) {
	if s.Host == "" {
		return
	}
	if sender, err := mail.ParseAddress(s.AdminEmail); err != nil || sender.Address != s.AdminEmail {
		r.warn("GOTRUE_SMTP_ADMIN_EMAIL", "is not an address such as auth@example.com, so no mail can be sent")
	}
}

// checkFiles refuses template files that are not named by an absolute path.
func checkFiles(r *report, texts []variable) {
	for _, v := range texts {
		if strings.HasPrefix(v.key, prefix+"_MAILER_TEMPLATES_") && strings.HasPrefix(v.value.String(), "file:") &&
			!strings.HasPrefix(v.value.String(), "file:///") {
			r.problem(v.key, "a file is named by its absolute path, as in file:///etc/mail/invite.html")
		}
	}
}

// checkTemplates parses the templates of text messages that will be used.
func (c *Config) checkTemplates(r *report) {
	check := func(variable, text string) {
		if _, err := template.New("message").Parse(text); err != nil {
			r.problem(variable, "%v", err)
		}
	}
	if c.SMS.Provider != "" {
		check("GOTRUE_SMS_TEMPLATE", c.SMS.Template)
	}
	if c.MFA.Phone.EnrollEnabled || c.MFA.Phone.VerifyEnabled {
		check("GOTRUE_MFA_PHONE_TEMPLATE", c.MFA.Phone.Template)
	}
}

func (s Sessions) check(r *report) {
	check := func(variable, name string, d *time.Duration) {
		if d != nil && *d <= 0 {
			r.problem(variable, "conf: session %s duration must be positive when set, was %v", name, *d)
		}
	}
	check("GOTRUE_SESSIONS_TIMEBOX", "timebox", s.Timebox)
	check("GOTRUE_SESSIONS_INACTIVITY_TIMEOUT", "inactivity timeout", s.InactivityTimeout)
	check("GOTRUE_SESSIONS_ALLOW_LOW_AAL", "allow low AAL", s.AllowLowAAL)
}

func (s OAuthServer) check(r *report) {
	check := func(variable string, d *time.Duration) {
		if d != nil && *d <= 0 {
			r.problem(variable, "must be positive when set, was %v", *d)
		}
	}
	check("GOTRUE_OAUTH_SERVER_SESSION_TIMEBOX", s.SessionTimebox)
	check("GOTRUE_OAUTH_SERVER_SESSION_INACTIVITY_TIMEOUT", s.SessionInactivityTimeout)
}

// checkWebAuthn warns of an incomplete relying party, which GoTrue tolerates:
// only ceremonies fail.
func (c *Config) checkWebAuthn(r *report) {
	if !c.Passkey.Enabled && !c.MFA.WebAuthn.EnrollEnabled && !c.MFA.WebAuthn.VerifyEnabled {
		return
	}
	check := func(variable string, isMissing bool) {
		if isMissing {
			r.warn(variable, "WebAuthn configuration is invalid: conf: %s is required when WebAuthn is enabled", variable)
		}
	}
	check("GOTRUE_WEBAUTHN_RP_ID", c.WebAuthn.RPID == "")
	check("GOTRUE_WEBAUTHN_RP_DISPLAY_NAME", c.WebAuthn.RPDisplayName == "")
	check("GOTRUE_WEBAUTHN_RP_ORIGINS", len(c.WebAuthn.RPOrigins) == 0)
}

func (l Logging) check(r *report) {
	levels := []string{"trace", "debug", "info", "warn", "warning", "error", "fatal", "panic"}
	if !slices.Contains(levels, l.Level) {
		r.warn("GOTRUE_LOG_LEVEL", "unknown level %q", l.Level)
	}
}
