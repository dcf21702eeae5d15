package mailer

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestParseAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		site, template string
		want           address
	}{
		{"https://app.example", "/t.html", address{url: "https://app.example/t.html"}},
		{"https://app.example/", "/t.html", address{url: "https://app.example/t.html"}},
		{"https://app.example/sub", "t.html", address{url: "https://app.example/sub/t.html"}},
		{"https://app.example", "http://cdn.example/t.html", address{url: "http://cdn.example/t.html"}},
		{"https://app.example", "/etc/mail/t.html", address{url: "https://app.example/etc/mail/t.html"}},
		{"https://app.example", "file:///etc/mail/t.html", address{file: "/etc/mail/t.html"}},
		{"https://app.example", "file:///etc/my mail/100%.html", address{file: "/etc/my mail/100%.html"}},
	}
	for _, tt := range tests {
		require.Equal(t, tt.want, parseAddress(tt.site, tt.template))
	}
}

// setupFile makes a mailer whose confirmations come from a file.
func setupFile(t *testing.T, path string) bundle {
	t.Helper()
	return setup(t, nil, func(c *Config) { c.Templates = map[Kind]string{Confirmation: "file://" + path} })
}

func TestFileTemplate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "confirm me.html")
	write := func(text string) { require.NoError(t, os.WriteFile(path, []byte(text), 0o600)) }
	m := setupFile(t, path)
	require.Contains(t, m.text(t.Context(), t), builtIn, "not there yet")
	require.Contains(t, m.logs.String(), "no such file")

	write("Hello {{ .Data.name }}")
	require.Contains(t, m.text(t.Context(), t), builtIn, "not looked at again so soon")
	m.clock.advance(10 * time.Second)
	require.Equal(t, "Hello Ada", m.text(t.Context(), t))

	write("Goodbye {{ .Data.name }}")
	m.clock.advance(10*time.Minute - 1)
	require.Equal(t, "Hello Ada", m.text(t.Context(), t))
	m.clock.advance(1)
	require.Equal(t, "Goodbye Ada", m.text(t.Context(), t))

	for _, broken := range []string{"", "{{ .Broken", strings.Repeat("x", 1001), "caf\xe9"} {
		write(broken)
		m.clock.advance(10 * time.Minute)
		require.Equal(t, "Goodbye Ada", m.text(t.Context(), t), "the previous one")
	}
	require.NoError(t, os.Remove(path))
	m.clock.advance(10 * time.Minute)
	require.Equal(t, "Goodbye Ada", m.text(t.Context(), t))
}

// What is no file is not waited for.
func TestFileTemplateThatIsNone(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	for _, path := range []string{pipe, t.TempDir(), "/dev/zero"} {
		m := setupFile(t, path)
		require.Contains(t, m.text(t.Context(), t), builtIn)
		require.Contains(t, m.logs.String(), "not a regular file")
	}
}
