package observability

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// metrics are the instruments. Labels have few values, whatever callers send:
// route patterns, our own words, never paths, ids or names of users.
type metrics struct {
	meter      metric.Meter
	duration   metric.Float64Histogram
	statements metric.Int64Histogram
	limited    metric.Int64Counter
	tokens     metric.Int64Counter
	calls      metric.Float64Histogram

	labels sync.Map // requestKey -> metric.MeasurementOption
}

// requestKey is what requests are told apart by.
type requestKey struct {
	method, route string
	class         int
}

func newMetrics(meter metric.Meter) (*metrics, error) {
	m := &metrics{meter: meter}
	var problems [5]error
	m.duration, problems[0] = meter.Float64Histogram("http.server.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Time to answer a request"),
		metric.WithExplicitBucketBoundaries(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))
	m.statements, problems[1] = meter.Int64Histogram("truegrant.request.statements", metric.WithUnit("{statement}"),
		metric.WithDescription("SQL statements that a request sent"),
		metric.WithExplicitBucketBoundaries(0, 1, 2, 3, 4, 5, 8, 12, 20))
	m.limited, problems[2] = meter.Int64Counter("truegrant.requests.limited", metric.WithUnit("{request}"),
		metric.WithDescription("Requests refused for being too many"))
	m.tokens, problems[3] = meter.Int64Counter("truegrant.tokens.issued", metric.WithUnit("{token}"),
		metric.WithDescription("Access tokens signed"))
	m.calls, problems[4] = meter.Float64Histogram("truegrant.call.duration", metric.WithUnit("s"),
		metric.WithDescription("Time that a mail, text, hook or question to another service took"),
		metric.WithExplicitBucketBoundaries(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10))
	if err := errors.Join(problems[:]...); err != nil {
		return nil, fmt.Errorf("metrics: %w", err)
	}
	return m, nil
}

// request counts one that is over.
func (m *metrics) request(ctx context.Context, o Outcome, statements int64) {
	key := requestKey{methodLabel(o.Method), o.Route, o.Status / 100}
	labels := m.requestLabels(key)
	m.duration.Record(ctx, o.Took.Seconds(), labels)
	m.statements.Record(ctx, statements, labels)
	if o.Status == http.StatusTooManyRequests {
		m.limited.Add(ctx, 1, metric.WithAttributes(attribute.String("http.route", o.Route)))
	}
}

func (m *metrics) requestLabels(key requestKey) metric.MeasurementOption {
	if known, ok := m.labels.Load(key); ok {
		return known.(metric.MeasurementOption)
	}
	labels := metric.WithAttributeSet(attribute.NewSet(
		attribute.String("http.request.method", key.method), attribute.String("http.route", key.route),
		attribute.String("status_class", fmt.Sprintf("%dxx", key.class)),
	))
	m.labels.Store(key, labels)
	return labels
}

// methodLabel keeps the words that callers make up out of the labels.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodOptions:
		return method
	}
	return "_OTHER"
}

// WatchPool exports what stats tells of a connection pool, each time that
// metrics are collected.
func (t *Telemetry) WatchPool(stats func() sql.DBStats) error {
	if t == nil || t.metrics == nil {
		return nil
	}
	meter := t.metrics.meter
	var problems [4]error
	var count, limit metric.Int64ObservableGauge
	var waits metric.Int64ObservableCounter
	var waited metric.Float64ObservableCounter
	count, problems[0] = meter.Int64ObservableGauge("db.client.connection.count", metric.WithUnit("{connection}"),
		metric.WithDescription("Open connections to PostgreSQL"))
	limit, problems[1] = meter.Int64ObservableGauge("db.client.connection.max", metric.WithUnit("{connection}"),
		metric.WithDescription("Connections that may be open"))
	waits, problems[2] = meter.Int64ObservableCounter("db.client.connection.waits", metric.WithUnit("{wait}"),
		metric.WithDescription("Times that a connection had to be waited for"))
	waited, problems[3] = meter.Float64ObservableCounter("db.client.connection.wait_time", metric.WithUnit("s"),
		metric.WithDescription("Time spent waiting for a connection"))
	if err := errors.Join(problems[:]...); err != nil {
		return fmt.Errorf("metrics of the pool: %w", err)
	}
	used := metric.WithAttributes(attribute.String("state", "used"))
	idle := metric.WithAttributes(attribute.String("state", "idle"))
	_, err := meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		now := stats()
		o.ObserveInt64(count, int64(now.InUse), used)
		o.ObserveInt64(count, int64(now.Idle), idle)
		o.ObserveInt64(limit, int64(now.MaxOpenConnections))
		o.ObserveInt64(waits, now.WaitCount)
		o.ObserveFloat64(waited, now.WaitDuration.Seconds())
		return nil
	}, count, limit, waits, waited)
	if err != nil {
		return fmt.Errorf("metrics of the pool: %w", err)
	}
	return nil
}

// TokenIssued counts an access token by the way its user signed in, and by
// whether it is for an OAuth client or for the project's own app.
func (e *Event) TokenIssued(ctx context.Context, method string, oauth bool) {
	if e == nil || e.telemetry == nil || e.telemetry.metrics == nil {
		return
	}
	client := "app"
	if oauth {
		client = "oauth"
	}
	e.telemetry.metrics.tokens.Add(ctx, 1, metric.WithAttributes(
		attribute.String("method", method), attribute.String("client", client)))
}

// call counts one that is over.
func (m *metrics) call(ctx context.Context, kind, name string, took time.Duration, err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	m.calls.Record(ctx, took.Seconds(), metric.WithAttributes(
		attribute.String("call", kind), attribute.String("name", name), attribute.String("outcome", outcome)))
}
