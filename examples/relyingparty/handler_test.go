package relyingparty_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/examples/relyingparty"
)

// visitor is a browser at the demo client.
type visitor struct {
	t        *testing.T
	http     *http.Client
	home     string
	provider *provider
}

func setup(t *testing.T) *visitor {
	t.Helper()
	now := time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	p := newProvider(t, now)
	mux := http.NewServeMux()
	app := httptest.NewServer(mux)
	t.Cleanup(app.Close)
	mux.Handle("/demo/", relyingparty.New(relyingparty.Config{
		Issuer: p.URL, ClientID: clientID, ClientSecret: clientSecret,
		RedirectURL: app.URL + "/demo/callback", Now: func() time.Time { return now },
	}))
	return &visitor{t: t, http: newBrowser(t), home: app.URL + "/demo/", provider: p}
}

func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return &http.Client{Jar: jar}
}

// open follows redirects and returns status and page.
func (v *visitor) open(method, target string, header ...string) (int, string) {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, target, nil)
	require.NoError(v.t, err)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := v.http.Do(r)
	require.NoError(v.t, err)
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	require.NoError(v.t, err)
	return answer.StatusCode, string(body)
}

func TestLoginShowsTheClaims(t *testing.T) {
	t.Parallel()
	v := setup(t)
	_, page := v.open(http.MethodGet, v.home)
	require.Contains(t, page, `data-testid="login"`)

	status, page := v.open(http.MethodGet, v.home+"login")
	require.Equal(t, http.StatusOK, status)
	for _, part := range []string{`data-testid="claims"`, subject, clientID, "ann@example.com", "openid email"} {
		require.Contains(t, page, part)
	}
	require.NotContains(t, page, "<b>Ann", "claims are text, not markup")

	query := v.provider.query
	require.Equal(t, "openid email profile offline_access", query.Get("scope"))
	require.Equal(t, "code", query.Get("response_type"))
	require.Equal(t, "S256", query.Get("code_challenge_method"))
	for _, name := range []string{"state", "nonce", "code_challenge"} {
		require.GreaterOrEqual(t, len(query.Get(name)), 26, name)
	}
}

func TestCookiesAreProtected(t *testing.T) {
	t.Parallel()
	tests := []struct {
		redirect string
		secure   bool
	}{
		{"http://localhost/demo/callback", false},
		{"https://client.example/demo/callback", true},
	}
	for _, tt := range tests {
		t.Run(tt.redirect, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, time.Unix(0, 0))
			app := relyingparty.New(relyingparty.Config{Issuer: p.URL, ClientID: clientID, RedirectURL: tt.redirect})
			w := httptest.NewRecorder()
			app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo/login", nil))
			require.Equal(t, http.StatusFound, w.Code)
			cookies := w.Result().Cookies()
			require.Len(t, cookies, 1)
			require.True(t, cookies[0].HttpOnly)
			require.Equal(t, http.SameSiteLaxMode, cookies[0].SameSite)
			require.Equal(t, "/demo/", cookies[0].Path)
			require.Equal(t, tt.secure, cookies[0].Secure)
			require.Equal(t, 600, cookies[0].MaxAge)
		})
	}
}

// TestResponsesThatDoNotFit: each of these would be an attack or a broken
// server, and must not log anybody in.
func TestResponsesThatDoNotFit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		change func(*provider)
		says   string
	}{
		{"state of another browser", func(p *provider) {
			p.response = func(q url.Values) { q.Set("state", "other") }
		}, "does not belong to this login"},
		{"no state", func(p *provider) { p.response = func(q url.Values) { q.Del("state") } }, "does not belong"},
		{"another issuer (RFC 9207 2.4)", func(p *provider) {
			p.response = func(q url.Values) { q.Set("iss", "https://attacker.example") }
		}, "another issuer"},
		{"promised iss is missing (RFC 9207 2.4)", func(p *provider) {
			p.SetMetadata("authorization_response_iss_parameter_supported", true)
			p.response = func(q url.Values) { q.Del("iss") }
		}, "another issuer"},
		{"denied", func(p *provider) {
			p.response = func(q url.Values) { q.Del("code"); q.Set("error", "access_denied") }
		}, "access_denied"},
		{"no code", func(p *provider) { p.response = func(q url.Values) { q.Del("code") } }, "no code"},
		{"code of somebody else", func(p *provider) {
			p.response = func(q url.Values) { q.Set("code", "other") }
		}, "invalid_grant"},
		{"nonce of another login", func(p *provider) {
			p.idToken = func(c map[string]any) { c["nonce"] = "other" }
		}, "another login"},
		{"ID token for another client", func(p *provider) {
			p.idToken = func(c map[string]any) { c["aud"] = "other" }
		}, "verify the ID token"},
		{"expired ID token", func(p *provider) {
			p.idToken = func(c map[string]any) { c["exp"] = p.now.Add(-time.Minute).Unix() }
		}, "verify the ID token"},
		{"access token of another response", func(p *provider) {
			p.idToken = func(c map[string]any) { c["at_hash"] = "AAAAAAAAAAAAAAAAAAAAAA" }
		}, "verify the ID token"},
		{"UserInfo about somebody else", func(p *provider) { p.userInfo["sub"] = "other" }, "about somebody else"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			v := setup(t)
			tt.change(v.provider)
			status, page := v.open(http.MethodGet, v.home+"login")
			require.GreaterOrEqual(t, status, 400)
			require.Contains(t, page, tt.says)
			_, page = v.open(http.MethodGet, v.home)
			require.Contains(t, page, `data-testid="login"`, "nobody is logged in")
		})
	}
}

