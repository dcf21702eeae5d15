package conf

// prefix starts the name of every variable except the bare aliases.
const prefix = "GOTRUE"

// Config is the whole configuration. Values are effective: defaults computed
// from other settings are filled in, durations have their unit.
type Config struct {
	// SiteURL is the default redirect target, and the base of the consent page
	// and of relative template URLs.
	SiteURL string `split_words:"true" required:"true"`
	// URIAllowList holds globs of further redirect targets; '*' stops at '.'
	// and '/', '**' does not.
	URIAllowList []string `split_words:"true"`
	// DisableSignup leaves the creation of users to administrators.
	DisableSignup bool `split_words:"true"`
	// OperatorToken is accepted for compatibility and has no effect.
	OperatorToken string `split_words:"true" secret:"true"`

	API          API
	DB           DB
	CORS         CORS
	JWT          JWT
	Password     Password
	Mailer       Mailer
	SMTP         SMTP
	SMS          SMS
	External     External
	CustomOAuth  CustomOAuth `envconfig:"CUSTOM_OAUTH"`
	OAuthServer  OAuthServer `envconfig:"OAUTH_SERVER"`
	RateLimit    RateLimit   `split_words:"true"`
	Sessions     Sessions
	Security     Security
	MFA          MFA
	WebAuthn     WebAuthn // WEBAUTHN, in one word
	Passkey      Passkey
	SAML         SAML
	Hook         Hook
	Logging      Logging `envconfig:"LOG"`
	Metrics      Metrics
	Tracing      Tracing
	Profiler     Profiler
	AuditLog     AuditLog    `split_words:"true"`
	IndexWorker  IndexWorker `split_words:"true"`
	Experimental Experimental
	Reloading    Reloading
	Internal     Internal

	set map[string]bool // names of the variables that had a value, for Effective
}
