package web

import (
	"context"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/observability"
)

// Observer is what Observe needs.
type Observer struct {
	Log logrus.FieldLogger
	Now func() time.Time
	// NewID names a request.
	NewID func(*http.Request) string
	// Telemetry measures requests; it may be nil.
	Telemetry *observability.Telemetry
}

// Observe is the outermost middleware: it gives a request its event and writes
// the event's line when the request is over. Health checks leave no line.
func Observe(o Observer) func(http.Handler) http.Handler {
	// told are the answer's headers that are worth a field.
	told := map[string]string{
		"X-Sb-Error-Code": "error_code", "Sb-Auth-User-Id": "user_id", "Sb-Auth-Session-Id": "session_id",
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			event := observability.NewEvent(o.NewID(r), o.Now())
			r = r.WithContext(o.Telemetry.Begin(observability.WithEvent(r.Context(), event), event, r))
			recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
			defer func() {
				route, took := routeOf(r), o.Now().Sub(event.Started)
				o.Telemetry.End(r.Context(), event, observability.Outcome{
					Method: r.Method, Route: route, Status: recorder.status, Took: took,
				})
				if strings.HasPrefix(route, "/health") {
					return
				}
				for header, field := range told {
					if value := recorder.Header().Get(header); value != "" {
						event.Set(field, value)
					}
				}
				event.Log(o.Log, r.Method, route, recorder.status, took)
			}()
			next.ServeHTTP(recorder, r)
		})
	}
}

// routeOf is the pattern of the route, never the path, which holds ids.
func routeOf(r *http.Request) string {
	if rctx := chi.RouteContext(r.Context()); rctx != nil && rctx.RoutePattern() != "" {
		return rctx.RoutePattern()
	}
	return "unmatched"
}

// Recover turns a panic into the answer of fail and lets the server live on.
func Recover(fail func(w http.ResponseWriter, r *http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			defer func() {
				switch reason := recover(); reason {
				case nil:
				case http.ErrAbortHandler:
					panic(reason)
				default:
					observability.EventFrom(r.Context()).Fail(fmt.Errorf("panic: %v\n%s", reason, debug.Stack()))
					fail(w, r)
				}
			}()
			next.ServeHTTP(w, r)
		})
	}
}

// Deadline bounds the handling of a request; zero or less means no bound. The
// statements and calls of the request end with its context.
func Deadline(limit time.Duration) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		if limit <= 0 {
			return next
		}
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), limit)
			defer cancel()
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// LimitBody ends reading a body at MaxBody, whoever reads it: handlers, and
// net/http when it looks for form values.
func LimitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, MaxBody)
		next.ServeHTTP(w, r)
	})
}

// statusRecorder remembers the status of an answer.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader remembers and passes on.
func (s *statusRecorder) WriteHeader(status int) {
	s.status = status
	s.ResponseWriter.WriteHeader(status)
}

// Unwrap serves http.ResponseController.
func (s *statusRecorder) Unwrap() http.ResponseWriter { return s.ResponseWriter }

// Harden keeps browsers from guessing: an answer is of the type it says, and no
// other page shows it in a frame.
func Harden(next http.Handler) http.Handler {
	// Made once: every answer has the same.
	nosniff, deny := []string{"nosniff"}, []string{"DENY"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header["X-Content-Type-Options"], header["X-Frame-Options"] = nosniff, deny
		next.ServeHTTP(w, r)
	})
}
