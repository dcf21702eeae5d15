package observability

import (
	"context"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Outcome is how a request ended.
type Outcome struct {
	Method string
	// Route is the pattern, never the path.
	Route  string
	Status int
	Took   time.Duration
}

// Begin connects a request's event with t and starts its span, as part of the
// caller's trace if it names one. Health checks get no span.
func (t *Telemetry) Begin(ctx context.Context, event *Event, r *http.Request) context.Context {
	if t == nil {
		return ctx
	}
	event.telemetry = t
	if t.tracer == nil || strings.HasPrefix(r.URL.Path, "/health") {
		return ctx
	}
	ctx = t.propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	ctx, event.span = t.tracer.Start(ctx, methodLabel(r.Method), trace.WithSpanKind(trace.SpanKindServer))
	if id := event.span.SpanContext(); id.IsValid() {
		event.Set("trace_id", id.TraceID().String())
	}
	return ctx
}

// End ends the span of a request and counts the request.
func (t *Telemetry) End(ctx context.Context, event *Event, o Outcome) {
	if t == nil {
		return
	}
	if t.metrics != nil {
		t.metrics.request(ctx, o, event.Statements())
	}
	span := event.span
	if span == nil {
		return
	}
	if span.IsRecording() {
		span.SetName(methodLabel(o.Method) + " " + o.Route)
		span.SetAttributes(
			attribute.String("http.request.method", methodLabel(o.Method)), attribute.String("http.route", o.Route),
			attribute.Int("http.response.status_code", o.Status), attribute.String("request_id", event.RequestID),
			attribute.Int64("statements", event.Statements()),
		)
		if o.Status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
}

// Call measures something that leaves the process: a mail, a text, a hook, a
// question to another service. kind and name are words of ours. The function it
// returns is to be called with the result.
func Call(ctx context.Context, kind, name string) (context.Context, func(error)) {
	event := EventFrom(ctx)
	if event == nil || event.telemetry == nil {
		return ctx, callUnmeasured
	}
	t := event.telemetry
	started := t.now()
	var span trace.Span
	if event.span != nil {
		ctx, span = t.tracer.Start(ctx, kind+" "+name, trace.WithSpanKind(trace.SpanKindClient))
	}
	return ctx, func(err error) {
		if t.metrics != nil {
			t.metrics.call(ctx, kind, name, t.now().Sub(started), err)
		}
		if span != nil {
			if err != nil {
				span.SetStatus(codes.Error, "") // its text may tell too much
			}
			span.End()
		}
	}
}

func callUnmeasured(error) {}

// Propagate names the trace of a request to a service of the operator's own.
// Baggage stays here: the caller sent it, not the operator.
func Propagate(ctx context.Context, header http.Header) {
	if event := EventFrom(ctx); event != nil && event.span != nil {
		propagation.TraceContext{}.Inject(ctx, propagation.HeaderCarrier(header))
	}
}
