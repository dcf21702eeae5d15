package app_test

import (
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/app"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/storage/dbtest"
)

// spans is a collector's memory.
type spans struct {
	mu   sync.Mutex
	list []*tracepb.Span
	raw  strings.Builder
}

func (s *spans) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	raw, _ := io.ReadAll(body)
	request := new(collectortrace.ExportTraceServiceRequest)
	if proto.Unmarshal(raw, request) != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw.Write(raw)
	for _, source := range request.ResourceSpans {
		for _, scope := range source.ScopeSpans {
			s.list = append(s.list, scope.Spans...)
		}
	}
}

// under returns the names of the spans inside the one that is called name.
func (s *spans) under(name string) (names []string) {
	for _, parent := range s.list {
		if parent.Name != name {
			continue
		}
		for _, span := range s.list {
			if string(span.ParentSpanId) == string(parent.SpanId) {
				names = append(names, span.Name)
			}
		}
	}
	return names
}

// A whole server under a real collector and a real scraper: what operators see
// of a sign-up with a hook, and what nobody must see.
func TestTelemetryOfRequests(t *testing.T) { //nolint:paralleltest // the SDK reads the environment
	collector := new(spans)
	sink := httptest.NewServer(collector)
	t.Cleanup(sink.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", sink.URL)
	traceparent := make(chan string, 4)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		traceparent <- r.Header.Get("Traceparent") + r.Header.Get("Baggage")
		var in map[string]any
		_ = json.NewDecoder(r.Body).Decode(&in)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"claims": in["claims"]})
	}))
	t.Cleanup(hook.Close)

	log := logrus.New()
	log.SetOutput(io.Discard)
	telemetry := observability.Start(t.Context(), observability.Config{
		Metrics: "prometheus", Traces: "opentelemetry", TracesProtocol: "http/protobuf", Log: log, Now: time.Now,
	})
	cfg := apitest.Config(t, dbtest.New(t))
	cfg.Hook.CustomAccessToken.Enabled, cfg.Hook.CustomAccessToken.URI = true, hook.URL
	server, err := app.New(cfg, app.Options{
		Log: log, Now: time.Now, Random: rand.Reader, Telemetry: telemetry, Tracer: telemetry.Statements(nil, time.Now),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	do := func(method, path, body string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Baggage", "user=hunter2")
		server.Handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	do("POST", "/signup", `{"email":"hunter2@example.com","password":"correct-hunter2"}`)
	do("GET", "/verify?type=signup&token=hunter2", "")
	do("GET", "/hunter2", "")
	do("GET", "/health", "")

	scraped := httptest.NewRecorder()
	telemetry.Scrape().ServeHTTP(scraped, httptest.NewRequest("GET", "/", nil))
	require.NoError(t, telemetry.Shutdown(t.Context()))

	require.Contains(t, collector.under("POST /signup"), "hook customize-access-token")
	require.Contains(t, strings.Join(collector.under("POST /signup"), " "), "WITH")
	require.NotEmpty(t, collector.under("GET /verify"))
	require.Empty(t, collector.under("GET unmatched"))
	require.NotContains(t, collector.raw.String(), "hunter2")
	require.NotContains(t, collector.raw.String(), "/health")
	require.Regexp(t, `^00-[0-9a-f]{32}-[0-9a-f]{16}-01$`, <-traceparent, "a hook joins the trace, without the caller's baggage")

	text := scraped.Body.String()
	for _, line := range []string{
		`http_server_request_duration_seconds_count{http_request_method="POST",http_route="/signup",status_class="2xx"} 1`,
		`http_server_request_duration_seconds_count{http_request_method="GET",http_route="unmatched",status_class="4xx"} 1`,
		`truegrant_tokens_issued_total{client="app",method="password"} 1`,
		`truegrant_call_duration_seconds_count{call="hook",name="customize-access-token",outcome="ok"} 1`,
		`db_client_connection_max `,
	} {
		require.Contains(t, text, line)
	}
	require.NotContains(t, text, "hunter2")
}
