package oauthserver_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
)

const (
	openIDConfiguration = "/.well-known/openid-configuration"
	serverMetadata      = "/.well-known/oauth-authorization-server"
)

// RFC 8414 §2, OpenID Connect Discovery §3: the metadata promises what the
// configuration has, in GoTrue's order of members.
func TestMetadata(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*conf.Config){
		"es256":           func(*conf.Config) {},
		"hs256":           hs256,
		"no_registration": func(cfg *conf.Config) { cfg.OAuthServer.AllowDynamicRegistration = false },
		"plain_pkce":      func(cfg *conf.Config) { cfg.OAuthServer.AllowPlainPKCE = true },
		"issuer_path":     func(cfg *conf.Config) { cfg.JWT.Issuer = "https://project.test/auth/v1/" },
		"disabled":        func(cfg *conf.Config) { cfg.OAuthServer.Enabled = false },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, option)
			answer := b.Do(http.MethodGet, openIDConfiguration, nil)
			require.Equal(t, http.StatusOK, answer.Status)
			require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
			require.Equal(t, "public, max-age=600", answer.Header.Get("Cache-Control"))
			golden(t, "metadata_"+name, json.RawMessage(answer.Body))
			other := b.Do(http.MethodGet, serverMetadata, nil)
			if !b.Config.OAuthServer.Enabled {
				other.Refused(http.StatusNotFound, "feature_disabled")
				return
			}
			require.Equal(t, answer.Body, other.Body, "one document under two names")
			require.Equal(t, answer.Header.Get("Cache-Control"), other.Header.Get("Cache-Control"))
		})
	}
}

// What the metadata promises can be asked for, and nothing else of its kind.
func TestMetadataIsTrue(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var document struct {
		Scopes     []string `json:"scopes_supported"`
		Methods    []string `json:"token_endpoint_auth_methods_supported"`
		GrantTypes []string `json:"grant_types_supported"`
	}
	b.Do(http.MethodGet, serverMetadata, nil).Into(&document)
	c := b.Client(t, metadata("grant_types", document.GrantTypes))
	for _, scope := range document.Scopes {
		b.ask(c, "scope", scope)
	}
	for _, method := range document.Methods {
		b.Client(t, metadata("token_endpoint_auth_method", method))
	}
}

// RFC 8414 §3.1: an issuer with a path is found with the path behind the
// well-known name.
func TestPathInsertedMetadata(t *testing.T) {
	t.Parallel()
	for issuer, found := range map[string][]string{
		"https://project.test/auth/v1":  {"/auth/v1", "/auth/v1/"},
		"https://project.test/auth/v1/": {"/auth/v1", "/auth/v1/"},
		"https://project.test":          nil,
		"https://project.test/":         nil,
	} {
		t.Run(issuer, func(t *testing.T) {
			t.Parallel()
			b := setup(t, func(cfg *conf.Config) { cfg.JWT.Issuer = issuer })
			for _, name := range []string{openIDConfiguration, serverMetadata} {
				document := b.Do(http.MethodGet, name, nil)
				require.Equal(t, issuer, document.OK()["issuer"])
				for _, suffix := range found {
					require.Equal(t, document.Body, b.Do(http.MethodGet, name+suffix, nil).Body, suffix)
				}
				for _, suffix := range []string{"/", "/auth", "/auth/v1/x", "/auth/v2", "/AUTH/v1", "/auth%2Fv1x", "//evil.test", "/x/../auth/v1x"} {
					require.Equal(t, http.StatusNotFound, b.Do(http.MethodGet, name+suffix, nil).Status, suffix)
				}
			}
		})
	}
	disabled := setup(t, func(cfg *conf.Config) {
		cfg.JWT.Issuer, cfg.OAuthServer.Enabled = "https://project.test/auth/v1", false
	})
	disabled.Do(http.MethodGet, openIDConfiguration+"/auth/v1", nil).OK()
	disabled.Do(http.MethodGet, serverMetadata+"/auth/v1", nil).Refused(http.StatusNotFound, "feature_disabled")
}

// RFC 7517 §5: the public halves of the signing keys, and never a secret.
func TestJWKS(t *testing.T) {
	t.Parallel()
	b := setup(t)
	answer := b.Do(http.MethodGet, "/.well-known/jwks.json", nil)
	keySet := answer.OK()["keys"].([]any)
	require.Len(t, keySet, 1)
	key := keySet[0].(map[string]any)
	for _, member := range []string{"kid", "x", "y"} {
		require.NotEmpty(t, key[member])
		key[member] = "SOME"
	}
	golden(t, "jwks", key)
	require.Equal(t, "public, max-age=600", answer.Header.Get("Cache-Control"))
	require.JSONEq(t, `{"keys":[]}`, string(setup(t, hs256).Do(http.MethodGet, "/.well-known/jwks.json", nil).Body))
}
