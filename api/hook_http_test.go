package api_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// asking starts a server that asks a URL about new users.
func asking(t *testing.T, url string, secrets ...string) *apitest.App {
	t.Helper()
	return apitest.New(t, func(c *conf.Config) {
		c.Hook.BeforeUserCreated = conf.HookPoint{Enabled: true, URI: url, Secrets: secrets}
	})
}

// What HTTP hooks answer, and what the caller gets.
func TestHookAnswersOverHTTP(t *testing.T) {
	t.Parallel()
	const contentType = "application/json"
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the payload went elsewhere") }))
	t.Cleanup(elsewhere.Close)
	type header = map[string]string
	tests := []struct {
		name     string
		status   int
		header   header
		body     string
		want     int
		code     string // '' for success
		message  string
		attempts int64
	}{
		{"no content", 204, nil, "", 200, "", "", 1},
		{"content", 200, header{"Content-Type": contentType}, `{}`, 200, "", "", 1},
		{"accepted", 202, header{"Content-Type": "application/json; charset=utf-8"}, `{"error":{"http_code":403}}`, 200, "", "", 1},
		{"created", 201, header{"Content-Type": contentType}, `{}`, 500, "unexpected_failure", "Unexpected status code returned from hook: 201", 1},
		{"refusal", 200, header{"Content-Type": contentType}, `{"error":{"http_code":409,"message":"no"}}`, 409, "unknown", "no", 1},
		{"nonsense", 200, header{"Content-Type": contentType}, "\x00\xff<html>", 500, "unexpected_failure", "Error unmarshaling JSON output.", 1},
		{"nothing", 200, header{"Content-Type": contentType}, "", 500, "unexpected_failure", "Error unmarshaling JSON output.", 1},
		{
			"text", 200, header{"Content-Type": "text/html"}, "hello", 400, "hook_payload_invalid_content_type",
			"Invalid JSON response. Received content-type: text/html", 1,
		},
		{"no type", 200, header{"Content-Type": ""}, "{}", 400, "hook_payload_invalid_content_type", "Invalid Content-Type: Missing Content-Type header", 1},
		{
			"ten megabytes", 200, header{"Content-Type": contentType}, strings.Repeat(" ", 10<<20), 422,
			"hook_payload_over_size_limit", "Payload size exceeded size limit of 204800 bytes", 1,
		},
		{"bad request", 400, nil, "", 500, "unexpected_failure", "Invalid payload sent to hook", 1},
		{"unauthorized", 401, nil, "", 500, "unexpected_failure", "Hook requires authorization token", 1},
		{"forbidden", 403, nil, `{"error":{"http_code":403,"message":"no"}}`, 500, "unexpected_failure", "Unexpected status code returned from hook: 403", 1},
		{"failure", 500, nil, "", 500, "unexpected_failure", "Unexpected status code returned from hook: 500", 1},
		{"busy", 503, nil, "", 500, "unexpected_failure", "Service currently unavailable due to hook", 1},
		{"busy for a while", 429, header{"Retry-After": "60"}, "", 500, "unexpected_failure", "Service currently unavailable due to hook", 3},
		{"moved", 307, header{"Location": elsewhere.URL}, "", 500, "unexpected_failure", "Unexpected status code returned from hook: 307", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var attempts atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				attempts.Add(1)
				w.Header()["Content-Type"] = nil
				for name, value := range tt.header {
					if value != "" {
						w.Header().Set(name, value)
					}
				}
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			}))
			t.Cleanup(server.Close)
			app := asking(t, server.URL)
			got := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil))
			require.Equal(t, tt.attempts, attempts.Load())
			if tt.code == "" {
				got.OK()
				return
			}
			require.Equal(t, tt.message, got.Refused(tt.want, tt.code))
			require.Equal(t, tt.want >= 500, got.JSON()["error_id"] != nil)
			require.Zero(t, app.Count(`select count(*) from users`))
		})
	}
}

// The limits in their real length.
func TestHookOutOfReach(t *testing.T) {
	t.Parallel()
	closed, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	release := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(silent.Close)
	t.Cleanup(func() { close(release) })

	for url, want := range map[string]struct {
		code, message string
		least         time.Duration
	}{
		"http://" + closed.Addr().String(): {"hook_timeout_after_retry", "Failed to reach hook after maximum retries", 4 * time.Second},
		silent.URL:                         {"hook_timeout", "Failed to reach hook within maximum time of 5.000000 seconds", 5 * time.Second},
	} {
		t.Run(want.code, func(t *testing.T) {
			t.Parallel()
			app := asking(t, url)
			began := app.Clock.Now()
			got := app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil))
			require.Equal(t, want.message, got.Refused(http.StatusUnprocessableEntity, want.code))
			require.GreaterOrEqual(t, app.Clock.Now().Sub(began), want.least)
			require.Zero(t, app.Count(`select count(*) from users`))
		})
	}
}

// While secrets are rotated a call carries a signature of each, and a receiver
// that knows either can tell that the payload is ours.
func TestHookSignedBySeveralSecrets(t *testing.T) {
	t.Parallel()
	const other = "v1,whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldy1zZWNyZXQ="
	accepted := make(chan int, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		signatures, valid := r.Header.Get("webhook-signature"), 0
		for _, secret := range []string{hookSecret, other} {
			receiver, err := standardwebhooks.NewWebhook(strings.TrimPrefix(secret, "v1,"))
			for signature := range strings.SplitSeq(signatures, ", ") {
				r.Header.Set("webhook-signature", signature)
				if err == nil && receiver.Verify(body, r.Header) == nil {
					valid++
				}
			}
		}
		accepted <- valid
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(server.Close)
	app := asking(t, server.URL, hookSecret, other)
	app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)).OK()
	require.Equal(t, 2, <-accepted, "one signature each")

	app = asking(t, server.URL, "v1a,whpk_AAAA:whsk_BBBB")
	require.Equal(t, "Error generating signatures: invalid signature format",
		app.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil)).Refused(http.StatusInternalServerError, "unexpected_failure"))
}
