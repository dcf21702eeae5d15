package mailer

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// templateServer serves bodies; what it says can change.
type templateServer struct {
	url   string
	calls atomic.Int64
	mu    sync.Mutex
	serve http.HandlerFunc
}

func newTemplateServer(t *testing.T, handler http.HandlerFunc) *templateServer {
	t.Helper()
	s := &templateServer{serve: handler}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		s.mu.Lock()
		handler := s.serve
		s.mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *templateServer) now(handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serve = handler
}

// says answers with a text.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(text)) }
}

// setupRemote makes a mailer whose confirmations come from s.
func setupRemote(t *testing.T, s *templateServer, change ...func(*Config)) bundle {
	t.Helper()
	return setup(t, nil, append([]func(*Config){func(c *Config) {
		c.SiteURL = s.url + "/site/"
		c.Templates = map[Kind]string{Confirmation: "/mail/confirm.html?key=hidden"}
	}}, change...)...)
}

// text renders a confirmation as Send would.
func (b bundle) text(ctx context.Context, t *testing.T) string {
	t.Helper()
	msg := confirmation()
	_, text, err := b.render(ctx, msg)
	require.NoError(t, err)
	return text
}

// builtIn is a phrase of the built-in confirmation.
const builtIn = "Is this your address?"

func TestRemoteTemplate(t *testing.T) {
	t.Parallel()
	var path string
	server := newTemplateServer(t, func(w http.ResponseWriter, r *http.Request) {
		path = r.URL.Path
		says("Hello {{ .Data.name }}")(w, r)
	})
	m := setupRemote(t, server)
	require.Equal(t, "Hello Ada", m.text(t.Context(), t))
	require.Equal(t, "/site/mail/confirm.html", path)

	server.now(says("Goodbye"))
	m.clock.advance(10*time.Minute - 1)
	require.Equal(t, "Hello Ada", m.text(t.Context(), t), "cached")
	require.EqualValues(t, 1, server.calls.Load())
	m.clock.advance(1)
	require.Equal(t, "Goodbye", m.text(t.Context(), t))
}

// A mailer that takes another one's place needs no template server that is up.
func TestTemplatesOutliveTheirMailer(t *testing.T) {
	t.Parallel()
	server := newTemplateServer(t, says("Hello"))
	first := setupRemote(t, server)
	require.Equal(t, "Hello", first.text(t.Context(), t))
	server.now(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })

	second := setupRemote(t, server, func(c *Config) { c.Previous = first.Mailer })
	require.Equal(t, "Hello", second.text(t.Context(), t))
	moved := setupRemote(t, server, func(c *Config) {
		c.Previous, c.Templates = first.Mailer, map[Kind]string{Confirmation: "/mail/other.html"}
	})
	require.Contains(t, moved.text(t.Context(), t), builtIn, "another address is another template")
}

// Whatever a template server does wrong, there is a body, and the server is
// left alone for the retry interval.
func TestRemoteTemplateFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		handler http.HandlerFunc
		log     string
	}{
		{"down", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "status 502"},
		{"other success", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }, "status 202"},
		{"connection lost", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF"},
		{"huge", says(strings.Repeat("x", 1001)), "larger than 1000 bytes"},
		{"endless", func(w http.ResponseWriter, _ *http.Request) {
			for {
				if _, err := w.Write(make([]byte, 1<<16)); err != nil {
					return
				}
			}
		}, "larger than 1000 bytes"},
		{"empty", says(" \n"), "empty"},
		{"not UTF-8", says("caf\xe9"), "not UTF-8"},
		{"malformed", says("{{ .Email"), "unclosed action"},
		{"malformed as HTML", says("<a href='{{ .Email }}"), "ends in a non-text context"},
		{"unknown function", says("{{ shell .Email }}"), "not defined"},
		{"cut short", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("Hello"))
		}, "unexpected EOF"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			server := newTemplateServer(t, tt.handler)
			m := setupRemote(t, server)
			require.Contains(t, m.text(t.Context(), t), builtIn)
			require.Contains(t, m.logs.String(), tt.log)
			require.NotContains(t, m.logs.String(), "hidden")

			// Not asked again before the interval, then good, then bad again.
			server.now(says("Hello"))
			m.clock.advance(10*time.Second - 1)
			require.Contains(t, m.text(t.Context(), t), builtIn)
			require.EqualValues(t, 1, server.calls.Load())
			m.clock.advance(1)
			require.Equal(t, "Hello", m.text(t.Context(), t))

			server.now(tt.handler)
			m.clock.advance(time.Hour)
			require.Equal(t, "Hello", m.text(t.Context(), t), "the previous one is better than the built-in one")
			asked := server.calls.Load() // the HTTP client may ask twice if a kept connection breaks
			require.GreaterOrEqual(t, asked, int64(3))
			require.Equal(t, "Hello", m.text(t.Context(), t))
			require.Equal(t, asked, server.calls.Load(), "the interval holds for this failure too")
		})
	}
}

