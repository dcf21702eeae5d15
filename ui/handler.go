package ui

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

//go:embed dist
var dist embed.FS

// ConsentPath is the path of the consent page below [Options.Prefix], the value
// for GOTRUE_OAUTH_SERVER_AUTHORIZATION_PATH when there is no prefix.
const ConsentPath = "/oauth/consent"

// Options says where the pages are served and which project they talk to.
// The zero value serves the consent page at [ConsentPath] for the project at
// the pages' own origin.
type Options struct {
	// Prefix is the path in front of every route, such as "/pages"; empty for
	// none. The handler expects the full path: do not strip the prefix.
	Prefix string
	// Home adds the home page at Prefix+"/".
	Home bool
	// URL is the project URL as supabase-js takes it: the address that has
	// the auth API at /auth/v1. Empty means the origin of the page. Another
	// origin is allowed in the pages' policy; it must answer CORS requests.
	URL string
	// AnonKey is the public key the pages send as "apikey". supabase-js
	// refuses an empty one.
	AnonKey string
	// Issuer is the base of the metadata links on the home page; empty means
	// URL + "/auth/v1".
	Issuer string
	// DemoURL leads to a client to try; empty hides the link.
	DemoURL string
	// MailNote tells people on the home page where mail ends up; plain text,
	// empty for none.
	MailNote string
}

// config is config.json, read by src/project.ts.
type config struct {
	URL     string `json:"url"`
	AnonKey string `json:"anonKey"`
	Issuer  string `json:"issuer"`
	Demo    string `json:"demo"`
	Mail    string `json:"mail"`
}

// Handler serves the pages, below opts.Prefix:
//
//	/                (with opts.Home) the home page
//	/oauth/consent   the consent page
//	/config.json     what the scripts need to know
//	/assets/…        scripts and styles
//
// Everything else is 404, other methods than GET and HEAD 405.
func Handler(opts Options) http.Handler {
	prefix := strings.TrimSuffix("/"+strings.Trim(opts.Prefix, "/"), "/")
	settings, _ := json.Marshal(config{ // strings always encode
		URL: strings.TrimRight(opts.URL, "/"), AnonKey: opts.AnonKey, Issuer: opts.Issuer,
		Demo: opts.DemoURL, Mail: opts.MailNote,
	})

	mux := http.NewServeMux()
	mux.Handle("GET "+prefix+ConsentPath, document("text/html; charset=utf-8", embedded("dist/consent.html")))
	mux.Handle("GET "+prefix+"/config.json", document("application/json", settings))
	if opts.Home {
		mux.Handle("GET "+prefix+"/{$}", document("text/html; charset=utf-8", embedded("dist/index.html")))
	}
	names, _ := fs.Glob(dist, "dist/assets/*") // fails for a bad pattern only
	for _, name := range names {
		mux.Handle("GET "+prefix+"/assets/"+path.Base(name), asset(mediaType(name), embedded(name)))
	}
	return secured(contentPolicy(opts.URL), mux)
}

// embedded returns a file of the build. A missing one would be empty; the tests
// see to it that none is.
func embedded(name string) []byte {
	content, _ := dist.ReadFile(name)
	return content
}

// document serves something that may differ at the next start of the server.
func document(contentType string, body []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-store")
		_, _ = w.Write(body) // the client may be gone
	})
}

// asset serves a file that browsers may keep but ask about each time (RFC 9111
// §5.2.2.4), since its name stays when its content changes.
func asset(contentType string, body []byte) http.Handler {
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	})
}

// mediaType does not ask the mime package, whose answers depend on tables of
// the machine: with nosniff a script of the wrong type does not run.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// contentPolicy is the Content-Security-Policy of every response. Logos may
// come from any https address; requests go to the pages' origin and, if it is
// another one, to the project's.
func contentPolicy(projectURL string) string {
	connect := "'self'"
	if u, err := url.Parse(projectURL); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		connect += " " + u.Scheme + "://" + u.Host
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; " +
		"connect-src " + connect + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

// secured sets the headers that every answer of the pages has.
func secured(policy string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		// The consent page's address holds the authorization_id, which must
		// not reach a client's site through its link or logo.
		header.Set("Referrer-Policy", "no-referrer")
		next.ServeHTTP(w, r)
	})
}
