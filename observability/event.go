package observability

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sirupsen/logrus"
	"go.opentelemetry.io/otel/trace"
)

// Event collects what is worth knowing about one request; it becomes one line
// of the log at the request's end. It never holds a token, code, password,
// e-mail address or phone number.
type Event struct {
	RequestID string
	Started   time.Time

	statements atomic.Int64
	telemetry  *Telemetry // nil when nothing is measured
	span       trace.Span // nil when nothing is traced

	mu     sync.Mutex
	fields logrus.Fields
	cause  error
}

// NewEvent starts the event of a request.
func NewEvent(requestID string, started time.Time) *Event {
	return &Event{RequestID: requestID, Started: started, fields: logrus.Fields{}}
}

// Set adds a field. Identifiers of rows are fine; personal data is not.
func (e *Event) Set(name string, value any) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.fields[name] = value
}

// Fail records the cause of an answer that tells the caller less.
func (e *Event) Fail(cause error) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.cause = cause
}

// Statements is the number of SQL statements so far, BEGIN and COMMIT not
// counted.
func (e *Event) Statements() int64 { return e.statements.Load() }

// Log writes the line: at level error when a cause was recorded, else info.
func (e *Event) Log(log logrus.FieldLogger, method, route string, status int, took time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	entry := log.WithFields(e.fields).WithFields(logrus.Fields{
		"request_id": e.RequestID, "method": method, "route": route, "status": status,
		"duration_ms": float64(took.Microseconds()) / 1000, "statements": e.Statements(),
	})
	if e.cause != nil {
		entry.WithField("error", e.cause.Error()).Error("request completed")
		return
	}
	entry.Info("request completed")
}

type eventKey struct{}

// WithEvent returns a context that carries the event of a request.
func WithEvent(ctx context.Context, e *Event) context.Context {
	return context.WithValue(ctx, eventKey{}, e)
}

// EventFrom returns the event of the request, or nil.
func EventFrom(ctx context.Context) *Event {
	e, _ := ctx.Value(eventKey{}).(*Event)
	return e
}

// StatementCounter is a pgx tracer that counts statements, in the request's
// event and in all.
type StatementCounter struct{ total atomic.Int64 }

// Total is the number of statements since the start.
func (c *StatementCounter) Total() int64 { return c.total.Load() }

// TraceQueryStart counts a statement, unless it only frames a transaction.
func (c *StatementCounter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	switch data.SQL {
	case "begin", "commit", "rollback", ";", "-- ping":
		return ctx
	}
	c.total.Add(1)
	if event := EventFrom(ctx); event != nil {
		event.statements.Add(1)
	}
	return ctx
}

// TraceQueryEnd does nothing.
func (*StatementCounter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}
