package conf

import (
	"fmt"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func settingsByName(c *Config) map[string]Setting {
	byName := map[string]Setting{}
	for _, s := range c.Effective() {
		byName[s.Name] = s
	}
	return byName
}

func TestEffective(t *testing.T) {
	c := mustLoad(t, map[string]string{
		"PORT":                            "9999",
		"GOTRUE_MAILER_OTP_EXP":           "600",
		"GOTRUE_SESSIONS_TIMEBOX":         "24h",
		"GOTRUE_EXTERNAL_FIGMA_ENABLED":   "true",
		"GOTRUE_JWT_ADMIN_ROLES":          "a,b",
		"GOTRUE_RATE_LIMIT_EMAIL_SENT":    "10/1m",
		"GOTRUE_EXTERNAL_FIGMA_CLIENT_ID": "one,two",
		"GOTRUE_TRACING_TAGS":             "b:2,a:1",
	})
	settings := settingsByName(c)
	require.Len(t, settings, len(c.Effective()), "names are unique")
	for _, want := range []Setting{
		{Name: "PORT", Type: "string", Default: "8081", Value: "9999", Set: true},
		{Name: "API_EXTERNAL_URL", Type: "string", Value: "https://auth.example.com", Set: true, Required: true},
		{Name: "GOTRUE_MAILER_OTP_EXP", Type: "uint", Default: "86400", Value: "600", Set: true},
		{Name: "GOTRUE_JWT_EXP", Type: "int", Default: "3600", Value: "3600"},
		{Name: "GOTRUE_SESSIONS_TIMEBOX", Type: "duration", Value: "24h", Set: true},
		{Name: "GOTRUE_SESSIONS_ALLOW_LOW_AAL", Type: "duration"},
		{Name: "GOTRUE_EXTERNAL_FIGMA_ENABLED", Type: "bool", Default: "false", Value: "true", Set: true},
		{Name: "GOTRUE_EXTERNAL_FIGMA_CLIENT_ID", Type: "list", Value: "one,two", Set: true},
		{Name: "GOTRUE_JWT_ADMIN_ROLES", Type: "list", Default: "service_role,supabase_admin", Value: "a,b", Set: true},
		{Name: "GOTRUE_RATE_LIMIT_EMAIL_SENT", Type: "rate", Default: "30", Value: "10/1m", Set: true},
		{Name: "GOTRUE_TRACING_TAGS", Type: "map", Value: "a:1,b:2", Set: true},
		{Name: "GOTRUE_MAILER_TEMPLATE_MAX_AGE", Type: "duration", Default: "10m", Value: "10m"},
	} {
		require.Equal(t, want, settings[want.Name])
	}
}

func TestEffectiveShowsNoSecret(t *testing.T) {
	const jwk = `[{"kty":"EC","kid":"k1","key_ops":["sign"],"crv":"P-256","x":"px","d":"hush"},{"kty":"oct","kid":"k2","k":"hush"}]`
	const key = "hushhushhushhushhushhushhushhushhushhushhu8"
	c := mustLoad(t, map[string]string{
		"DATABASE_URL":          "postgres://auth:hush@db/postgres?sslpassword=hush&search_path=auth",
		"GOTRUE_JWT_SECRET":     "hush",
		"GOTRUE_JWT_KEYS":       jwk,
		"GOTRUE_OPERATOR_TOKEN": "hush",
		"GOTRUE_SMTP_PASS":      "hush",
		"GOTRUE_SMTP_HEADERS":   `{"X-Token":["hush"]}`,
		"GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_HEADERS": `{"Authorization":["hush"]}`,
		"GOTRUE_MAILER_EMAIL_VALIDATION_SERVICE_URL":     "https://u:hush@validate.example",
		"GOTRUE_SMS_TEST_OTP":                            "123:hush",
		"GOTRUE_SMS_TWILIO_AUTH_TOKEN":                   "hush",
		"GOTRUE_SMS_TWILIO_VERIFY_AUTH_TOKEN":            "hush",
		"GOTRUE_SMS_MESSAGEBIRD_ACCESS_KEY":              "hush",
		"GOTRUE_SMS_TEXTLOCAL_API_KEY":                   "hush",
		"GOTRUE_SMS_VONAGE_API_KEY":                      "hush",
		"GOTRUE_SMS_VONAGE_API_SECRET":                   "hush",
		"GOTRUE_EXTERNAL_X_SECRET":                       "hush",
		"GOTRUE_SECURITY_CAPTCHA_SECRET":                 "hush",
		"GOTRUE_SECURITY_DB_ENCRYPTION_ENCRYPTION_KEY":   key,
		"GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS":  "a:" + key,
		"GOTRUE_SAML_PRIVATE_KEY":                        "hush",
		"GOTRUE_SAML_PRIVATE_KEY_NEXT":                   "hush",
		"GOTRUE_HOOK_SEND_SMS_SECRETS":                   "hush",
		"SECRETS":                                        "hush",
	})
	require.NotContains(t, fmt.Sprint(c.Effective()), "hush")

	settings := settingsByName(c)
	require.Equal(t, "postgres://auth:********@db/postgres?sslpassword=********&search_path=auth", settings["DATABASE_URL"].Value)
	require.Equal(t, masked, settings["GOTRUE_HOOK_AFTER_USER_CREATED_SECRETS"].Value)
	require.JSONEq(t, `[{"kty":"EC","kid":"k1","key_ops":["sign"],"crv":"P-256","x":"px","d":"********"},
		{"kty":"oct","kid":"k2","k":"********"}]`, settings["GOTRUE_JWT_KEYS"].Value)
}

// TestSecretNamesAreMasked finds settings that look secret but are not marked.
func TestSecretNamesAreMasked(t *testing.T) {
	t.Parallel()
	looksSecret := regexp.MustCompile(`SECRET|TOKEN$|_PASS$|KEY$|KEYS$|PASSWORD$|HEADERS$|_OTP$`)
	harmless := map[string]bool{
		"GOTRUE_CORS_ALLOWED_HEADERS":                              true,
		"GOTRUE_RATE_LIMIT_OTP":                                    true,
		"GOTRUE_RATE_LIMIT_PASSKEY":                                true,
		"GOTRUE_SECURITY_UPDATE_PASSWORD_REQUIRE_CURRENT_PASSWORD": true,
	}
	for _, v := range new(Config).variables() {
		if looksSecret.MatchString(v.key) && !harmless[v.key] {
			require.NotEmpty(t, v.field.Tag.Get("secret"), v.key)
		}
	}
}

func TestMaskPasswords(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"postgres://u:p@h/db":              "postgres://u:********@h/db",
		"postgres://u:p@ss/w:rd@h/db":      "postgres://u:********@h/db",
		"postgres://u@h/db":                "postgres://u@h/db",
		"postgres://u:p%zz@h":              "postgres://u:********@h",
		"host=db password=p user=u":        "host=db password=******** user=u",
		`host=db password='p \'q' user=u`:  "host=db password=******** user=u",
		"https://h.example/?Password=p&x=": "https://h.example/?Password=********&x=",
		"https://h.example:80/a@b":         "https://h.example:********@b", // rather too much
		"Your code is {{ .Code }}":         "Your code is {{ .Code }}",
	} {
		require.Equal(t, want, maskPasswords(text))
	}
	require.Equal(t, masked, maskKeys("not JSON"))
}
