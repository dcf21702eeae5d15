package observability_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/observability"
)

func TestEventIsOneLine(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := observability.NewLogger(&out, "")
	require.NoError(t, err)
	event := observability.NewEvent("request-1", time.Time{})
	event.Set("user_id", "u")
	event.Log(log, "GET", "/user/{id}", 200, 1500*time.Microsecond)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	delete(line, "time")
	require.Equal(t, map[string]any{
		"level": "info", "msg": "request completed", "request_id": "request-1", "method": "GET", "route": "/user/{id}",
		"status": 200.0, "duration_ms": 1.5, "statements": 0.0, "user_id": "u",
	}, line)

	out.Reset()
	event.Fail(errors.New("the\ncause"))
	event.Log(log, "GET", "/", 500, 0)
	require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")), "a cause of several lines stays in one")
	require.NoError(t, json.Unmarshal(out.Bytes(), &line))
	require.Equal(t, "error", line["level"])
	require.Equal(t, "the\ncause", line["error"])
}

func TestEventOfNoRequest(t *testing.T) {
	t.Parallel()
	event := observability.EventFrom(context.Background())
	require.Nil(t, event)
	event.Set("a", 1) // what runs outside a request need not ask
	event.Fail(errors.New("x"))
}

func TestStatementCounter(t *testing.T) {
	t.Parallel()
	counter := new(observability.StatementCounter)
	event := observability.NewEvent("", time.Time{})
	ctx := observability.WithEvent(t.Context(), event)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for _, sql := range []string{"begin", "select 1", "commit", "rollback", "-- ping", ";", "update x"} {
				counter.TraceQueryStart(ctx, nil, pgx.TraceQueryStartData{SQL: sql})
				counter.TraceQueryEnd(ctx, nil, pgx.TraceQueryEndData{})
				event.Set("a", sql)
			}
		})
	}
	group.Wait()
	counter.TraceQueryStart(t.Context(), nil, pgx.TraceQueryStartData{SQL: "select 2"})
	require.EqualValues(t, 17, counter.Total())
	require.EqualValues(t, 16, event.Statements())
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := observability.NewLogger(&out, "warn")
	require.NoError(t, err)
	log.Info("quiet")
	require.Empty(t, out.String())
	log, err = observability.NewLogger(&out, "loud")
	require.Error(t, err)
	log.Info("still usable")
	require.NotEmpty(t, out.String())
}
