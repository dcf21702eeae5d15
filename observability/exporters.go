package observability

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	otelprometheus "go.opentelemetry.io/otel/exporters/prometheus"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// Exporters and protocols, as the configuration names them.
const (
	exporterOTLP       = "opentelemetry"
	exporterPrometheus = "prometheus"
	protocolHTTP       = "http/protobuf"
	protocolGRPC       = "grpc"
)

// newReader is what collects the metrics: Prometheus when it asks, or the
// exporter from time to time.
func (t *Telemetry) newReader(ctx context.Context, c Config) (metric.Reader, error) {
	switch c.Metrics {
	case exporterPrometheus:
		registry := prometheus.NewRegistry()
		reader, err := otelprometheus.New(otelprometheus.WithRegisterer(registry), otelprometheus.WithoutScopeInfo())
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
		t.scrape = promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
		return reader, nil
	case exporterOTLP:
		exporter, err := newMetricExporter(ctx, c.MetricsProtocol)
		if err != nil {
			return nil, fmt.Errorf("metrics: %w", err)
		}
		return metric.NewPeriodicReader(exporter), nil
	}
	return nil, fmt.Errorf("metrics: unknown exporter %q", c.Metrics)
}

func newMetricExporter(ctx context.Context, protocol string) (metric.Exporter, error) {
	switch protocol {
	case protocolHTTP:
		return otlpmetrichttp.New(ctx)
	case protocolGRPC:
		return otlpmetricgrpc.New(ctx)
	}
	return nil, unsupported(protocol)
}

func newSpanExporter(ctx context.Context, c Config) (sdktrace.SpanExporter, error) {
	if c.Traces != exporterOTLP {
		return nil, fmt.Errorf("traces: unknown exporter %q", c.Traces)
	}
	switch c.TracesProtocol {
	case protocolHTTP:
		return otlptracehttp.New(ctx)
	case protocolGRPC:
		return otlptracegrpc.New(ctx)
	}
	return nil, fmt.Errorf("traces: %w", unsupported(c.TracesProtocol))
}

func unsupported(protocol string) error {
	return fmt.Errorf("unsupported OpenTelemetry exporter protocol %q", protocol)
}

func newMeterProvider(reader metric.Reader, source *resource.Resource) *metric.MeterProvider {
	return metric.NewMeterProvider(metric.WithReader(reader), metric.WithResource(source))
}

func newTracerProvider(exporter sdktrace.SpanExporter, source *resource.Resource) *sdktrace.TracerProvider {
	return sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(source))
}
