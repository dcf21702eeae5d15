package conf

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const hookSecret = "v1,whsec_VGhpcyBpcyBhbiBleGFtcGxlIG9mIGEgc2hvcnRlciBCYXNlNjQgc3RyaW5n"

// problems returns the problems of a configuration by variable.
func problems(t *testing.T, err error) map[string]string {
	t.Helper()
	found := map[string]string{}
	joined, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // the join itself
	require.True(t, ok, "%v", err)
	for _, err := range joined.Unwrap() {
		var p Problem
		require.True(t, errors.As(err, &p), "%v", err)
		require.Contains(t, p.Error(), p.Variable)
		found[p.Variable] += p.Message
	}
	return found
}

func TestAllProblemsAtOnce(t *testing.T) {
	setEnv(t, map[string]string{
		"GOTRUE_DISABLE_SIGNUP":                         "yes",
		"GOTRUE_SMTP_PORT":                              "",
		"GOTRUE_RATE_LIMIT_EMAIL_SENT":                  "many",
		"GOTRUE_EXTERNAL_GOOGLE_ENABLED":                "on",
		"GOTRUE_EXTERNAL_ZOOM_ENABLED":                  "on",
		"GOTRUE_SESSIONS_TIMEBOX":                       "0",
		"GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS": "hush:hush:hush",
		"GOTRUE_MAILER_TEMPLATE_MAX_AGE":                "10",
	})
	_, _, err := Load(Sources{WorkDir: t.TempDir()})
	got := problems(t, err)
	require.Equal(t, map[string]string{
		"API_EXTERNAL_URL":                              "required key API_EXTERNAL_URL missing value",
		"DATABASE_URL":                                  "required key DATABASE_URL missing value",
		"GOTRUE_DB_DRIVER":                              "required key GOTRUE_DB_DRIVER missing value",
		"GOTRUE_SITE_URL":                               "required key GOTRUE_SITE_URL missing value",
		"GOTRUE_JWT_SECRET":                             "required key GOTRUE_JWT_SECRET missing value",
		"GOTRUE_DISABLE_SIGNUP":                         `converting 'yes' to type bool. details: strconv.ParseBool: parsing "yes": invalid syntax`,
		"GOTRUE_SMTP_PORT":                              `converting '' to type int. details: strconv.ParseInt: parsing "": invalid syntax`,
		"GOTRUE_RATE_LIMIT_EMAIL_SENT":                  `converting 'many' to type conf.Rate. details: rate: value does not match rate syntax "many"`,
		"GOTRUE_EXTERNAL_GOOGLE_ENABLED":                `converting 'on' to type bool. details: strconv.ParseBool: parsing "on": invalid syntax`,
		"GOTRUE_EXTERNAL_ZOOM_ENABLED":                  `converting 'on' to type bool. details: strconv.ParseBool: parsing "on": invalid syntax`,
		"GOTRUE_SESSIONS_TIMEBOX":                       "conf: session timebox duration must be positive when set, was 0s",
		"GOTRUE_SECURITY_DB_ENCRYPTION_DECRYPTION_KEYS": "converting the value to type map[string]string failed",
		"GOTRUE_MAILER_TEMPLATE_MAX_AGE":                `converting '10' to type time.Duration. details: time: missing unit in duration "10"`,
	}, got)
	require.NotContains(t, err.Error(), "hush")
}

