package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The client understands what net/http's server writes.
func TestWire(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 50_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/echo":
			body, _ := io.ReadAll(r.Body)
			_, _ = io.WriteString(w, r.Method+" "+r.Header.Get("Authorization")+" "+r.Header.Get("Content-Type")+" "+string(body))
		case "/long": // sent in chunks
			_, _ = io.WriteString(w, long)
		case "/away":
			w.Header().Set("Location", "https://client.test/?code=abc&state=1")
			w.WriteHeader(http.StatusFound)
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	}))
	t.Cleanup(server.Close)
	w, err := dial(t.Context(), strings.TrimPrefix(server.URL, "http://"), time.Now)
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.conn.Close() })

	for range 2 { // the connection is kept
		w.request(http.MethodPost, "/echo", "token", "text/plain")
		require.NoError(t, w.do("hello", http.StatusOK))
		require.Equal(t, "POST Bearer token text/plain hello", string(w.body))

		w.request(http.MethodGet, "/long", "", "")
		require.NoError(t, w.do("", http.StatusOK))
		require.Equal(t, long, string(w.body))

		w.request(http.MethodGet, "/away", "", "")
		require.NoError(t, w.do("", http.StatusFound))
		code, err := parameter(w.location, "code")
		require.NoError(t, err)
		require.Equal(t, "abc", code)
		require.Empty(t, w.body)

		w.request(http.MethodGet, "/nothing", "", "")
		require.ErrorContains(t, w.do("", http.StatusOK), "status 204 instead of 200")
	}
}

func TestMember(t *testing.T) {
	t.Parallel()
	value, err := member([]byte(`{"a":1,"code":"xyz","b":""}`), "code")
	require.NoError(t, err)
	require.Equal(t, "xyz", value)
	_, err = member([]byte(`{"code":"xyz`), "code")
	require.Error(t, err)
	_, err = parameter([]byte("https://client.test/"), "code")
	require.Error(t, err)
}
