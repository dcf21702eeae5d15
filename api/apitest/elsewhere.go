package apitest

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// Elsewhere answers, over TLS, for every service that a server asks on the
// internet.
func Elsewhere(t testing.TB, handler http.HandlerFunc) http.RoundTripper {
	t.Helper()
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	own, ok := server.Client().Transport.(*http.Transport)
	require.True(t, ok)
	address := server.Listener.Addr().String()
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		TLSClientConfig: &tls.Config{RootCAs: own.TLSClientConfig.RootCAs, ServerName: "example.com", MinVersion: tls.VersionTLS12},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// Via starts a second server, like Replica, that asks services on the internet
// by way of a transport.
func (a *App) Via(t testing.TB, transport http.RoundTripper) *App {
	t.Helper()
	replica := *a
	replica.t, replica.transport = t, transport
	replica.start()
	return &replica
}