func TestChecks(t *testing.T) {
	const key, otherKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE"
	const hook = "GOTRUE_HOOK_SEND_SMS_"
	const enc = "GOTRUE_SECURITY_DB_ENCRYPTION_"
	tests := []struct {
		name     string
		settings string // NAME=value, one a line
		variable string // empty: no problem
		message  string
	}{
		{"external url relative", "API_EXTERNAL_URL=/auth", "API_EXTERNAL_URL", "absolute"},
		{"external url empty", "API_EXTERNAL_URL=", "API_EXTERNAL_URL", "absolute"},
		{"custom url", "GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL=x", "GOTRUE_CUSTOM_OAUTH_EXTERNAL_URL", "absolute"},
		{"driver", "GOTRUE_DB_DRIVER=mysql", "GOTRUE_DB_DRIVER", "unsupported"},
		{"driver synonym", "GOTRUE_DB_DRIVER=pgx", "", ""},
		{"glob", "GOTRUE_URI_ALLOW_LIST=https://a,https://[b", "GOTRUE_URI_ALLOW_LIST", `"https://[b" is not a valid pattern`},
		{"secret empty", "GOTRUE_JWT_SECRET=", "GOTRUE_JWT_SECRET", "non-empty []byte key required"},
		{"exp negative", "GOTRUE_JWT_EXP=-1", "GOTRUE_JWT_EXP", "negative"},
		{"keys empty", "GOTRUE_JWT_KEYS=", "GOTRUE_JWT_KEYS", "JSON array"},
		{"keys not JSON", "GOTRUE_JWT_KEYS=hush", "GOTRUE_JWT_KEYS", "JSON array"},
		{"keys object", `GOTRUE_JWT_KEYS={"kty":"oct"}`, "GOTRUE_JWT_KEYS", "JSON array"},
		{"keys type", `GOTRUE_JWT_KEYS=[{"kty":"??","key_ops":["sign"]}]`, "GOTRUE_JWT_KEYS", "kty must be"},
		{"no signing key", `GOTRUE_JWT_KEYS=[{"kty":"oct","k":"aHVzaA","key_ops":["verify"]}]`, "GOTRUE_JWT_KEYS", "no signing key found"},
		{"two signing keys", `GOTRUE_JWT_KEYS=[{"kty":"oct","key_ops":["sign"]},{"kty":"EC","key_ops":["sign"]}]`, "GOTRUE_JWT_KEYS",
			"multiple signing keys detected, only 1 signing key is supported"},
		{"keys instead of secret", "GOTRUE_JWT_SECRET=\n" + `GOTRUE_JWT_KEYS=[{"kty":"EC","key_ops":["sign"]}]`, "", ""},
		{"both autoconfirm", "GOTRUE_MAILER_AUTOCONFIRM=1\nGOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS=1", "GOTRUE_MAILER_AUTOCONFIRM",
			"cannot enable both GOTRUE_MAILER_AUTOCONFIRM and GOTRUE_MAILER_ALLOW_UNVERIFIED_EMAIL_SIGN_INS"},
		{"sms template", "GOTRUE_SMS_PROVIDER=twilio\nGOTRUE_SMS_TEMPLATE={{ .Code", "GOTRUE_SMS_TEMPLATE", "template"},
		{"sms template unused", "GOTRUE_SMS_TEMPLATE={{ .Code", "", ""},
		{"mfa template", "GOTRUE_MFA_PHONE_VERIFY_ENABLED=1\nGOTRUE_MFA_PHONE_TEMPLATE={{", "GOTRUE_MFA_PHONE_TEMPLATE", "template"},
		{"test codes end", "GOTRUE_SMS_TEST_OTP_VALID_UNTIL=tomorrow", "GOTRUE_SMS_TEST_OTP_VALID_UNTIL", "not a time"},
		{"test codes never end", "GOTRUE_SMS_TEST_OTP_VALID_UNTIL=", "", ""},
		{"inactivity", "GOTRUE_SESSIONS_INACTIVITY_TIMEOUT=-1s", "GOTRUE_SESSIONS_INACTIVITY_TIMEOUT",
			"conf: session inactivity timeout duration must be positive when set, was -1s"},
		{"low aal", "GOTRUE_SESSIONS_ALLOW_LOW_AAL=0", "GOTRUE_SESSIONS_ALLOW_LOW_AAL",
			"conf: session allow low AAL duration must be positive when set, was 0s"},
		{"refresh version", "GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION=3", "GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION",
			"refresh token algorithm version must be 0, 1 or 2 but was 3"},
		{"refresh percentage", "GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE=101", "GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE",
			"refresh token upgrade percentage must be between 0 and 100, but was 101"},
		{"captcha provider", "GOTRUE_SECURITY_CAPTCHA_ENABLED=1\nGOTRUE_SECURITY_CAPTCHA_SECRET=s\nGOTRUE_SECURITY_CAPTCHA_PROVIDER=x",
			"GOTRUE_SECURITY_CAPTCHA_PROVIDER", "unsupported captcha provider: x"},
		{"captcha secret", "GOTRUE_SECURITY_CAPTCHA_ENABLED=1\nGOTRUE_SECURITY_CAPTCHA_SECRET= ", "GOTRUE_SECURITY_CAPTCHA_SECRET",
			"captcha provider secret is empty"},
		{"encryption key id", enc + "ENCRYPT=1\n" + enc + "ENCRYPTION_KEY=" + key, enc + "ENCRYPTION_KEY_ID", "conf: encryption key ID must be specified"},
		{"encryption key", enc + "ENCRYPT=1\n" + enc + "ENCRYPTION_KEY_ID=a\n" + enc + "ENCRYPTION_KEY=hush\n" + enc + "DECRYPTION_KEYS=a:" + key,
			enc + "ENCRYPTION_KEY", "conf: encryption key is not 256 bits"},
		{"encryption key absent", enc + "ENCRYPT=1\n" + enc + "ENCRYPTION_KEY_ID=a\n" + enc + "ENCRYPTION_KEY=" + key + "\n" + enc + "DECRYPTION_KEYS=a:" + otherKey,
			enc + "DECRYPTION_KEYS", "conf: encryption key must also be present in decryption keys"},
		{"decryption key", enc + "DECRYPTION_KEYS=a:hush", enc + "DECRYPTION_KEYS", `conf: decryption key with ID "a" must be 256 bits`},
		{"encryption", enc + "ENCRYPT=1\n" + enc + "ENCRYPTION_KEY_ID=a\n" + enc + "ENCRYPTION_KEY=" + key + "\n" + enc + "DECRYPTION_KEYS=a:" + key, "", ""},
		{"linking format", "GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS=azure", "GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS",
			`conf: invalid provider linking domain "azure", expected format "provider=domain"`},
		{"linking empty", "GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS=azure=", "GOTRUE_EXPERIMENTAL_PROVIDER_LINKING_DOMAINS",
			`conf: invalid provider linking domain "azure=", provider and domain must be non-empty`},
		{"hook function", hook + "URI=pg-functions://any/public", hook + "URI", "URI path does not contain enough parts"},
		{"hook schema", hook + "URI=pg-functions://any/1x/f", hook + "URI", "invalid schema name: 1x"},
		{"hook function name", hook + "URI=pg-functions://any/public/f;drop", hook + "URI", "invalid table name: f;drop"},
		{"hook function with secrets", hook + "URI=pg-functions://any/public/f\nSECRETS=x", "", ""},
		{"hook http", hook + "URI=http://example.com/x", hook + "URI", "only localhost, 127.0.0.1, and ::1 are supported with http"},
		{"hook http local", hook + "URI=http://[::1]:8080/x", "", ""},
		{"hook scheme", hook + "URI=ftp://example.com", hook + "URI", "only postgres hooks and HTTPS functions are supported at the moment"},
		{"hook secret", hook + "URI=https://h.example\n" + hook + "SECRETS=" + hookSecret + "|hush", hook + "SECRETS", "invalid secret format"},
		{"hook secrets", hook + "URI=https://h.example\n" + hook + "SECRETS=" + hookSecret + "|" + hookSecret, "", ""},
		{"bare secrets without hooks", "SECRETS=unrelated", "", ""},
		{"rate limit", "GOTRUE_RATE_LIMIT_OTP=NaN", "GOTRUE_RATE_LIMIT_OTP", "must be a number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			more := map[string]string{}
			for line := range strings.SplitSeq(tt.settings, "\n") {
				name, value, _ := strings.Cut(line, "=")
				more[name] = value
			}
			_, _, err := load(t, more)
			if tt.variable == "" {
				require.NoError(t, err)
				return
			}
			require.Contains(t, problems(t, err)[tt.variable], tt.message)
			require.NotContains(t, err.Error(), "hush")
			require.NotContains(t, err.Error(), "aHVzaA")
		})
	}
}

