package observability_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"
	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	"github.com/truegrant/truegrant/observability"
)

// The variables of the SDK are the process's, so these tests do not run beside
// each other.

// collector is an OpenTelemetry collector that keeps what it gets.
type collector struct {
	collectortrace.UnimplementedTraceServiceServer
	mu      sync.Mutex
	spans   []*tracepb.Span
	raw     bytes.Buffer
	service string
	metrics []string
}

func (c *collector) addTraces(r *collectortrace.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, source := range r.ResourceSpans {
		for _, attribute := range source.Resource.Attributes {
			if attribute.Key == "service.name" {
				c.service = attribute.Value.GetStringValue()
			}
		}
		for _, scope := range source.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

func (c *collector) addMetrics(r *collectormetrics.ExportMetricsServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, source := range r.ResourceMetrics {
		for _, scope := range source.ScopeMetrics {
			for _, metric := range scope.Metrics {
				c.metrics = append(c.metrics, metric.Name)
			}
		}
	}
}

// Export receives spans over gRPC.
func (c *collector) Export(_ context.Context, r *collectortrace.ExportTraceServiceRequest) (*collectortrace.ExportTraceServiceResponse, error) {
	c.addTraces(r)
	return new(collectortrace.ExportTraceServiceResponse), nil
}

// metricsService is the other half of a collector, whose method has the same
// name.
type metricsService struct {
	collectormetrics.UnimplementedMetricsServiceServer
	to *collector
}

func (m metricsService) Export(_ context.Context, r *collectormetrics.ExportMetricsServiceRequest) (*collectormetrics.ExportMetricsServiceResponse, error) {
	m.to.addMetrics(r)
	return new(collectormetrics.ExportMetricsServiceResponse), nil
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	reader := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		reader, _ = gzip.NewReader(r.Body)
	}
	raw, _ := io.ReadAll(reader)
	c.mu.Lock()
	c.raw.Write(raw)
	c.mu.Unlock()
	switch r.URL.Path {
	case "/v1/traces":
		request := new(collectortrace.ExportTraceServiceRequest)
		if proto.Unmarshal(raw, request) == nil {
			c.addTraces(request)
		}
	case "/v1/metrics":
		request := new(collectormetrics.ExportMetricsServiceRequest)
		if proto.Unmarshal(raw, request) == nil {
			c.addMetrics(request)
		}
	}
	w.WriteHeader(http.StatusOK)
}

func start(t *testing.T, metrics, traces, protocol string) (*observability.Telemetry, *bytes.Buffer) {
	t.Helper()
	log, out := logrus.New(), new(bytes.Buffer)
	log.SetOutput(out)
	telemetry := observability.Start(t.Context(), observability.Config{
		Metrics: metrics, Traces: traces, MetricsProtocol: protocol, TracesProtocol: protocol,
		Version: "v1", Log: log, Now: time.Now,
	})
	return telemetry, out
}

// request plays one request with a statement and a hook.
func request(telemetry *observability.Telemetry, header http.Header, path string, status int) {
	event := observability.NewEvent("request-1", time.Now())
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Header = header
	ctx := telemetry.Begin(observability.WithEvent(context.Background(), event), event, r)
	tracer := telemetry.Statements(nil, time.Now)
	for _, failure := range []error{nil, &pgconn.PgError{Code: "23505", Message: "key (hunter2)"}} {
		inside := tracer.TraceQueryStart(ctx, nil, pgx.TraceQueryStartData{SQL: "select $1", Args: []any{"hunter2"}})
		tracer.TraceQueryEnd(inside, nil, pgx.TraceQueryEndData{Err: failure})
	}
	_, done := observability.Call(ctx, "hook", "send-email")
	done(errors.New("hunter2"))
	event.TokenIssued(ctx, "password", false)
	telemetry.End(ctx, event, observability.Outcome{Method: "GET", Route: "/users/{id}", Status: status, Took: time.Millisecond})
}

const traceID = "4bf92f3577b34da6a3ce929d0e0e4736"

func TestOTLPOverHTTP(t *testing.T) {
	sink := new(collector)
	server := httptest.NewServer(sink)
	t.Cleanup(server.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
	telemetry, log := start(t, "opentelemetry", "opentelemetry", "http/protobuf")
	request(telemetry, http.Header{
		"Traceparent": {"00-" + traceID + "-00f067aa0ba902b7-01"}, "Authorization": {"Bearer hunter2"}, "Baggage": {"a=hunter2"},
	}, "/users/hunter2", 500)
	request(telemetry, nil, "/health", 200)
	require.NoError(t, telemetry.Shutdown(t.Context()), log.String())

	byName := map[string]*tracepb.Span{}
	for _, span := range sink.spans {
		byName[span.Name] = span
	}
	require.Len(t, sink.spans, 4, "health checks have no span")
	require.Equal(t, "truegrant", sink.service)
	root := byName["GET /users/{id}"]
	require.Equal(t, traceID, hexOf(root.TraceId), "the caller's trace goes on")
	require.Equal(t, tracepb.Status_STATUS_CODE_ERROR, root.Status.Code)
	for _, name := range []string{"SELECT", "hook send-email"} {
		require.Equal(t, root.SpanId, byName[name].ParentSpanId, name)
	}
	require.Subset(t, sink.metrics, []string{
		"http.server.request.duration", "truegrant.request.statements", "truegrant.call.duration", "truegrant.tokens.issued",
		"go.memory.used",
	})
	require.NotContains(t, sink.raw.String(), "hunter2", "neither paths nor arguments nor messages of errors")
}

func TestOTLPOverGRPC(t *testing.T) {
	sink := new(collector)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := grpc.NewServer()
	collectortrace.RegisterTraceServiceServer(server, sink)
	collectormetrics.RegisterMetricsServiceServer(server, metricsService{to: sink})
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+listener.Addr().String())
	t.Setenv("OTEL_SERVICE_NAME", "login")

	telemetry, log := start(t, "opentelemetry", "opentelemetry", "grpc")
	request(telemetry, nil, "/", 200)
	require.NoError(t, telemetry.Shutdown(t.Context()), log.String())
	require.Len(t, sink.spans, 4)
	require.Contains(t, sink.metrics, "truegrant.request.statements")
	require.Equal(t, "login", sink.service)
}

// A collector that is away, or answers nonsense, costs nothing but its data.
func TestCollectorFails(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
	}))
	t.Cleanup(server.Close)
	for _, endpoint := range []string{server.URL, "http://127.0.0.1:1"} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
		t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
		telemetry, log := start(t, "opentelemetry", "opentelemetry", "http/protobuf")
		request(telemetry, nil, "/", 200)
		err := telemetry.Shutdown(t.Context())
		require.True(t, err != nil || strings.Contains(log.String(), "export failed"), endpoint)
	}
}