func TestRemoteTemplateThatFailsOnItsData(t *testing.T) {
	t.Parallel()
	m := setupRemote(t, newTemplateServer(t, says("Hello {{ .Data.name.first }}")))
	require.Contains(t, m.text(t.Context(), t), builtIn)
	require.Contains(t, m.logs.String(), "mail template failed")
}

func TestSlowTemplateServer(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	slow := func(w http.ResponseWriter, r *http.Request) {
		<-release
		says("Late")(w, r)
	}
	server := newTemplateServer(t, slow)

	// The fetch has a limit of its own.
	limited := setupRemote(t, server)
	limited.library.timeout = 50 * time.Millisecond
	require.Contains(t, limited.text(t.Context(), t), builtIn)

	// A caller does not wait longer than it wants to, but the fetch goes on.
	m := setupRemote(t, server)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Contains(t, m.text(ctx, t), builtIn)
	require.NotContains(t, m.logs.String(), "could not be loaded")
	close(release)
	require.Equal(t, "Late", m.text(t.Context(), t))
	require.EqualValues(t, 2, server.calls.Load(), "the second caller joined the first one's fetch")
}

func TestManyMailsFetchOnce(t *testing.T) {
	t.Parallel()
	const mails = 20
	arrived := make(chan struct{}, mails)
	server := newTemplateServer(t, func(w http.ResponseWriter, r *http.Request) {
		for range mails {
			<-arrived // answer when all are about to ask
		}
		says("Hello")(w, r)
	})
	m := setupRemote(t, server)
	var wg sync.WaitGroup
	texts := make(chan string, mails)
	for range mails {
		wg.Go(func() {
			arrived <- struct{}{}
			texts <- m.text(t.Context(), t)
		})
	}
	wg.Wait()
	close(texts)
	for text := range texts {
		require.Equal(t, "Hello", text)
	}
	require.EqualValues(t, 1, server.calls.Load())
}

func TestReloadBeforeTheAgeIsReached(t *testing.T) {
	t.Parallel()
	server := newTemplateServer(t, says("One"))
	m := setupRemote(t, server, func(c *Config) { c.TemplateReload = true })
	require.Equal(t, "One", m.text(t.Context(), t))

	release := make(chan struct{})
	server.now(func(w http.ResponseWriter, r *http.Request) {
		<-release
		says("Two")(w, r)
	})
	m.clock.advance(9*time.Minute - 1)
	require.Equal(t, "One", m.text(t.Context(), t))
	require.EqualValues(t, 1, server.calls.Load())

	m.clock.advance(1)
	require.Equal(t, "One", m.text(t.Context(), t), "nobody waits")
	close(release)
	require.Eventually(t, func() bool { return m.text(t.Context(), t) == "Two" }, 5*time.Second, time.Millisecond)
	require.EqualValues(t, 2, server.calls.Load())
}

func TestSendUsesRemoteTemplate(t *testing.T) {
	t.Parallel()
	s := new(sink).start(t)
	server := newTemplateServer(t, says("<p>Grüße, {{ .Data.name }}</p>\n.\n<p>Ende</p>"))
	m := setup(t, s, func(c *Config) { c.Templates = map[Kind]string{Confirmation: server.url} })
	require.NoError(t, m.Send(t.Context(), confirmation()))
	_, _, body := read(t, s.only(t))
	require.Equal(t, "<p>Grüße, Ada</p>\r\n.\r\n<p>Ende</p>", strings.TrimSpace(body))
}