func TestSAMLKey(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	good := base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(rsaKey))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(rsaKey)
	require.NoError(t, err)

	tests := []struct{ name, key, next, variable, message string }{
		{"good", good, good, "", ""},
		{"empty", "", "", "GOTRUE_SAML_PRIVATE_KEY", "SAML private key not in PKCS#1 format"},
		{"base64", "-", "", "GOTRUE_SAML_PRIVATE_KEY", "SAML private key not in standard Base64 format"},
		{"PKCS#8", base64.StdEncoding.EncodeToString(pkcs8), "", "GOTRUE_SAML_PRIVATE_KEY", "SAML private key not in PKCS#1 format"},
		{"next", good, "-", "GOTRUE_SAML_PRIVATE_KEY_NEXT", "SAML next private key not in standard Base64 format"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			more := map[string]string{
				"GOTRUE_SAML_ENABLED": "true", "GOTRUE_SAML_PRIVATE_KEY": tt.key, "GOTRUE_SAML_PRIVATE_KEY_NEXT": tt.next,
			}
			_, _, err := load(t, more)
			if tt.variable == "" {
				require.NoError(t, err)
			} else {
				require.Equal(t, map[string]string{tt.variable: tt.message}, problems(t, err))
			}
			more["GOTRUE_SAML_ENABLED"] = "false"
			_, _, err = load(t, more)
			require.NoError(t, err)
		})
	}

	t.Run("weak", func(t *testing.T) {
		r := newReport()
		rsaKey.E, rsaKey.N = 3, big.NewInt(15)
		checkSAMLStrength(r, "GOTRUE_SAML_PRIVATE_KEY", "SAML private key", rsaKey)
		require.Equal(t, []Problem{
			{"GOTRUE_SAML_PRIVATE_KEY", "SAML private key should use the 65537 (0x10001) RSA public exponent"},
			{"GOTRUE_SAML_PRIVATE_KEY", "SAML private key must be at least RSA 2048"},
		}, r.problems)
	})
	t.Run("relay state", func(t *testing.T) {
		_, _, err := load(t, map[string]string{
			"GOTRUE_SAML_ENABLED": "true", "GOTRUE_SAML_PRIVATE_KEY": good,
			"GOTRUE_SAML_RELAY_STATE_VALIDITY_PERIOD": "-1s", "GOTRUE_SAML_EXTERNAL_URL": "nowhere",
		})
		require.Len(t, problems(t, err), 2)
	})
}