func scrape(t *testing.T, telemetry *observability.Telemetry) string {
	t.Helper()
	server := httptest.NewServer(telemetry.Scrape())
	t.Cleanup(server.Close)
	answer, err := http.Get(server.URL + "/anything")
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

func TestPrometheus(t *testing.T) {
	telemetry, log := start(t, "prometheus", "", "")
	require.NoError(t, telemetry.WatchPool(func() sql.DBStats { return sql.DBStats{MaxOpenConnections: 7, InUse: 2, Idle: 3} }))
	request(telemetry, nil, "/", 200)
	request(telemetry, nil, "/", 429)
	text := scrape(t, telemetry)
	for _, line := range []string{
		`http_server_request_duration_seconds_count{http_request_method="GET",http_route="/users/{id}",status_class="2xx"} 1`,
		`truegrant_request_statements_bucket{http_request_method="GET",http_route="/users/{id}",status_class="2xx",le="2"} 1`,
		`truegrant_requests_limited_total{http_route="/users/{id}"} 1`,
		`truegrant_tokens_issued_total{client="app",method="password"} 2`,
		`truegrant_call_duration_seconds_count{call="hook",name="send-email",outcome="failed"} 2`,
		`db_client_connection_count{state="used"} 2`, `db_client_connection_max 7`, `go_goroutine_count `,
	} {
		require.Contains(t, text, line, log.String())
	}
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

// Whoever makes up methods and paths does not make up labels.
func TestLabelsAreBounded(t *testing.T) {
	telemetry, _ := start(t, "prometheus", "", "")
	for i := range 50 {
		event := observability.NewEvent("", time.Now())
		ctx := telemetry.Begin(t.Context(), event, httptest.NewRequest(http.MethodGet, "/", nil))
		telemetry.End(ctx, event, observability.Outcome{Method: strings.Repeat("M", i+1), Route: "unmatched", Status: 404})
	}
	text := scrape(t, telemetry)
	require.Equal(t, 1, strings.Count(text, "http_server_request_duration_seconds_count{"), text)
	require.Contains(t, text, `http_request_method="_OTHER"`)
	require.NoError(t, telemetry.Shutdown(t.Context()))
}

func TestNothingConfigured(t *testing.T) {
	telemetry, _ := start(t, "", "", "")
	require.Nil(t, telemetry)
	require.Nil(t, telemetry.Scrape())
	require.NoError(t, telemetry.WatchPool(nil))
	require.NoError(t, telemetry.Shutdown(t.Context()))
	require.IsType(t, new(observability.StatementCounter), telemetry.Statements(nil, time.Now))
	event := observability.NewEvent("", time.Time{})
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	ctx := observability.WithEvent(t.Context(), event)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		inside := telemetry.Begin(ctx, event, r)
		_, done := observability.Call(inside, "mail", "recovery")
		done(nil)
		event.TokenIssued(inside, "password", true)
		telemetry.End(inside, event, observability.Outcome{Route: "/"})
	}), "what is off costs nothing")
}

// What cannot be set up is logged; the rest works.
func TestUnknownExporters(t *testing.T) {
	telemetry, log := start(t, "statsd", "zipkin", "")
	require.NotNil(t, telemetry)
	request(telemetry, nil, "/", 200)
	require.Contains(t, log.String(), `statsd`)
	require.Contains(t, log.String(), `zipkin`)
	_, log = start(t, "opentelemetry", "opentelemetry", "http/json")
	require.Equal(t, 2, strings.Count(log.String(), `unsupported OpenTelemetry exporter protocol \"http/json\"`), log.String())
}

func TestStatementLog(t *testing.T) {
	log, out := logrus.New(), new(bytes.Buffer)
	log.SetOutput(out)
	var off *observability.Telemetry
	tracer := off.Statements(log, time.Now)
	ctx := observability.WithEvent(t.Context(), observability.NewEvent("request-1", time.Now()))
	inside := tracer.TraceQueryStart(ctx, nil, pgx.TraceQueryStartData{SQL: "select $1", Args: []any{"hunter2"}})
	tracer.TraceQueryEnd(inside, nil, pgx.TraceQueryEndData{Err: &pgconn.PgError{Code: "22P02", Message: "hunter2"}})
	require.Contains(t, out.String(), "select $1")
	require.Contains(t, out.String(), "22P02")
	require.Contains(t, out.String(), "request-1")
	require.NotContains(t, out.String(), "hunter2")
}

func hexOf(id []byte) string {
	const digits = "0123456789abcdef"
	var text strings.Builder
	for _, b := range id {
		text.WriteByte(digits[b>>4])
		text.WriteByte(digits[b&15])
	}
	return text.String()
}
