package main

import (
	"net/http"
	"net/url"
	"strings"
)

type idpGrant struct {
	Token  map[string]any
	Status int
	Docs   map[string]any
	Claims map[string]any
	Issuer string
}

type idpCall struct {
	Code string
	Form url.Values
	Auth string
}

// serveIDP answers as any OAuth2/OIDC provider. Codes and user documents are
// registered by the scenario; the bearer token "fake-at-<code>" selects them.
func (f *Fakes) serveIDP(w http.ResponseWriter, r *http.Request, base string) {
	path := r.URL.Path
	if i := strings.Index(path, "/.well-known/openid-configuration"); i >= 0 {
		iss := base + path[:i]
		doc := map[string]any{
			"issuer": iss, "authorization_endpoint": iss + "/authorize", "token_endpoint": iss + "/token",
			"userinfo_endpoint": iss + "/userinfo", "jwks_uri": iss + "/jwks",
			"response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"RS256"}, "scopes_supported": []string{"openid", "email", "profile"},
		}
		if strings.Contains(iss, "mismatch") {
			doc["issuer"] = "https://other.contract.test"
		}
		if strings.Contains(iss, "incomplete") {
			delete(doc, "token_endpoint")
			delete(doc, "jwks_uri")
		}
		writeJSON(w, 200, doc)
		return
	}
	if strings.HasSuffix(path, "/jwks") || strings.HasSuffix(path, "/certs") || strings.HasSuffix(path, "/keys") {
		writeJSON(w, 200, map[string]any{"keys": []any{f.signer.JWK()}})
		return
	}
	if r.Method == http.MethodPost {
		_ = r.ParseForm()
		code := r.PostForm.Get("code")
		f.mu.Lock()
		f.idpCalls = append(f.idpCalls, idpCall{code, r.PostForm, r.Header.Get("Authorization")})
		g := f.docs[code]
		f.mu.Unlock()
		if g == nil {
			writeJSON(w, 400, map[string]any{"error": "invalid_grant", "error_description": "unknown code"})
			return
		}
		resp := map[string]any{"access_token": "fake-at-" + code, "token_type": "bearer"}
		if g.Claims != nil {
			iss := g.Issuer
			if iss == "" {
				iss = base
			}
			resp["id_token"] = f.signer.IDToken(iss, g.Claims)
		}
		for k, v := range g.Token {
			resp[k] = v
		}
		status := g.Status
		if status == 0 {
			status = 200
		}
		writeJSON(w, status, resp)
		return
	}
	_, code, _ := strings.Cut(r.Header.Get("Authorization"), "fake-at-")
	f.mu.Lock()
	g := f.docs[code]
	f.mu.Unlock()
	if g == nil {
		writeJSON(w, 401, map[string]any{"error": "unknown token"})
		return
	}
	best := ""
	for k := range g.Docs {
		if strings.HasSuffix(path, "/"+k) && len(k) > len(best) {
			best = k
		}
	}
	if best == "" {
		writeJSON(w, 404, map[string]any{"error": "no such document"})
		return
	}
	writeJSON(w, 200, g.Docs[best])
}
