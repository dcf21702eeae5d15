package mcpserver_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/examples/internal/issuertest"
	mcpserver "github.com/truegrant/truegrant/examples/mcp-server"
)

const (
	resource = "https://mcp.example/mcp"
	clientID = "3f0c5b1e-7a54-4f0e-9d6e-0d3b1f7f5a10"
	subject  = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
)

type bundle struct {
	issuer *issuertest.Issuer
	now    time.Time
	config mcpserver.Config
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{issuer: issuertest.New(t), now: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}
	b.config = mcpserver.Config{Issuer: b.issuer.URL, Resource: resource, Now: func() time.Time { return b.now }}
	return b
}

// claims are those of a good access token, with changes; nil removes a claim.
func (b *bundle) claims(changes map[string]any) map[string]any {
	c := map[string]any{
		"iss": b.issuer.URL, "sub": subject, "aud": "authenticated", "client_id": clientID,
		"scope": "openid email", "email": "ann@example.com", "exp": b.now.Add(time.Hour).Unix(),
	}
	maps.Copy(c, changes)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

func post(t *testing.T, h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, resource, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const whoami = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"whoami","arguments":{}}}`

func TestProtectedResourceMetadata(t *testing.T) {
	t.Parallel()
	tests := []struct{ resource, endpoint, inserted string }{
		{"https://mcp.example/mcp", "/mcp", "/.well-known/oauth-protected-resource/mcp"},
		{"https://mcp.example/a/b/", "/a/b/", "/.well-known/oauth-protected-resource/a/b"},
		{"https://mcp.example", "/", "/.well-known/oauth-protected-resource"},
	}
	for _, tt := range tests {
		t.Run(tt.resource, func(t *testing.T) {
			t.Parallel()
			h := mcpserver.New(mcpserver.Config{Issuer: "https://auth.example/auth/v1", Resource: tt.resource})
			for _, path := range []string{"/.well-known/oauth-protected-resource", tt.inserted} {
				w := httptest.NewRecorder()
				h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
				require.Equal(t, http.StatusOK, w.Code, path)
				require.Equal(t, "*", w.Header().Get("Access-Control-Allow-Origin"))
				require.JSONEq(t, `{"resource":"`+tt.resource+`",
					"authorization_servers":["https://auth.example/auth/v1"],"scopes_supported":["openid","email"],
					"bearer_methods_supported":["header"],"resource_name":"Truegrant example MCP server"}`, w.Body.String())
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, tt.endpoint, nil))
			require.Equal(t, http.StatusUnauthorized, w.Code)
			require.Equal(t, `Bearer resource_metadata="https://mcp.example`+tt.inserted+`"`, w.Header().Get("WWW-Authenticate"))
		})
	}
}

func TestResourceMustBeAbsolute(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "/mcp", "https://mcp.example/mcp#x", "http://%zz"} {
		w := httptest.NewRecorder()
		mcpserver.New(mcpserver.Config{Resource: bad}).ServeHTTP(w,
			httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
		require.Equal(t, http.StatusInternalServerError, w.Code, bad)
	}
}

func TestRequestsWithoutToken(t *testing.T) {
	t.Parallel()
	h := mcpserver.New(setup(t).config)
	for _, value := range []string{"", "Bearer", "Bearer ", "Basic YTpi", "Bearer a b"} {
		w := post(t, h, whoami, "Authorization", value)
		require.Equal(t, http.StatusUnauthorized, w.Code, value)
		require.NotContains(t, w.Header().Get("WWW-Authenticate"), "error=", value)
	}
}

func TestAccessTokens(t *testing.T) {
	t.Parallel()
	type changes = map[string]any
	tests := []struct {
		name     string
		typ      string
		claims   changes
		audience string
		refused  string // part of the description; empty: accepted
	}{
		{"GoTrue's form", "JWT", nil, "", ""},
		{"RFC 9068", "at+jwt", nil, "", ""},
		{"RFC 9068 2.1, long form", "application/at+jwt", nil, "", ""},
		{"for this resource", "at+jwt", changes{"aud": []string{"authenticated", resource}}, resource, ""},
		{"no email", "at+jwt", changes{"email": nil}, "", ""},
		{"for another resource", "at+jwt", changes{"aud": "https://other.example"}, resource, "another resource"},
		{"another issuer", "at+jwt", changes{"iss": "https://other.example"}, "", "not from the issuer"},
		{"no issuer", "at+jwt", changes{"iss": nil}, "", "not from the issuer"},
		{"expired", "at+jwt", changes{"exp": 1777863720}, "", "expired"}, // one second ago
		{"no expiry", "at+jwt", changes{"exp": nil}, "", "expired"},
		{"not yet valid", "at+jwt", changes{"nbf": 1777867321}, "", "expired, malformed"},
		{"the user's own session", "JWT", changes{"client_id": nil, "scope": nil}, "", "OAuth client"},
		{"no scope", "at+jwt", changes{"scope": nil}, "", "OAuth client"},
		{"ID token", "JWT", changes{"aud": clientID, "scope": nil}, "", "not an access token"},
		{"ID token that has a scope", "JWT", changes{"aud": clientID}, "", "not an access token"},
		{"ID token with nonce", "JWT", changes{"nonce": "n"}, "", "not an access token"},
		{"logout token", "logout+jwt", nil, "", "not an access token"},
		{"bound to a key", "at+jwt", changes{"cnf": changes{"jkt": "x"}}, "", "bound to a key"},
		{"scope of the wrong kind", "at+jwt", changes{"scope": 1}, "", "malformed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.config.Audience = tt.audience
			token := b.issuer.Sign(t, tt.typ, b.claims(tt.claims))
			w := post(t, mcpserver.New(b.config), whoami, "Authorization", "bearer "+token)
			if tt.refused == "" {
				require.Equal(t, http.StatusOK, w.Code, w.Header().Get("WWW-Authenticate"))
				return
			}
			require.Equal(t, http.StatusUnauthorized, w.Code)
			challenge := w.Header().Get("WWW-Authenticate")
			require.Contains(t, challenge, `error="invalid_token"`)
			require.Contains(t, challenge, tt.refused)
			require.Contains(t, challenge, `resource_metadata="`)
		})
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := mcpserver.New(b.config)
	good := b.issuer.Sign(t, "at+jwt", b.claims(nil))
	require.Equal(t, http.StatusOK, post(t, h, whoami, "Authorization", "Bearer "+good).Code)

	stranger, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	parts := strings.Split(good, ".")
	other := strings.Split(b.issuer.Sign(t, "at+jwt", b.claims(map[string]any{"sub": "other"})), ".")
	for name, token := range map[string]string{
		"other key":      issuertest.Sign(t, stranger, "at+jwt", b.claims(nil)),
		"other payload":  parts[0] + "." + other[1] + "." + parts[2],
		"no signature":   parts[0] + "." + parts[1] + ".",
		"alg none":       "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"alg HS256":      "eyJhbGciOiJIUzI1NiJ9." + parts[1] + "." + parts[2],
		"not a JWT":      "opaque",
		"too many parts": good + ".x",
	} {
		require.Equal(t, http.StatusUnauthorized, post(t, h, whoami, "Authorization", "Bearer "+token).Code, name)
	}

	b.issuer.Rotate(t)
	fresh := b.issuer.Sign(t, "at+jwt", b.claims(nil))
	require.Equal(t, http.StatusOK, post(t, h, whoami, "Authorization", "Bearer "+fresh).Code, "new keys are fetched")
}

