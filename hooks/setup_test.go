package hooks

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// testNow is when every test takes place.
func testNow() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// pauses records how long a Hooks would have waited, and waits not at all.
type pauses struct {
	mu   sync.Mutex
	list []time.Duration
}

func (p *pauses) wait(_ context.Context, d time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, d)
	return nil
}

func (p *pauses) all() []time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]time.Duration(nil), p.list...)
}

// newHooks makes a Hooks with one enabled target.
func newHooks(t testing.TB, point Point, target Target, change ...func(*Config)) (*Hooks, *pauses) {
	t.Helper()
	waited := new(pauses)
	target.Enabled = true
	c := Config{
		Targets: map[Point]Target{point: target},
		Now:     testNow,
		Random:  rand.Reader,
		Pause:   waited.wait,
	}
	for _, f := range change {
		f(&c)
	}
	h, err := New(c)
	require.NoError(t, err)
	return h, waited
}

// serve starts an HTTP hook and returns its address.
func serve(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// answer is a hook that always says the same.
func answer(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Content-Type"] = nil // nothing is guessed
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// database is a fake at the edge: it answers every function the same.
type database struct {
	reply []byte
	err   error

	name    []string
	payload []byte
	limit   time.Duration
}

func (d *database) CallFunction(_ context.Context, name []string, payload []byte, limit time.Duration) ([]byte, error) {
	d.name, d.payload, d.limit = name, payload, limit
	return d.reply, d.err
}
