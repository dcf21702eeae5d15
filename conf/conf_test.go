package conf

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// setEnv makes the environment hold, of all names that conf reads, only those
// of values. envconfig reads the environment of the process, so tests that use
// it cannot run in parallel with each other.
func setEnv(t *testing.T, values map[string]string) {
	t.Helper()
	names := append(environmentNames(), knownNames(new(Config).variables())...)
	for _, name := range names {
		t.Setenv(name, "") // restores it after the test
		require.NoError(t, os.Unsetenv(name))
	}
	for name, value := range values {
		t.Setenv(name, value)
	}
}

// required returns the least that a configuration needs, with more of it.
func required(more map[string]string) map[string]string {
	values := map[string]string{
		"API_EXTERNAL_URL":  "https://auth.example.com",
		"GOTRUE_DB_DRIVER":  "postgres",
		"DATABASE_URL":      "postgres://auth:pw@db/postgres",
		"GOTRUE_SITE_URL":   "https://example.com",
		"GOTRUE_JWT_SECRET": "a secret of at least 32 characters",
	}
	for name, value := range more {
		values[name] = value
	}
	return values
}

// load returns the configuration of the required values and more.
func load(t *testing.T, more map[string]string) (*Config, []Warning, error) {
	t.Helper()
	setEnv(t, required(more))
	return Load(Sources{WorkDir: t.TempDir()})
}

func mustLoad(t *testing.T, more map[string]string) *Config {
	t.Helper()
	c, _, err := load(t, more)
	require.NoError(t, err)
	return c
}

func TestDefaultIsTheEmptyEnvironment(t *testing.T) {
	c, warnings, err := load(t, nil)
	require.NoError(t, err)
	require.Empty(t, warnings)

	want := Default()
	want.API.ExternalURL, want.DB.Driver, want.DB.URL = c.API.ExternalURL, c.DB.Driver, c.DB.URL
	want.SiteURL, want.JWT.Secret, want.set = c.SiteURL, c.JWT.Secret, c.set
	require.Equal(t, want, c)
}

func TestDefaultIgnoresTheEnvironment(t *testing.T) {
	want := Default()
	setEnv(t, required(map[string]string{"PORT": "1", "GOTRUE_API_HOST": "h", "SECRETS": "s"}))
	require.Equal(t, want, Default())
}

func TestComputedDefaults(t *testing.T) {
	t.Parallel()
	c := Default()
	tests := []struct {
		name      string
		got, want any
	}{
		{"jwt exp", c.JWT.Exp, time.Hour},
		{"admin group", c.JWT.AdminGroupName, "admin"},
		{"admin roles", c.JWT.AdminRoles, []string{"service_role", "supabase_admin"}},
		{"password length", c.Password.MinLength, 6},
		{"mail code life", c.Mailer.OTPExp, 24 * time.Hour},
		{"mail code length", c.Mailer.OTPLength, 6},
		{"mail path", c.Mailer.URLPaths.Text("email_change"), "/verify"},
		{"unused mail path", c.Mailer.URLPaths.Text("reauthentication"), ""},
		{"smtp frequency", c.SMTP.MaxFrequency, time.Minute},
		{"sms code life", c.SMS.OTPExp, time.Minute},
		{"sms frequency", c.SMS.MaxFrequency, time.Minute},
		{"sms template", c.SMS.Template, "Your code is {{ .Code }}"},
		{"flow state", c.External.FlowStateExpiryDuration, 300 * time.Second},
		{"mfa challenge", c.MFA.ChallengeExpiryDuration, 300 * time.Second},
		{"saml relay state", c.SAML.RelayStateValidityPeriod, 2 * time.Minute},
		{"captcha", c.Security.Captcha.Timeout, 10 * time.Second},
		{"provider calls", c.Internal.HTTPTimeout, 10 * time.Second},
		{"refresh version", c.Security.RefreshTokenAlgorithmVersion, 2},
		{"mails", c.RateLimit.EmailSent, Rate{30, time.Hour, RateWindow}},
		{"providers", len(c.External.Providers), 25},
		{"no timebox", c.Sessions.Timebox == nil, true},
		{"code ttl", c.OAuthServer.CodeTTL, time.Minute},
		{"statement cache", c.DB.StatementCacheEnabled, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, tt.got)
		})
	}
}

