package relyingparty

import (
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

//go:embed page.html style.css
var files embed.FS

// sessionsKept bounds the memory that visitors can take: beyond it the oldest
// login attempt or session is forgotten.
const sessionsKept = 1000

// Config describes the client as it is registered at the issuer.
type Config struct {
	// Issuer is the issuer identifier; its discovery document is read at the
	// first login, so the issuer need not be up before.
	Issuer string
	// ClientID and ClientSecret are the registered ones. Without a secret the
	// client is a public one; with a secret it uses client_secret_basic.
	ClientID, ClientSecret string
	// RedirectURL is the registered redirect URI, such as
	// "http://localhost:9999/demo/callback". Its folder, here "/demo/", is
	// where the application's routes are.
	RedirectURL string
	// Scopes are requested at login; nil means openid, email, profile and
	// offline_access.
	Scopes []string
	// HTTPClient makes the requests to the issuer; nil means a client with a
	// time limit of ten seconds.
	HTTPClient *http.Client
	// Now is the clock that ID tokens are checked against; nil means go-oidc's.
	Now func() time.Time
}

// client is the running application.
type client struct {
	config   Config
	base     string // path of the start page, with a slash at its end
	secure   bool   // whether cookies need https
	pages    *template.Template
	issuer   lazyIssuer
	attempts *store[attempt]
	sessions *store[*session]
}

// New returns the application. Mount it at the redirect URL's folder without
// stripping the path. It has the routes, below that folder:
//
//	GET  /          the start page, or the signed-in user's claims
//	GET  /login     starts a login
//	GET  /callback  the redirect URI (named as in Config.RedirectURL)
//	POST /refresh   refreshes the tokens
//	POST /logout    ends the session of this application
//
// With a redirect URL that is not absolute or names no page it answers 500.
func New(config Config) http.Handler {
	redirect, err := url.Parse(config.RedirectURL)
	if err != nil || redirect.Host == "" || path.Base(redirect.Path) == "/" || path.Base(redirect.Path) == "." {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "the redirect URL must be absolute and name a page", http.StatusInternalServerError)
		})
	}
	if config.HTTPClient == nil {
		config.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	if config.Scopes == nil {
		config.Scopes = []string{"openid", "email", "profile", "offline_access"}
	}
	c := &client{
		config:   config,
		base:     strings.TrimSuffix(path.Dir(redirect.Path), "/") + "/",
		secure:   redirect.Scheme == "https",
		pages:    template.Must(template.ParseFS(files, "page.html")),
		issuer:   lazyIssuer{config: config},
		attempts: newStore[attempt](sessionsKept),
		sessions: newStore[*session](sessionsKept),
	}
	return c.routes(redirect.Path)
}

func (c *client) routes(callback string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+c.base+"{$}", c.home)
	mux.HandleFunc("GET "+c.base+"login", c.login)
	mux.HandleFunc("GET "+callback, c.callback)
	mux.HandleFunc("POST "+c.base+"refresh", c.refresh)
	mux.HandleFunc("POST "+c.base+"logout", c.logout)
	mux.HandleFunc("GET "+c.base+"style.css", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFileFS(w, r, files, "style.css")
	})
	// Other sites must not be able to make a visitor's browser log out or
	// refresh.
	return secured(http.NewCrossOriginProtection().Handler(mux))
}

// secured sets the headers of every answer: no caching of claims, and no way
// for the code in the callback's address to leave with a Referer. The policy is
// not "no-referrer" because browsers then send "Origin: null" with a form,
// which the protection above refuses where there is no Sec-Fetch-Site.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// view is what page.html shows.
type view struct {
	Base   string
	Issuer string
	Error  string
	User   *profile
}

func (c *client) home(w http.ResponseWriter, r *http.Request) {
	c.show(w, http.StatusOK, view{User: c.session(r).profile()})
}

// fail shows an error in place of a page.
func (c *client) fail(w http.ResponseWriter, err error) {
	status := http.StatusBadGateway
	if isRefusal(err) {
		status = http.StatusBadRequest
	}
	c.show(w, status, view{Error: publicText(err)})
}

func (c *client) show(w http.ResponseWriter, status int, v view) {
	v.Base, v.Issuer = c.base, c.config.Issuer
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_ = c.pages.Execute(w, v) // the client may be gone
}

// authStyle says how the client authenticates at the token endpoint. Left to
// guess, x/oauth2 would try Basic first and fail once for a public client.
func (c Config) authStyle() oauth2.AuthStyle {
	if c.ClientSecret == "" {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}
