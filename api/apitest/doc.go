// Package apitest runs the whole server for a test: the real router on a real
// PostgreSQL database of its own, with an ES256 signing key, the OAuth server
// switched on, a clock that the test can move and a log that it can read.
//
//	app := apitest.New(t)
//	user := app.User(t)
//	got := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken))
//	require.Equal(t, user.ID, got.OK()["id"])
//
// Options change the configuration before the server is wired. Fakes stand only
// where the process ends: [Mail] is the world's mail server, a hook or template
// is an httptest server of the test.
package apitest
