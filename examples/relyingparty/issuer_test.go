package relyingparty_test

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/truegrant/truegrant/examples/internal/issuertest"
)

const (
	clientID     = "3f0c5b1e-7a54-4f0e-9d6e-0d3b1f7f5a10"
	clientSecret = "secret with : and %"
	subject      = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
)

// provider approves every authorization request at once. Its fields change an
// answer, to see whether the client notices.
type provider struct {
	*issuertest.Issuer
	t   *testing.T
	now time.Time

	mu       sync.Mutex
	query    url.Values // the last authorization request
	code     string
	refresh  string
	response func(url.Values)     // changes the authorization response
	idToken  func(map[string]any) // changes the ID token's claims
	userInfo map[string]any
}

func newProvider(t *testing.T, now time.Time) *provider {
	t.Helper()
	p := &provider{
		Issuer: issuertest.New(t), t: t, now: now,
		userInfo: map[string]any{"sub": subject, "email": "ann@example.com", "name": "<b>Ann</b>"},
	}
	p.Mux.HandleFunc("GET /oauth/authorize", p.authorize)
	p.Mux.HandleFunc("POST /oauth/token", p.token)
	p.Mux.HandleFunc("GET /oauth/userinfo", p.userinfo)
	return p
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.query, p.code = r.URL.Query(), rand.Text()
	answer := url.Values{"code": {p.code}, "state": {p.query.Get("state")}, "iss": {p.URL}}
	if p.response != nil {
		p.response(answer)
	}
	http.Redirect(w, r, p.query.Get("redirect_uri")+"?"+answer.Encode(), http.StatusFound)
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	if secret, _ = url.QueryUnescape(secret); id != clientID || secret != clientSecret {
		issuertest.JSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_client"})
		return
	}
	if !p.redeems(r) {
		issuertest.JSON(w, http.StatusBadRequest, map[string]any{
			"error": "invalid_grant", "error_description": "the grant is not valid",
		})
		return
	}
	p.code, p.refresh = "", rand.Text()
	issuertest.JSON(w, http.StatusOK, map[string]any{
		"access_token": p.accessToken(), "token_type": "bearer", "expires_in": 3600,
		"refresh_token": p.refresh, "id_token": p.identity(), "scope": "openid email",
	})
}

// redeems checks the grant and spends it.
func (p *provider) redeems(r *http.Request) bool {
	switch r.PostFormValue("grant_type") {
	case "authorization_code":
		sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
		return p.code != "" && r.PostFormValue("code") == p.code &&
			r.PostFormValue("redirect_uri") == p.query.Get("redirect_uri") &&
			p.query.Get("code_challenge_method") == "S256" &&
			base64.RawURLEncoding.EncodeToString(sum[:]) == p.query.Get("code_challenge")
	case "refresh_token":
		return p.refresh != "" && r.PostFormValue("refresh_token") == p.refresh
	}
	return false
}

func (p *provider) accessToken() string {
	return p.Sign(p.t, "at+jwt", map[string]any{
		"iss": p.URL, "sub": subject, "aud": "authenticated", "client_id": clientID, "scope": "openid email",
		"exp": p.now.Add(time.Hour).Unix(), "refresh": p.refresh,
	})
}

func (p *provider) identity() string {
	claims := map[string]any{
		"iss": p.URL, "sub": subject, "aud": clientID, "nonce": p.query.Get("nonce"),
		"iat": p.now.Unix(), "exp": p.now.Add(time.Hour).Unix(),
	}
	if p.idToken != nil {
		p.idToken(claims)
	}
	return p.Sign(p.t, "JWT", claims)
}

func (p *provider) userinfo(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.Header.Get("Authorization") == "" {
		issuertest.JSON(w, http.StatusUnauthorized, map[string]any{"error": "invalid_token"})
		return
	}
	issuertest.JSON(w, http.StatusOK, maps.Clone(p.userInfo))
}