func TestIssuerMayComeLater(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := mcpserver.New(b.config)
	token := b.issuer.Sign(t, "at+jwt", b.claims(nil))
	b.issuer.SetMetadata("issuer", "https://other.example") // not ours yet
	require.Equal(t, http.StatusServiceUnavailable, post(t, h, whoami, "Authorization", "Bearer "+token).Code)
	b.issuer.SetMetadata("issuer", b.issuer.URL)
	require.Equal(t, http.StatusOK, post(t, h, whoami, "Authorization", "Bearer "+token).Code)
}

func TestWhoami(t *testing.T) {
	t.Parallel()
	b := setup(t)
	token := b.issuer.Sign(t, "at+jwt", b.claims(nil))
	w := post(t, mcpserver.New(b.config), whoami, "Authorization", "Bearer "+token)
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	var answer struct {
		ID     int `json:"id"`
		Result struct {
			Content    []struct{ Type, Text string }
			Structured json.RawMessage `json:"structuredContent"`
		}
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &answer))
	want := `{"sub":"` + subject + `","client_id":"` + clientID + `","scope":"openid email","email":"ann@example.com"}`
	require.Equal(t, 1, answer.ID)
	require.JSONEq(t, want, string(answer.Result.Structured))
	require.Len(t, answer.Result.Content, 1)
	require.Equal(t, "text", answer.Result.Content[0].Type)
	require.JSONEq(t, want, answer.Result.Content[0].Text)
}
