package conf

import (
	"errors"
	"math"
	"net/url"
	"reflect"
	"slices"
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
	c.checkTemplates(r)
	c.Sessions.check(r)
	c.Security.check(r)
	c.SAML.check(r)
	c.Hook.check(r)
	c.checkWebAuthn(r)
	c.Logging.check(r)
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
