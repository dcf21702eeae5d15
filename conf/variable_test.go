package conf

import (
	"bytes"
	"strings"
	"testing"

	"github.com/kelseyhightower/envconfig"
	"github.com/stretchr/testify/require"
)

func TestNamesAreThoseOfEnvconfig(t *testing.T) {
	t.Parallel()
	tests := []struct {
		prefix string
		spec   any
		vars   []variable
	}{
		{"GOTRUE", new(Config), new(Config).variables()},
		{"GOTRUE_EXTERNAL_GOOGLE", new(Provider), new(Config).variables()},
	}
	for _, tt := range tests {
		t.Run(tt.prefix, func(t *testing.T) {
			t.Parallel()
			known := knownNames(tt.vars)
			var out bytes.Buffer
			require.NoError(t, envconfig.Usagef(tt.prefix, tt.spec, &out, "{{range .}}{{.Key}} {{.Alt}}\n{{end}}"))
			names := strings.Fields(out.String())
			require.NotEmpty(t, names)
			require.Subset(t, known, names)
			if tt.prefix == "GOTRUE" { // and the other way round, but for providers
				for _, name := range known {
					if !isProviderName(name) {
						require.Contains(t, names, name)
					}
				}
			}
		})
	}
}

func isProviderName(variable string) bool {
	for _, name := range ProviderNames() {
		if strings.HasPrefix(variable, providerPrefix(name)+"_") {
			return true
		}
	}
	return false
}

func TestAliases(t *testing.T) {
	tests := []struct {
		prefixed, bare string
		value          func(*Config) string
	}{
		{"GOTRUE_API_PORT", "PORT", func(c *Config) string { return c.API.Port }},
		{"GOTRUE_API_REQUEST_ID_HEADER", "REQUEST_ID_HEADER", func(c *Config) string { return c.API.RequestIDHeader }},
		{"GOTRUE_API_API_EXTERNAL_URL", "API_EXTERNAL_URL", func(c *Config) string { return c.API.ExternalURL }},
		{"GOTRUE_DB_DATABASE_URL", "DATABASE_URL", func(c *Config) string { return c.DB.URL }},
		{"GOTRUE_DB_DB_NAMESPACE", "DB_NAMESPACE", func(c *Config) string { return c.DB.Namespace }},
		{"GOTRUE_TRACING_OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL", func(c *Config) string { return c.Tracing.ExporterProtocol }},
		{"GOTRUE_METRICS_OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL", func(c *Config) string { return c.Metrics.ExporterProtocol }},
		{"GOTRUE_METRICS_OTEL_EXPORTER_PROMETHEUS_HOST", "OTEL_EXPORTER_PROMETHEUS_HOST", func(c *Config) string { return c.Metrics.PrometheusListenHost }},
		{"GOTRUE_METRICS_OTEL_EXPORTER_PROMETHEUS_PORT", "OTEL_EXPORTER_PROMETHEUS_PORT", func(c *Config) string { return c.Metrics.PrometheusListenPort }},
		{"GOTRUE_WEBAUTHN_RP_ID", "RP_ID", func(c *Config) string { return c.WebAuthn.RPID }},
		{"GOTRUE_HOOK_SEND_EMAIL_SECRETS", "SECRETS", func(c *Config) string { return strings.Join(c.Hook.SendEmail.Secrets, "|") }},
	}
	for _, tt := range tests {
		t.Run(tt.prefixed, func(t *testing.T) {
			const bare, prefixed = "https://bare.example", "https://prefixed.example"
			require.Equal(t, bare, tt.value(mustLoad(t, map[string]string{tt.bare: bare})))
			require.Equal(t, prefixed, tt.value(mustLoad(t, map[string]string{tt.bare: bare, tt.prefixed: prefixed})))
		})
	}
	t.Run("only these", func(t *testing.T) {
		var bare []string
		for _, name := range knownNames(new(Config).variables()) {
			if !strings.HasPrefix(name, "GOTRUE_") {
				bare = append(bare, name)
			}
		}
		for _, tt := range tests {
			require.Contains(t, bare, tt.bare)
		}
		require.Len(t, bare, len(tests)-1) // one is shared by two
	})
}

func TestSplitWords(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Secret":               "Secret",
		"OTPLength":            "OTP_Length",
		"OAuthDynamic":         "O_Auth_Dynamic",
		"Web3Solana":           "Web3_Solana",
		"AllowLowAAL":          "Allow_Low_AAL",
		"UpdatePKCE":           "Update_PKCE",
		"SBForwardedForEnable": "SB_Forwarded_For_Enable",
	} {
		require.Equal(t, want, splitWords(name))
	}
}