func TestValuesOutsideTheirBounds(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"GOTRUE_JWT_EXP":                                  "0",
		"GOTRUE_JWT_ADMIN_ROLES":                          " ",
		"GOTRUE_PASSWORD_MIN_LENGTH":                      "3",
		"GOTRUE_MAILER_OTP_LENGTH":                        "11",
		"GOTRUE_SMS_OTP_LENGTH":                           "8",
		"GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION":            "-1",
		"GOTRUE_MFA_FACTOR_EXPIRY_DURATION":               "1s",
		"GOTRUE_EXTERNAL_FLOW_STATE_EXPIRY_DURATION":      "600s",
		"GOTRUE_SECURITY_CAPTCHA_TIMEOUT":                 "0",
		"GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION": "0",
		"GOTRUE_JWT_KEYS":                                 " [ ] ",
	})
	require.Equal(t, time.Hour, c.JWT.Exp)
	require.Equal(t, []string{"service_role", "supabase_admin"}, c.JWT.AdminRoles)
	require.Equal(t, 6, c.Password.MinLength)
	require.Equal(t, 6, c.Mailer.OTPLength)
	require.Equal(t, 8, c.SMS.OTPLength)
	require.Equal(t, 5*time.Minute, c.MFA.ChallengeExpiryDuration)
	require.Equal(t, 5*time.Minute, c.MFA.FactorExpiryDuration)
	require.Equal(t, 10*time.Minute, c.External.FlowStateExpiryDuration)
	require.Equal(t, 10*time.Second, c.Security.Captcha.Timeout)
	require.Equal(t, 1, c.Security.RefreshTokenAlgorithmVersion)
	require.Empty(t, c.JWT.Keys)
}

func TestWrittenForms(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"GOTRUE_JWT_EXP":                                        "0x10",
		"GOTRUE_URI_ALLOW_LIST":                                 "a, b",
		"GOTRUE_CORS_ALLOWED_HEADERS":                           "",
		"GOTRUE_SMTP_HEADERS":                                   `{"X-Kind":["$messageType","b"]}`,
		"GOTRUE_MAILER_EMAIL_VALIDATION_BLOCKED_MX":             `["mx.example.com"]`,
		"GOTRUE_PASSWORD_REQUIRED_CHARACTERS":                   `ab:\:c::d`,
		"GOTRUE_SESSIONS_TIMEBOX":                               "90m",
		"GOTRUE_MFA_CHALLENGE_EXPIRY_DURATION":                  "300.5",
		"GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS":          "azure=work, github = code",
		"GOTRUE_EXPERIMENTAL_PROVIDERS_WITH_OWN_LINKING_DOMAIN": "azure,apple",
		"GOTRUE_HOOK_SEND_SMS_SECRETS":                          "a|b",
	})
	require.Equal(t, 16*time.Second, c.JWT.Exp)
	require.Equal(t, []string{"a", " b"}, c.URIAllowList)
	require.Empty(t, c.CORS.AllowedHeaders)
	require.Equal(t, map[string][]string{"X-Kind": {"$messageType", "b"}}, c.SMTP.Headers)
	require.Equal(t, []string{"mx.example.com"}, c.Mailer.EmailValidationBlockedMX)
	require.Equal(t, []string{"ab", ":c", "d"}, c.Password.RequiredCharacters)
	require.Equal(t, 90*time.Minute, *c.Sessions.Timebox)
	require.Equal(t, 300500*time.Millisecond, c.MFA.ChallengeExpiryDuration)
	require.Equal(t, map[string]string{"azure": "work", "github": "code", "apple": "apple"},
		c.Experimental.ProviderLinkingDomains)
	require.Equal(t, []string{"a", "b"}, c.Hook.SendSMS.Secrets)
}

