package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// What this server does not have answers as GoTrue does where it is off, also
// when the environment switches it on.
func TestAbsentFeatures(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) {
		c.SAML.Enabled, c.Passkey.Enabled, c.External.Web3Solana.Enabled = true, true, true
		c.External.Providers["github"] = conf.Provider{Enabled: true, ClientID: []string{"id"}}
	})
	before := app.Snapshot()
	for _, tt := range []struct {
		method, path string
		status       int
		code         string
	}{
		{http.MethodPost, "/sso", http.StatusNotFound, "saml_provider_disabled"},
		{http.MethodGet, "/sso/saml/metadata", http.StatusNotFound, "saml_provider_disabled"},
		{http.MethodPost, "/sso/saml/acs", http.StatusNotFound, "saml_provider_disabled"},
		{http.MethodPost, "/passkeys/authentication/options", http.StatusNotFound, "passkey_disabled"},
		{http.MethodGet, "/passkeys", http.StatusNotFound, "passkey_disabled"},
		{http.MethodDelete, "/passkeys/some-id", http.StatusNotFound, "passkey_disabled"},
		{http.MethodGet, "/authorize", http.StatusBadRequest, "validation_failed"},
		{http.MethodGet, "/authorize?provider=GitHub", http.StatusBadRequest, "validation_failed"},
		{http.MethodPost, "/token?grant_type=web3", http.StatusUnprocessableEntity, "web3_provider_disabled"},
		{http.MethodGet, "/scim/v2/Users", http.StatusNotFound, "feature_disabled"},
	} {
		var body any
		if tt.method == http.MethodPost {
			body = map[string]any{}
		}
		app.Do(tt.method, tt.path, body).Refused(tt.status, tt.code)
	}
	require.Equal(t, before, app.Snapshot())
}

func TestIDTokensOfNoProvider(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	grant := func(body map[string]any) *apitest.Response {
		return app.Do(http.MethodPost, "/token?grant_type=id_token", body)
	}
	grant(map[string]any{}).RefusedOAuth(http.StatusBadRequest, "invalid request")
	grant(map[string]any{"id_token": "x"}).RefusedOAuth(http.StatusBadRequest, "invalid request")
	grant(map[string]any{"id_token": "x", "provider": "custom:x"}).Refused(http.StatusBadRequest, "validation_failed")
	grant(map[string]any{"id_token": "x", "provider": "google"}).Refused(http.StatusBadRequest, "provider_disabled")
}

// RFC 7644 §4: what a client asks before anything else.
func TestSCIMDiscovery(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.Experimental.SCIMEnabled = true })
	config := app.Do(http.MethodGet, "/scim/v2/ServiceProviderConfig", nil).OK()
	require.Equal(t, map[string]any{"supported": false}, config["patch"])
	require.Contains(t, config["meta"].(map[string]any)["location"], "/scim/v2/ServiceProviderConfig")
	for _, path := range []string{"/scim/v2/ResourceTypes", "/scim/v2/Schemas"} {
		list := app.Do(http.MethodGet, path, nil)
		require.Equal(t, "application/scim+json", list.Header.Get("Content-Type"))
		require.Empty(t, list.OK()["Resources"])
		require.Equal(t, http.StatusForbidden, app.Do(http.MethodGet, path+"?filter=id", nil).Status)
	}
	require.Equal(t, http.StatusNotFound, app.Do(http.MethodGet, "/scim/v2/Users", nil).Status)
	wrong := app.Do(http.MethodPost, "/scim/v2/Schemas", map[string]any{})
	require.Equal(t, http.StatusMethodNotAllowed, wrong.Status)
	require.Equal(t, http.MethodGet, wrong.Header.Get("Allow"))
}
