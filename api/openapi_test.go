package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api"
	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/api/openapi"
	"github.com/truegrant/truegrant/api/openapi/check"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/hooks"
	"github.com/truegrant/truegrant/tokens"
)

// Every route is described, and everything described is a route.
func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	document, err := openapi.Document(openapi.About{URL: apitest.ExternalURL})
	require.NoError(t, err)
	description, err := check.New(document)
	require.NoError(t, err)
	described, others := description.Routes(), description.OtherPaths()

	app, routes, below := apitest.New(t), map[string]bool{}, map[string]bool{}
	for _, scim := range []bool{false, true} {
		app.Config.Experimental.SCIMEnabled = scim
		for _, route := range routesOf(t, app) {
			method, path, _ := strings.Cut(route, " ")
			upper := strings.TrimSuffix(path, "/*")
			switch {
			case path == "/user/*": // no route, but what is in the way of unknown ones
			case slices.Contains(others, upper):
				below[upper] = true
			default:
				// A slash at the end is the same route, and OpenAPI has no
				// parameter that holds slashes.
				path = strings.Replace(strings.TrimSuffix(path, "/"), "/*", "/{issuer_path}", 1)
				routes[method+" "+path] = true
			}
		}
	}
	for route := range routes {
		require.Contains(t, described, route, "describe it in api/openapi/spec")
	}
	for _, route := range described {
		require.True(t, routes[route], "%s is described in api/openapi/spec, but is no route", route)
	}
	require.Len(t, slices.Compact(described), len(routes))
	require.Len(t, below, len(others), "every one of x-other-paths is a route")
}

// routesOf are the routes that a server with the configuration of app has.
func routesOf(t *testing.T, app *apitest.App) (routes []string) {
	t.Helper()
	cfg := app.Config
	server, err := api.New(api.Deps{
		Config: cfg, Keys: app.Keys, Hooks: new(hooks.Hooks), Now: app.Clock.Now,
		Tokens: tokens.New(tokens.Deps{Keys: app.Keys}, tokens.Settings{JWT: cfg.JWT, Sessions: cfg.Sessions, Security: cfg.Security}),
	})
	require.NoError(t, err)
	err = chi.Walk(api.RoutesOf(server), func(method, path string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		routes = append(routes, method+" "+path)
		return nil
	})
	require.NoError(t, err)
	return routes
}

func TestDescriptionIsServed(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) { c.API.ExternalURL = "https://project.test/auth/v1/" })
	got := app.Do(http.MethodGet, "/openapi.json", nil, apitest.Header("Origin", "https://docs.test"))
	require.Equal(t, http.StatusOK, got.Status)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Equal(t, "*", got.Header.Get("Access-Control-Allow-Origin"), "tools in browsers may read it")
	embedded, err := openapi.Document(openapi.About{URL: "https://project.test/auth/v1", Version: "test"})
	require.NoError(t, err)
	require.Equal(t, string(embedded), string(got.Body))
	var doc struct {
		Servers []map[string]string `json:"servers"`
	}
	require.NoError(t, json.Unmarshal(got.Body, &doc))
	require.Equal(t, []map[string]string{{"url": "https://project.test/auth/v1"}}, doc.Servers)

	etag := got.Header.Get("ETag")
	again := app.Do(http.MethodGet, "/openapi.json", nil, apitest.Header("If-None-Match", etag))
	require.Equal(t, http.StatusNotModified, again.Status)
	require.Empty(t, again.Body)
	other := apitest.New(t).Do(http.MethodGet, "/openapi.json", nil, apitest.Header("If-None-Match", etag))
	require.Equal(t, http.StatusOK, other.Status, "another server, another document")
	require.Zero(t, app.Statements(func() { app.Do(http.MethodGet, "/openapi.json", nil) }))
}