func TestMissingIssIsFineIfNotPromised(t *testing.T) {
	t.Parallel()
	v := setup(t)
	v.provider.response = func(q url.Values) { q.Del("iss") }
	status, _ := v.open(http.MethodGet, v.home+"login")
	require.Equal(t, http.StatusOK, status)
}

func TestResponseIsUsedOnceAndInItsBrowser(t *testing.T) {
	t.Parallel()
	v := setup(t)
	var callback string
	v.http.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/callback") {
			callback = r.URL.String()
			return http.ErrUseLastResponse
		}
		return nil
	}
	v.open(http.MethodGet, v.home+"login")
	require.NotEmpty(t, callback)
	v.http.CheckRedirect = nil

	own := v.http
	v.http = newBrowser(t) // a victim is given the link
	status, _ := v.open(http.MethodGet, callback)
	require.Equal(t, http.StatusBadRequest, status)

	v.http = own
	status, _ = v.open(http.MethodGet, callback)
	require.Equal(t, http.StatusOK, status)
	status, _ = v.open(http.MethodGet, callback)
	require.Equal(t, http.StatusBadRequest, status)
}

func TestRefreshRotates(t *testing.T) {
	t.Parallel()
	v := setup(t)
	v.open(http.MethodGet, v.home+"login")
	first := v.provider.refresh
	for _, count := range []string{"1", "2"} {
		status, page := v.open(http.MethodPost, v.home+"refresh")
		require.Equal(t, http.StatusOK, status)
		require.Contains(t, page, `<span data-testid="refreshes">`+count+`</span>`)
	}
	require.NotEqual(t, first, v.provider.refresh)

	v.provider.mu.Lock()
	v.provider.refresh = "" // the grant was revoked
	v.provider.mu.Unlock()
	status, page := v.open(http.MethodPost, v.home+"refresh")
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, page, "invalid_grant")
}

func TestRefreshedIdentityMustStay(t *testing.T) {
	t.Parallel()
	v := setup(t)
	v.open(http.MethodGet, v.home+"login")
	v.provider.mu.Lock()
	v.provider.idToken = func(c map[string]any) { c["sub"] = "other" }
	v.provider.mu.Unlock()
	status, page := v.open(http.MethodPost, v.home+"refresh")
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, page, "about somebody else")
}

func TestLogout(t *testing.T) {
	t.Parallel()
	v := setup(t)
	v.open(http.MethodGet, v.home+"login")
	status, page := v.open(http.MethodPost, v.home+"logout", "Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, status, page)
	_, page = v.open(http.MethodGet, v.home)
	require.Contains(t, page, `data-testid="claims"`, "another site can not log out")

	_, page = v.open(http.MethodPost, v.home+"logout")
	require.Contains(t, page, `data-testid="login"`)
}

func TestIssuerMayComeLater(t *testing.T) {
	t.Parallel()
	v := setup(t)
	v.provider.SetMetadata("issuer", "https://other.example") // not ours yet
	status, page := v.open(http.MethodGet, v.home+"login")
	require.Equal(t, http.StatusBadGateway, status)
	require.Contains(t, page, "discover the issuer")

	v.provider.SetMetadata("issuer", v.provider.URL)
	status, _ = v.open(http.MethodGet, v.home+"login")
	require.Equal(t, http.StatusOK, status)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	app := relyingparty.New(relyingparty.Config{RedirectURL: "http://localhost/demo/callback"})
	w := httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo/", nil))
	require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	require.Equal(t, "same-origin", w.Header().Get("Referrer-Policy"))
	require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")

	w = httptest.NewRecorder()
	app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo/style.css", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "text/css; charset=utf-8", w.Header().Get("Content-Type"))
}

func TestRedirectURLMustNameAPage(t *testing.T) {
	t.Parallel()
	for _, redirect := range []string{"", "/demo/callback", "http://localhost", "http://localhost/", "http://%zz/"} {
		app := relyingparty.New(relyingparty.Config{RedirectURL: redirect})
		w := httptest.NewRecorder()
		app.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/demo/", nil))
		require.Equal(t, http.StatusInternalServerError, w.Code, redirect)
	}
}
