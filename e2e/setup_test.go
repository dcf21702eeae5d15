package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// mountPath is where a Supabase project has its auth service.
const mountPath = "/auth/v1"

// project is a server that is reached over HTTP only, under its issuer.
type project struct {
	app    *apitest.App
	issuer string
}

func newProject(t *testing.T) *project {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p := &project{issuer: server.URL + mountPath}
	p.app = apitest.New(t, func(cfg *conf.Config) {
		cfg.JWT.Issuer, cfg.API.ExternalURL = p.issuer, p.issuer
	})
	mux.Handle(mountPath+"/", http.StripPrefix(mountPath, p.app.Server.Handler))
	return p
}

// authMethod registers a client for a way to authenticate.
func authMethod(name string) func(map[string]any) {
	return func(metadata map[string]any) { metadata["token_endpoint_auth_method"] = name }
}

// visit opens the address of an authorization request as a browser does, lets
// the user approve on the consent page, and returns what the client is called
// back with.
func (p *project) visit(t *testing.T, user *apitest.User, address string) url.Values {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	answer, err := http.DefaultTransport.RoundTrip(request) // follows no redirect
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusFound, answer.StatusCode)
	page, err := answer.Location()
	require.NoError(t, err)
	require.Equal(t, apitest.ConsentPath, page.Path, "redirected to %s", page)

	app := p.app.For(t)
	path := "/oauth/authorizations/" + page.Query().Get("authorization_id")
	decision := app.Do(http.MethodGet, path, nil, apitest.Bearer(user.AccessToken)).OK()
	if decision["redirect_url"] == nil {
		decision = app.Do(http.MethodPost, path+"/consent", map[string]string{"action": "approve"},
			apitest.Bearer(user.AccessToken)).OK()
	}
	require.IsType(t, "", decision["redirect_url"])
	target, err := url.Parse(decision["redirect_url"].(string))
	require.NoError(t, err)
	return target.Query()
}