func TestWarnings(t *testing.T) {
	tests := []struct{ name, variable, value, message string }{
		{"driver", "GOTRUE_DB_DRIVER", "pg", "deprecated"},
		{"headers", "GOTRUE_SMTP_HEADERS", `{"hush":"x"}`, "ignored, because it is not a JSON object of lists of strings"},
		{"hosts", "GOTRUE_MAILER_EMAIL_VALIDATION_BLOCKED_MX", "hush", "ignored, because it is not a JSON list of strings"},
		{"passkey", "GOTRUE_PASSKEY_ENABLED", "true", "conf: GOTRUE_WEBAUTHN_RP_ID is required when WebAuthn is enabled"},
		{"level", "GOTRUE_LOG_LEVEL", "loud", "unknown level"},
		{"misspelled", "GOTRUE_SMTP_HOTS", "hush", "GOTRUE_SMTP_HOTS: is not read; did you mean GOTRUE_SMTP_HOST?"},
		{"missing letter", "GOTRUE_EXTERNAL_GOOGLE_CLIENTID", "hush", "did you mean GOTRUE_EXTERNAL_GOOGLE_CLIENT_ID?"},
		{"nothing like it", "GOTRUE_ZZZZZZZZZZ", "hush", "there is no such setting"},
		{"bare form", "GOTRUE_DB_NAMESPACE", "hush", "the variable is DB_NAMESPACE"},
		{"singular", "GOTRUE_HOOK_SEND_SMS_SECRET", "hush", "the variable ends in _SECRETS"},
		{"cookies", "GOTRUE_COOKIE_KEY", "hush", "no cookie settings"},
		{"internal field", "GOTRUE_SAML_RSAPRIVATEKEY", "hush", "internal field"},
		{"absent", "GOTRUE_EXTERNAL_GITHUB_ENABLED", "true", "this version does not have the feature"},
		{"no sender", "GOTRUE_SMTP_HOST", "hush", "GOTRUE_SMTP_ADMIN_EMAIL: is not an address"},
		{"poller", "GOTRUE_RELOADING_POLLER_ENABLED", "hush", "POLLERENABLED"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, warnings, err := load(t, map[string]string{tt.variable: tt.value})
			require.NoError(t, err)
			require.NotEmpty(t, warnings)
			require.Contains(t, warnings[0].String(), tt.message)
			require.NotContains(t, warnings[0].String(), "hush")
		})
	}
}

func TestEditDistance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"abc", "abc", 0}, {"kitten", "sitting", 3}, {"ab", "ba", 2}} {
		require.Equal(t, tt.want, editDistance(tt.a, tt.b))
		require.Equal(t, tt.want, editDistance(tt.b, tt.a))
	}
}

func TestGlobSyntax(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", "https://*.example.com/**", "a?[b-c]{d,e}", "[!a]", `\[`, `[\]]`, "http://[::1]:3000", "b}", "]"} {
		require.NoError(t, checkGlob(good), good)
	}
	for _, bad := range []string{"[", "[]", "[!]", "{a", `a\`, `[\`, "{[}"} {
		require.Error(t, checkGlob(bad), bad)
	}
}
