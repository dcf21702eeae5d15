package conf

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEverySettingIsDocumented compares docs/configuration.md with the structs:
// names, types and defaults, none missing and none too many.
func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/configuration.md")
	require.NoError(t, err)

	row := regexp.MustCompile("(?m)^\\| `([A-Z0-9_<>]+)` \\| ([a-z]+) \\| (.+?) \\| (.+) \\|$")
	documented := map[string]Setting{}
	for _, m := range row.FindAllStringSubmatch(string(text), -1) {
		s := Setting{Type: m[2], Required: m[3] == "required", Default: strings.Trim(m[3], "`")}
		if s.Required || s.Default == "–" {
			s.Default = ""
		}
		for _, s.Name = range expand(m[1]) {
			require.NotContains(t, documented, s.Name, "documented twice")
			documented[s.Name] = s
		}
	}

	c := Default()
	c.Mailer.Translations = []MailTranslation{{Language: "de", suffix: "DE"}}
	for _, s := range c.Effective() {
		got, found := documented[s.Name]
		require.True(t, found, "%s (%s, default %q) is not documented", s.Name, s.Type, s.Default)
		s.Value = ""
		require.Equal(t, s, got)
		delete(documented, s.Name)
	}
	require.Empty(t, documented, "documented, but not read")

	for _, v := range new(Config).variables() {
		if v.alias != "" && v.alias != "SECRETS" {
			require.Regexp(t, "`"+v.alias+"`.*`"+v.key+"`", string(text))
		}
	}
}

// expand replaces a placeholder by all it stands for.
func expand(name string) []string {
	placeholders := map[string][]string{"<PROVIDER>": ProviderNames(), "<LANGUAGE>": {"DE"}}
	for _, hook := range new(Hook).points() {
		placeholders["<HOOK>"] = append(placeholders["<HOOK>"], strings.TrimPrefix(hook.prefix, "GOTRUE_HOOK_"))
	}
	for _, v := range walk(nil, "", reflect.ValueOf(new(MailTexts)).Elem()) {
		placeholders["<KIND>"] = append(placeholders["<KIND>"], strings.TrimPrefix(v.key, "_"))
	}
	for placeholder, values := range placeholders {
		if !strings.Contains(name, placeholder) {
			continue
		}
		var names []string
		for _, value := range values {
			names = append(names, expand(strings.Replace(name, placeholder, strings.ToUpper(value), 1))...)
		}
		return names
	}
	return []string{name}
}
