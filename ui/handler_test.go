package ui_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/ui"
)

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func get(t *testing.T, h http.Handler, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestRoutes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		opts   ui.Options
		path   string
		status int
		kind   string
	}{
		{"consent", ui.Options{}, "/oauth/consent?authorization_id=x", 200, "text/html; charset=utf-8"},
		{"config", ui.Options{}, "/config.json", 200, "application/json"},
		{"script", ui.Options{}, "/assets/consent.js", 200, "text/javascript; charset=utf-8"},
		{"style", ui.Options{}, "/assets/style.css", 200, "text/css; charset=utf-8"},
		{"icon", ui.Options{}, "/assets/icon.svg", 200, "image/svg+xml"},
		{"home is off by default", ui.Options{}, "/", 404, ""},
		{"home", ui.Options{Home: true}, "/", 200, "text/html; charset=utf-8"},
		{"home takes no other path", ui.Options{Home: true}, "/other", 404, ""},
		{"no listing", ui.Options{}, "/assets/", 404, ""},
		{"no way out of assets", ui.Options{}, "/assets/..%2fconsent.html", 404, ""},
		{"consent below a prefix", ui.Options{Prefix: "/pages"}, "/pages/oauth/consent", 200, "text/html; charset=utf-8"},
		{"prefix in another spelling", ui.Options{Prefix: "pages/"}, "/pages/config.json", 200, "application/json"},
		{"nothing beside the prefix", ui.Options{Prefix: "/pages"}, "/oauth/consent", 404, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := get(t, ui.Handler(tt.opts), tt.path)
			require.Equal(t, tt.status, w.Code)
			if tt.kind != "" {
				require.Equal(t, tt.kind, w.Header().Get("Content-Type"))
			}
		})
	}
}

func TestOnlyReading(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, ui.ConsentPath, nil)
	ui.Handler(ui.Options{}).ServeHTTP(w, r)
	require.Equal(t, http.StatusMethodNotAllowed, w.Code)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	handler := ui.Handler(ui.Options{Home: true})
	for path, cache := range map[string]string{
		"/": "no-store", "/oauth/consent": "no-store", "/config.json": "no-store", "/assets/home.js": "no-cache",
	} {
		header := get(t, handler, path).Header()
		require.Equal(t, policy, header.Get("Content-Security-Policy"), path)
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"), path)
		require.Equal(t, cache, header.Get("Cache-Control"), path)
	}
	// The headers are also on answers that no page sent.
	require.Equal(t, policy, get(t, handler, "/missing").Header().Get("Content-Security-Policy"))
}

func TestPolicyOfAnotherOrigin(t *testing.T) {
	t.Parallel()
	tests := []struct{ url, connect string }{
		{"https://project.example/base", "connect-src 'self' https://project.example;"},
		{"http://localhost:54321", "connect-src 'self' http://localhost:54321;"},
		{"javascript://x; script-src *", "connect-src 'self';"},
		{"not a url", "connect-src 'self';"},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			t.Parallel()
			header := get(t, ui.Handler(ui.Options{URL: tt.url}), "/config.json").Header()
			require.Contains(t, header.Get("Content-Security-Policy"), tt.connect)
		})
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	w := get(t, ui.Handler(ui.Options{
		URL: "http://localhost:9999/", AnonKey: "public-key", Issuer: "http://localhost:9999/auth/v1",
		DemoURL: "/demo/", MailNote: "Mail is printed to the terminal.",
	}), "/config.json")
	require.JSONEq(t, `{"url":"http://localhost:9999","anonKey":"public-key","issuer":"http://localhost:9999/auth/v1",
		"demo":"/demo/","mail":"Mail is printed to the terminal."}`, w.Body.String())
}

func TestAssetsAreRevalidated(t *testing.T) {
	t.Parallel()
	handler := ui.Handler(ui.Options{})
	first := get(t, handler, "/assets/consent.js")
	tag := first.Header().Get("ETag")
	require.NotEmpty(t, tag)
	require.NotEmpty(t, first.Body.Bytes())

	second := get(t, handler, "/assets/consent.js", "If-None-Match", tag)
	require.Equal(t, http.StatusNotModified, second.Code)
	require.Empty(t, second.Body.Bytes())
}

// TestPagesAreComplete follows what the pages name: every script and style is
// there, below any prefix, and nothing is inline, which the policy would block.
func TestPagesAreComplete(t *testing.T) {
	t.Parallel()
	reference := regexp.MustCompile(`(?:src|href)="([^"]*)"`)
	imported := regexp.MustCompile(`from\s*"\./([^"]+)"`)
	inline := regexp.MustCompile(`<style|\sstyle=|\son[a-z]+=|<script[^>]*>[^<]`)

	handler := ui.Handler(ui.Options{Home: true, Prefix: "/pages"})
	imports := 0
	for page, up := range map[string]string{"/pages/": "", "/pages/oauth/consent": "../"} {
		html := get(t, handler, page).Body.String()
		require.NotRegexp(t, inline, html, page)
		references := reference.FindAllStringSubmatch(html, -1)
		require.Len(t, references, 3, page)
		for _, match := range references {
			name, ok := strings.CutPrefix(match[1], up+"assets/")
			require.True(t, ok, match[1])
			asset := get(t, handler, "/pages/assets/"+name)
			require.Equal(t, http.StatusOK, asset.Code, name)
			for _, shared := range imported.FindAllStringSubmatch(asset.Body.String(), -1) {
				require.Equal(t, http.StatusOK, get(t, handler, "/pages/assets/"+shared[1]).Code, shared[1])
				imports++
			}
		}
	}
	require.Equal(t, 2, imports, "both pages import the library they share")
}