func TestSupabaseEnvironmentStartsUnchanged(t *testing.T) {
	setEnv(t, nil)
	c, warnings, err := Load(Sources{WorkDir: t.TempDir(), ConfigFile: "testdata/supabase.env"})
	require.NoError(t, err)
	require.Len(t, warnings, 1)
	require.Contains(t, warnings[0].String(), "GOTRUE_EXTERNAL_GOOGLE_ENABLED: this version does not have")
	require.Equal(t, "9999", c.API.Port)
	require.Equal(t, "You have been invited # to #1", c.Mailer.Subjects.Text("invite"))
	require.Equal(t, map[string]string{"12025550100": "123456", "12025550101": "654321"}, c.SMS.TestOTP)
	require.Equal(t, 2030, c.SMS.TestOTPValidUntil.Year())
	require.Equal(t, []string{"web.apps.googleusercontent.com", "ios.apps.googleusercontent.com"},
		c.External.Providers["google"].ClientID)
	require.Equal(t, 10*time.Second, c.Security.RefreshTokenReuseInterval)
	require.Contains(t, c.Password.RequiredCharacters, "!:?")
	require.True(t, strings.HasPrefix(c.Hook.SendSMS.Secrets[0], "v1,whsec_"))
}

func TestKinds(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"GOTRUE_MAILER_SUBJECTS_MFA_FACTOR_UNENROLLED_NOTIFICATION": "gone",
		"GOTRUE_MAILER_NOTIFICATIONS_MFA_FACTOR_UNENROLLED_ENABLED": "true",
		"GOTRUE_MAILER_TEMPLATES_IDENTITY_LINKED_NOTIFICATION":      "/linked.html",
		"GOTRUE_MAILER_URLPATHS_RECOVERY":                           "/reset",
		"GOTRUE_MAILER_NOTIFICATIONS_PASSWORD_CHANGED_ENABLED":      "false",
		"GOTRUE_RATE_LIMIT_OAUTH_DYNAMIC_CLIENT_REGISTER":           "3",
		"GOTRUE_EXTERNAL_WEB3_SOLANA_MAXIMUM_VALIDITY_DURATION":     "1m",
		"GOTRUE_EXTERNAL_REDIRECTURL":                               "https://r.example",
		"GOTRUE_RELOADING_POLLERENABLED":                            "true",
	})
	require.Equal(t, "gone", c.Mailer.Subjects.Text("mfa_factor_unenrolled_notification"))
	require.True(t, c.Mailer.Notifications.Enabled("mfa_factor_unenrolled_notification"))
	require.False(t, c.Mailer.Notifications.Enabled("password_changed_notification"))
	require.Equal(t, "/linked.html", c.Mailer.Templates.Text("identity_linked_notification"))
	require.Equal(t, "/reset", c.Mailer.URLPaths.Text("recovery"))
	require.Empty(t, c.Mailer.Subjects.Text("no such kind"))
	require.InDelta(t, 3, c.RateLimit.OAuthDynamicClientRegister, 0)
	require.Equal(t, time.Minute, c.External.Web3Solana.MaximumValidityDuration)
	require.Equal(t, "https://r.example", c.External.RedirectURL)
	require.True(t, c.Reloading.PollerEnabled)
}

func TestOddSpellingWins(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"GOTRUE_RATE_LIMIT_OAUTH_DYNAMIC_CLIENT_REGISTER":  "3",
		"GOTRUE_RATE_LIMIT_O_AUTH_DYNAMIC_CLIENT_REGISTER": "10",
	})
	require.InDelta(t, 10, c.RateLimit.OAuthDynamicClientRegister, 0)
}
