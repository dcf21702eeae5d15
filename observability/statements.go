package observability

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sirupsen/logrus"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// Statements returns the driver's tracer: it counts, it makes a span of each
// statement of a traced request, and it writes each to sqlLog unless that is
// nil. It sees the text with its placeholders; arguments go nowhere.
func (t *Telemetry) Statements(sqlLog logrus.FieldLogger, now func() time.Time) pgx.QueryTracer {
	s := &statementTracer{log: sqlLog, now: now}
	if t != nil {
		s.tracer = t.tracer
	}
	if s.log == nil && s.tracer == nil {
		return &s.counter
	}
	return s
}

type statementTracer struct {
	counter StatementCounter
	tracer  trace.Tracer
	log     logrus.FieldLogger
	now     func() time.Time
}

// statement is one that is under way.
type statement struct {
	sql     string
	span    trace.Span
	started time.Time
}

type statementKey struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (s *statementTracer) TraceQueryStart(ctx context.Context, conn *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	ctx = s.counter.TraceQueryStart(ctx, conn, data)
	one := &statement{sql: data.SQL}
	if s.log != nil {
		one.started = s.now()
	}
	event := EventFrom(ctx)
	if s.tracer != nil && event != nil && event.span != nil {
		ctx, one.span = s.tracer.Start(ctx, operation(data.SQL), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
			attribute.String("db.system.name", "postgresql"), attribute.String("db.query.text", data.SQL)))
	}
	return context.WithValue(ctx, statementKey{}, one)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statementTracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	one, _ := ctx.Value(statementKey{}).(*statement)
	if one == nil {
		return
	}
	if one.span != nil {
		if data.Err != nil {
			// The message may quote values; the state does not.
			one.span.SetStatus(codes.Error, "")
			one.span.SetAttributes(attribute.String("db.response.status_code", sqlState(data.Err)))
		}
		one.span.End()
	}
	if s.log == nil {
		return
	}
	fields := logrus.Fields{
		"component": "sql", "sql": one.sql, "duration_ms": float64(s.now().Sub(one.started).Microseconds()) / 1000,
	}
	if event := EventFrom(ctx); event != nil {
		fields["request_id"] = event.RequestID
	}
	if data.Err != nil {
		fields["sqlstate"] = sqlState(data.Err)
	}
	s.log.WithFields(fields).Info("statement")
}

// operation is the first word of a statement.
func operation(sql string) string {
	word, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	if len(word) > 10 {
		return "statement"
	}
	return strings.ToUpper(word)
}

// sqlState is the five characters of a database's error, empty for other errors.
func sqlState(err error) string {
	var known *pgconn.PgError
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}
