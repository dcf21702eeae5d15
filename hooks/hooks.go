package hooks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/observability"
)

// Point is a place where a hook can take part. Its value is the name that the
// payload's metadata carries.
type Point string

// The hook points.
const (
	PointMFAVerification      Point = "mfa-verification"
	PointPasswordVerification Point = "password-verification"
	PointCustomAccessToken    Point = "customize-access-token"
	PointSendEmail            Point = "send-email"
	PointSendSMS              Point = "send-sms"
	PointBeforeUserCreated    Point = "before-user-created"
	PointAfterUserCreated     Point = "after-user-created"
)

// Limits of a call.
const (
	budget      = 5 * time.Second // for all attempts and pauses together
	maxAttempts = 3
	pauseLength = 2 * time.Second // after a connection failure
	maxReply    = 200 * 1024      // bytes

	// functionTime is how long a function may run, patientTime at points where
	// GoTrue sets no limit. The database is to end a call, so that its
	// connection survives: functionGrace later we do.
	functionTime  = 2 * time.Second
	patientTime   = 5 * time.Second
	functionGrace = time.Second
)

// functionLimit is how long a function at the point may run.
func (p Point) functionLimit() time.Duration {
	switch p {
	case PointBeforeUserCreated, PointAfterUserCreated, PointSendSMS:
		return patientTime
	}
	return functionTime
}

// Database runs a hook that is a PostgreSQL function.
type Database interface {
	// CallFunction returns the result of a function of one argument, nil if it
	// is NULL, and ends it after limit. Name is schema and function, plain
	// identifiers of letters, digits and underscores that still have to be
	// quoted; payload is a JSON document.
	CallFunction(ctx context.Context, name []string, payload []byte, limit time.Duration) ([]byte, error)
}

// Target is the configuration of one hook point.
type Target struct {
	// Enabled switches the hook on.
	Enabled bool
	// URI is https://…, http://… on this machine, or
	// pg-functions://any/schema/function. It may be empty.
	URI string
	// Secrets sign HTTP payloads, each with a signature of its own, so that
	// they can be rotated: v1,whsec_<base64>.
	Secrets []string
}

// Config is what New needs. Now and Random are required, Database only if a
// target is a function.
type Config struct {
	Targets  map[Point]Target
	Database Database
	Now      func() time.Time
	// Random must be cryptographic and safe for concurrent use.
	Random io.Reader
	// Pause waits between attempts, or until ctx is done, and returns ctx's
	// error then. Nil waits for real.
	Pause func(ctx context.Context, d time.Duration) error
}

// Hooks calls hooks. It is immutable and safe for concurrent use.
type Hooks struct {
	endpoints map[Point]endpoint // of the enabled points
	database  Database
	client    *http.Client
	now       func() time.Time
	ids       uuid.Generator
	pause     func(ctx context.Context, d time.Duration) error
	budget    time.Duration
}

// New checks all targets, enabled or not, and reports every mistake at once.
func New(c Config) (*Hooks, error) {
	h := &Hooks{
		endpoints: make(map[Point]endpoint),
		database:  c.Database,
		client:    newClient(),
		now:       c.Now,
		ids:       uuid.NewGenWithOptions(uuid.WithRandomReader(c.Random)),
		pause:     c.Pause,
		budget:    budget,
	}
	if h.pause == nil {
		h.pause = wait
	}
	var problems []error
	for point, target := range c.Targets {
		e, err := parseTarget(target)
		if err == nil && e.function != "" && c.Database == nil {
			err = errors.New("a function needs a database")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("hook %s: %w", point, err))
			continue
		}
		if target.Enabled {
			h.endpoints[point] = e
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return h, nil
}

// Enabled reports whether a hook is configured to run at point.
func (h *Hooks) Enabled(point Point) bool {
	_, ok := h.endpoints[point]
	return ok
}

// Invoke sends input, as JSON, to the hook at point and decodes its answer into
// output, which may be nil. An answer without content leaves output as it was;
// numbers in an output of type any become json.Number.
//
// It returns a *[Rejection] if the hook refuses, an *[Error] if calling it
// failed, and ctx's error if the caller gave up first.
func (h *Hooks) Invoke(ctx context.Context, point Point, input, output any) error {
	if !h.Enabled(point) {
		return fail(ErrDisabled, nil)
	}
	payload, err := json.Marshal(input)
	if err != nil {
		return fail(ErrMarshal, err)
	}

	ctx, done := observability.Call(ctx, "hook", string(point))
	err = h.call(ctx, point, payload, output)
	var rejection *Rejection
	if errors.As(err, &rejection) {
		done(nil) // the hook works, and says no
		return err
	}
	done(err)
	return err
}

func (h *Hooks) call(ctx context.Context, point Point, payload []byte, output any) (err error) {
	e := h.endpoints[point]
	var reply []byte
	switch {
	case e.function != "":
		reply, err = h.callFunction(ctx, e, payload, point.functionLimit())
	case e.address != "":
		reply, err = h.post(ctx, e, payload)
	default:
		err = fail(ErrNoAddress, nil)
	}
	if err != nil {
		return err
	}
	return decodeReply(reply, output)
}

// callFunction runs a PostgreSQL hook. GoTrue does not tell a function that
// took too long from one that failed.
func (h *Hooks) callFunction(ctx context.Context, e endpoint, payload []byte, limit time.Duration) ([]byte, error) {
	limited, cancel := context.WithTimeout(ctx, limit+functionGrace)
	defer cancel()
	reply, err := h.database.CallFunction(limited, []string{e.schema, e.function}, payload, limit)
	if err != nil && ctx.Err() != nil {
		return nil, context.Cause(ctx) // the caller gave up
	}
	if err != nil && limited.Err() != nil {
		err = errors.New("no answer in time") // a deadline in the chain would pass for the request's own
	}
	if err != nil {
		return nil, failf(ErrFunction, err, "%s: %s", ErrFunction, e.uri)
	}
	if len(reply) > maxReply {
		return nil, fail(ErrTooLarge, nil)
	}
	if len(reply) == 0 { // a function returning NULL or void
		return nil, nil
	}
	return reply, nil
}

// wait is the real pause.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
