package mailer

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// translated has a subject of the confirmation in each language.
func translated(names ...string) map[string]Texts {
	translations := map[string]Texts{}
	for _, name := range names {
		translations[name] = Texts{Subjects: map[Kind]string{Confirmation: name}}
	}
	return translations
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	european := []string{"de", "fr", "pt-BR", "es", "ru"}
	tests := []struct {
		name     string
		offered  []string
		fallback string
		metadata map[string]any
		want     string
	}{
		{"exact", european, "", map[string]any{"locale": "de"}, "de"},
		{"region", european, "", map[string]any{"locale": "de-AT"}, "de"},
		{"as POSIX writes it", european, "", map[string]any{"locale": "fr_FR.UTF-8"}, "fr"},
		{"capitals", european, "", map[string]any{"locale": "FR-ca"}, "fr"},
		{"lang", european, "", map[string]any{"lang": "es-MX"}, "es"},
		{"language", european, "", map[string]any{"language": "pt"}, "pt-BR"},
		{"region given", european, "", map[string]any{"locale": "pt_BR"}, "pt-BR"},
		{"the first that there is", european, "", map[string]any{"locale": "ja", "language": "de"}, "de"},
		{"locale first", european, "", map[string]any{"locale": "es", "lang": "fr", "language": "de"}, "es"},
		{"none", european, "", map[string]any{"name": "Ada"}, ""},
		{"no metadata", european, "", nil, ""},
		{"not there", european, "", map[string]any{"locale": "ja"}, ""},
		{"not there, but there is a default", european, "fr", map[string]any{"locale": "ja"}, "fr"},
		{"none, but there is a default", european, "fr", nil, "fr"},
		{"default that is not translated", european, "it", map[string]any{"locale": "it-CH"}, ""},
		{"default that is not translated, another one", european, "it", map[string]any{"locale": "de-CH"}, "de"},
		{"default before its neighbour", []string{"it-CH"}, "it", map[string]any{"locale": "it"}, ""},
		{"neighbour of the default", []string{"it-CH"}, "it", map[string]any{"locale": "it-CH"}, "it-CH"},
		{"neighbours are no substitute", european, "", map[string]any{"locale": "uk"}, ""},
		{"nor is another script", []string{"zh-Hans"}, "", map[string]any{"locale": "zh-TW"}, ""},
		{"script by region", []string{"zh-Hans", "zh-Hant"}, "", map[string]any{"locale": "zh-HK"}, "zh-Hant"},
		{"nobody asks for the undetermined", european, "fr", map[string]any{"locale": "und"}, "fr"},
		{"a word", european, "", map[string]any{"locale": "German"}, ""},
		{"not a text", european, "", map[string]any{"locale": 5, "lang": []any{"de"}, "language": map[string]any{"de": 1}}, ""},
		{"hostile", european, "", map[string]any{"locale": "de-" + string(make([]byte, 100))}, ""},
		{"path", european, "", map[string]any{"locale": "../../etc/passwd"}, ""},
		{"nothing translated", nil, "fr", map[string]any{"locale": "fr"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLanguages(translated(tt.offered...), tt.fallback)
			require.Equal(t, tt.want, l.choose(Confirmation, tt.metadata))
			require.Empty(t, l.choose(Invite, tt.metadata), "each kind has languages of its own")
		})
	}
}

// Whatever users write, the language is one that there is.
func FuzzLanguage(f *testing.F) {
	for _, seed := range []string{"de", "pt_BR", "zh-Hant-TW", "x-private", "en-u-ca-buddhist", "", "-", "de-1996-1901", "sl-rozaj-biske-1994"} {
		f.Add(seed)
	}
	l := newLanguages(translated("de", "pt-BR", "zh-Hant"), "fr")
	f.Fuzz(func(t *testing.T, text string) {
		got := l.choose(Confirmation, map[string]any{"locale": text})
		require.True(t, slices.Contains([]string{"", "de", "pt-BR", "zh-Hant"}, got), got)
	})
}

func TestTranslatedMail(t *testing.T) {
	t.Parallel()
	server := newTemplateServer(t, says("Hallo {{ .Data.name }}"))
	plain := newTemplateServer(t, says("Hello {{ .Data.name }}"))
	m := setup(t, nil, func(c *Config) {
		c.Subjects = map[Kind]string{Confirmation: "Welcome", Recovery: "Again"}
		c.Templates = map[Kind]string{Confirmation: plain.url}
		c.Translations = map[string]Texts{
			"de": {
				Subjects:  map[Kind]string{Confirmation: "Willkommen, {{ .Data.name }}"},
				Templates: map[Kind]string{Confirmation: server.url, Invite: server.url},
			},
			"fr": {Subjects: map[Kind]string{Confirmation: "{{ .Data.name.first }}"}},
			"es": {Subjects: map[Kind]string{Confirmation: "{{ .Broken"}},
		}
	})
	write := func(kind Kind, locale string) (string, string) {
		msg := Message{Kind: kind, Data: TemplateData{Data: map[string]any{"name": "Ada", "locale": locale}}}
		subject, body, err := m.render(t.Context(), msg)
		require.NoError(t, err)
		return subject, body
	}

	subject, body := write(Confirmation, "de-AT")
	require.Equal(t, "Willkommen, Ada", subject)
	require.Equal(t, "Hallo Ada", body)
	subject, body = write(Confirmation, "en")
	require.Equal(t, "Welcome", subject)
	require.Equal(t, "Hello Ada", body)

	// What a language lacks, or what fails in it, comes from the texts without one.
	subject, body = write(Confirmation, "fr")
	require.Equal(t, "Welcome", subject)
	require.Equal(t, "Hello Ada", body)
	subject, _ = write(Confirmation, "es")
	require.Equal(t, "Welcome", subject)
	subject, body = write(Invite, "de")
	require.Equal(t, "You've been invited", subject)
	require.Equal(t, "Hallo Ada", body)
	subject, _ = write(Recovery, "de")
	require.Equal(t, "Again", subject)

	server.now(says("{{ .Broken"))
	m.clock.advance(m.library.maxAge)
	_, body = write(Confirmation, "de")
	require.Equal(t, "Hallo Ada", body, "the previous one")
}

// A language whose body never loaded borrows that of the texts without one.
func TestTranslationThatDoesNotLoad(t *testing.T) {
	t.Parallel()
	m := setup(t, nil, func(c *Config) {
		c.Templates = map[Kind]string{Confirmation: newTemplateServer(t, says("Hello")).url}
		c.Translations = map[string]Texts{"de": {Templates: map[Kind]string{Confirmation: "file:///does/not/exist.html"}}}
		c.DefaultLanguage = "de"
	})
	require.Equal(t, "Hello", m.text(t.Context(), t))
	require.Contains(t, m.logs.String(), "language=de")
}
