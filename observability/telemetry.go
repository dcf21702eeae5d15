package observability

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sirupsen/logrus"
	"go.opentelemetry.io/contrib/instrumentation/runtime"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/trace"
)

// scope names this program as the source of metrics and spans.
const scope = "github.com/truegrant/truegrant"

// shutdownTimeout bounds the last export.
const shutdownTimeout = 5 * time.Second

// Config says what is exported. Endpoints, headers, intervals and sampling come
// from the OTEL_… variables, which the SDK reads by itself.
type Config struct {
	// Metrics is "" (none), "opentelemetry" or "prometheus".
	Metrics string
	// Traces is "" (none) or "opentelemetry".
	Traces string
	// MetricsProtocol and TracesProtocol are http/protobuf or grpc.
	MetricsProtocol, TracesProtocol string
	// Version is that of the program.
	Version string
	Log     logrus.FieldLogger
	Now     func() time.Time
}

// Telemetry measures requests, statements and calls and exports what it finds.
// A nil Telemetry does nothing, and costs nothing.
type Telemetry struct {
	metrics    *metrics
	tracer     trace.Tracer // nil when there are no traces
	propagator propagation.TextMapPropagator
	now        func() time.Time
	scrape     http.Handler
	closers    []func(context.Context) error
}

// Start sets up what c asks for; nil when that is nothing. What cannot be set up
// is logged and left out: a server without metrics is better than no server.
func Start(ctx context.Context, c Config) *Telemetry {
	if c.Metrics == "" && c.Traces == "" {
		return nil
	}
	// The SDK has one handler for the failures of all its exporters.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		c.Log.WithError(err).WithField("component", "telemetry").Warn("export failed")
	}))
	source, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(attribute.String("service.name", "truegrant"), attribute.String("service.version", c.Version)),
		resource.WithFromEnv()) // so OTEL_SERVICE_NAME wins
	if err != nil {
		c.Log.WithError(err).Warn("OTEL_RESOURCE_ATTRIBUTES is used in part")
	}
	t := &Telemetry{now: c.Now, propagator: propagation.NewCompositeTextMapPropagator(
		propagation.TraceContext{}, propagation.Baggage{},
	)}
	err = errors.Join(t.startMetrics(ctx, c, source), t.startTraces(ctx, c, source))
	if err != nil {
		c.Log.WithError(err).Error("telemetry is incomplete")
	}
	return t
}

// Scrape answers Prometheus, whatever the path; nil without its exporter.
func (t *Telemetry) Scrape() http.Handler {
	if t == nil {
		return nil
	}
	return t.scrape
}

// Shutdown exports what is left.
func (t *Telemetry) Shutdown(ctx context.Context) error {
	if t == nil {
		return nil
	}
	var problems []error
	for _, closer := range t.closers {
		bounded, cancel := context.WithTimeout(ctx, shutdownTimeout)
		problems = append(problems, closer(bounded))
		cancel()
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("telemetry: %w", err)
	}
	return nil
}

func (t *Telemetry) startMetrics(ctx context.Context, c Config, source *resource.Resource) error {
	if c.Metrics == "" {
		return nil
	}
	reader, err := t.newReader(ctx, c)
	if err != nil {
		return err
	}
	provider := newMeterProvider(reader, source)
	t.closers = append(t.closers, provider.Shutdown)
	if err := runtime.Start(runtime.WithMeterProvider(provider)); err != nil {
		return fmt.Errorf("runtime metrics: %w", err)
	}
	t.metrics, err = newMetrics(provider.Meter(scope))
	return err
}

func (t *Telemetry) startTraces(ctx context.Context, c Config, source *resource.Resource) error {
	if c.Traces == "" {
		return nil
	}
	exporter, err := newSpanExporter(ctx, c)
	if err != nil {
		return err
	}
	provider := newTracerProvider(exporter, source)
	t.closers = append(t.closers, provider.Shutdown)
	t.tracer = provider.Tracer(scope)
	return nil
}
