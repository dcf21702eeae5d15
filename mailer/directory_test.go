package mailer

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// directory writes files into a new folder.
func directory(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	}
	return dir
}

// write renders a kind of mail for a user of a language.
func (b bundle) write(t *testing.T, kind Kind, locale string) (subject, body string) {
	t.Helper()
	msg := Message{Kind: kind, Data: TemplateData{Data: map[string]any{"name": "Ada", "locale": locale}}}
	subject, body, err := b.render(t.Context(), msg)
	require.NoError(t, err)
	return subject, body
}

func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := directory(t, map[string]string{
		"confirmation.html":        `{{ define "subject" }}Hi {{ .Data.name }}{{ end }}Hello`,
		"recovery.html":            `Again`,
		"de/confirmation.html":     `{{ define "subject" }}Hallo {{ .Data.name }}{{ end }}Hallo`,
		"pt_BR/confirmation.html":  `Olá`,
		"fr/magic_link.html":       `{{ define "subject" }}{{ .Data.name.first }}{{ end }}Bonjour`,
		"confirm.html":             `misspelled`,
		"de/invite.txt":            `not HTML`,
		"german/confirmation.html": `no language`,
		".git/HEAD":                `hidden`,
	})
	m := setup(t, nil, func(c *Config) {
		c.TemplateDirectory = dir
		c.TemplateMaxBytes = 1000
		c.Subjects = map[Kind]string{Recovery: "Set"}
		c.Translations = map[string]Texts{
			"de": {Subjects: map[Kind]string{Recovery: "Gesetzt"}},
			"es": {Subjects: map[Kind]string{Confirmation: "Hola"}},
		}
	})
	for _, tt := range []struct {
		kind                  Kind
		locale, subject, body string
	}{
		{Confirmation, "", "Hi Ada", "Hello"},
		{Confirmation, "de", "Hallo Ada", "Hallo"},
		{Confirmation, "pt", "Hi Ada", "Olá"},
		{Confirmation, "es", "Hola", "Hello"},
		{Recovery, "", "Set", "Again"},
		{Recovery, "de", "Gesetzt", "Again"},
		{MagicLink, "fr", "Your sign-in link", "Bonjour"},
	} {
		subject, body := m.write(t, tt.kind, tt.locale)
		require.Equal(t, tt.subject, subject, "%s %s", tt.kind, tt.locale)
		require.Equal(t, tt.body, body, "%s %s", tt.kind, tt.locale)
	}
	for _, complaint := range []string{"confirm.html", "invite.txt", "folder=german"} {
		require.Contains(t, m.logs.String(), complaint)
	}
	require.NotContains(t, m.logs.String(), "HEAD")
}

// Files change without a restart, subjects too.
func TestDirectoryChanges(t *testing.T) {
	t.Parallel()
	dir := directory(t, map[string]string{"invite.html": `{{ define "subject" }}One{{ end }}one`})
	m := setup(t, nil, func(c *Config) { c.TemplateDirectory = dir })
	subject, body := m.write(t, Invite, "")
	require.Equal(t, "One one", subject+" "+body)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "invite.html"), []byte(`{{ define "subject" }}Two{{ end }}two`), 0o600))
	m.clock.advance(m.library.maxAge)
	subject, body = m.write(t, Invite, "")
	require.Equal(t, "Two two", subject+" "+body)

	// A subject that cannot work takes its body with it.
	require.NoError(t, os.WriteFile(filepath.Join(dir, "invite.html"), []byte(`{{ define "subject" }}<a href='{{ .Email }}{{ end }}three`), 0o600))
	m.clock.advance(m.library.maxAge)
	subject, body = m.write(t, Invite, "")
	require.Equal(t, "Two two", subject+" "+body)
}

// What is configured by name wins, and the configuration stays as it is.
func TestDirectoryYields(t *testing.T) {
	t.Parallel()
	dir := directory(t, map[string]string{"invite.html": "file", "de/invite.html": "Datei", "de/recovery.html": "Datei"})
	server := newTemplateServer(t, says("{{ define `subject` }}Mine{{ end }}URL"))
	templates := map[Kind]string{Invite: server.url}
	translations := map[string]Texts{"de": {Templates: map[Kind]string{Invite: server.url}}}
	m := setup(t, nil, func(c *Config) {
		c.TemplateDirectory, c.Templates, c.Translations = dir, templates, translations
		c.Subjects = map[Kind]string{Invite: "Theirs"}
	})
	subject, body := m.write(t, Invite, "")
	require.Equal(t, "Theirs URL", subject+" "+body)
	_, body = m.write(t, Invite, "de")
	require.Equal(t, "URL", body)
	_, body = m.write(t, Recovery, "de")
	require.Equal(t, "Datei", body)
	require.Len(t, templates, 1)
	require.Len(t, translations["de"].Templates, 1)
}

func TestDirectoryThatIsNone(t *testing.T) {
	t.Parallel()
	m := setup(t, nil, func(c *Config) { c.TemplateDirectory = "/does/not/exist" })
	require.Contains(t, m.text(t.Context(), t), builtIn)
	require.Contains(t, m.logs.String(), "mail template directory cannot be read")
}
