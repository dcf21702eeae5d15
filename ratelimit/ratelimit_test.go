package ratelimit

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// epoch is when the tests' clock starts.
func epoch() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) }

// take counts how many of tries events l allows at one moment.
func take(t *testing.T, l Limiter, key string, at time.Time, tries int) int {
	t.Helper()
	allowed := 0
	for range tries {
		ok, err := l.Allow(context.Background(), key, at)
		require.NoError(t, err)
		if ok {
			allowed++
		}
	}
	return allowed
}

func TestLimiters(t *testing.T) {
	t.Parallel()

	type step struct {
		at    time.Duration
		key   string
		tries int
		want  int
	}
	tests := []struct {
		name    string
		limiter Limiter
		steps   []step
	}{
		{
			name:    "token bucket: burst, then events per period",
			limiter: NewTokenBucket(30, 5*time.Minute, 3),
			steps: []step{
				{0, "a", 5, 3},
				{9 * time.Second, "a", 5, 0},
				{10 * time.Second, "a", 5, 1},
				{10 * time.Second, "b", 5, 3}, // keys do not touch each other
				{time.Hour, "a", 5, 3},        // never above the burst
			},
		},
		{
			name:    "token bucket: a clock set back gives nothing",
			limiter: NewTokenBucket(1, time.Second, 1),
			steps:   []step{{time.Minute, "a", 2, 1}, {0, "a", 2, 0}, {61 * time.Second, "a", 2, 1}},
		},
		{
			name:    "token bucket: no events never refills",
			limiter: NewTokenBucket(0, time.Minute, 2),
			steps:   []step{{0, "a", 5, 2}, {1000 * time.Hour, "a", 5, 0}},
		},
		{
			name:    "token bucket: no burst allows nothing",
			limiter: NewTokenBucket(5, time.Minute, 0),
			steps:   []step{{0, "a", 5, 0}, {time.Hour, "a", 5, 0}},
		},
		{
			name:    "refill: 10/20s is ten, then one per 20 s",
			limiter: NewRefill(10, 20*time.Second),
			steps: []step{
				{0, "mail", 20, 10},
				{19 * time.Second, "mail", 5, 0},
				{20 * time.Second, "mail", 5, 1},
				{60 * time.Second, "mail", 5, 2},
			},
		},
		{
			name:    "window: full again at the next boundary only",
			limiter: NewWindow(3, time.Hour, epoch()),
			steps: []step{
				{59 * time.Minute, "mail", 5, 3},
				{60*time.Minute - 1, "mail", 5, 0},
				{60 * time.Minute, "mail", 5, 3},
				{119 * time.Minute, "mail", 5, 0},
				{119 * time.Minute, "sms", 5, 3},
				{10*time.Hour + 30*time.Minute, "mail", 5, 3},
				{10*time.Hour + 59*time.Minute, "mail", 5, 0},
				{11 * time.Hour, "mail", 1, 1}, // boundaries stay on the start's grid
			},
		},
		{
			name:    "window: a clock set back stays in the window",
			limiter: NewWindow(2, time.Hour, epoch()),
			steps:   []step{{61 * time.Minute, "mail", 3, 2}, {-time.Hour, "mail", 3, 0}},
		},
		{
			name:    "window: zero refuses everything",
			limiter: NewWindow(0, time.Hour, epoch()),
			steps:   []step{{0, "mail", 3, 0}, {5 * time.Hour, "mail", 3, 0}},
		},
		{
			name:    "window: without a period it never reopens",
			limiter: NewWindow(1, 0, epoch()),
			steps:   []step{{0, "mail", 3, 1}, {5000 * time.Hour, "mail", 3, 0}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for i, s := range tt.steps {
				require.Equal(t, s.want, take(t, tt.limiter, s.key, epoch().Add(s.at), s.tries), "step %d", i)
			}
		})
	}
}

func TestTokenBucketForgetsFullBuckets(t *testing.T) {
	t.Parallel()
	l := NewTokenBucket(1, time.Second, 1)
	for i := range 100 {
		take(t, l, fmt.Sprint("client ", i), epoch(), 1)
	}
	require.Len(t, l.buckets, 100)

	// All have filled up a minute later; each call drops a few.
	for range 60 {
		take(t, l, "last", epoch().Add(time.Minute), 1)
	}
	require.Len(t, l.buckets, 1)
	require.Equal(t, 1, l.recent.Len())
}

func TestTokenBucketCapDropsLongestUnused(t *testing.T) {
	t.Parallel()
	l := NewTokenBucket(1, time.Hour, 1)
	l.maxKeys = 3
	for _, key := range []string{"a", "b", "c"} {
		require.Equal(t, 1, take(t, l, key, epoch(), 1))
	}
	require.Zero(t, take(t, l, "a", epoch(), 1)) // used again: now "b" is oldest
	require.Equal(t, 1, take(t, l, "d", epoch(), 1))

	require.Len(t, l.buckets, 3)
	require.Contains(t, l.buckets, "a")
	require.NotContains(t, l.buckets, "b")
	require.Zero(t, take(t, l, "a", epoch(), 1), "a kept its empty bucket")
}

func TestWindowCapRefusesNewKeys(t *testing.T) {
	t.Parallel()
	w := NewWindow(2, time.Hour, epoch())
	w.maxKeys = 2
	require.Equal(t, 1, take(t, w, "a", epoch(), 1))
	require.Equal(t, 1, take(t, w, "b", epoch(), 1))
	require.Zero(t, take(t, w, "c", epoch(), 1))
	require.Equal(t, 1, take(t, w, "a", epoch(), 1), "a known key still counts")
	require.Equal(t, 2, take(t, w, "c", epoch().Add(time.Hour), 3))
}

// Of many callers at one moment, exactly the burst may pass.
func TestConcurrentCallersShareTheLimit(t *testing.T) {
	t.Parallel()
	const limit, callers, each = 50, 8, 40
	for name, l := range map[string]Limiter{
		"bucket": NewTokenBucket(1, time.Hour, limit),
		"window": NewWindow(limit, time.Hour, epoch()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var allowed atomic.Int64
			var wg sync.WaitGroup
			for range callers {
				wg.Go(func() {
					for i := range each {
						ok, err := l.Allow(context.Background(), "shared", epoch())
						if err == nil && ok {
							allowed.Add(1)
						}
						// Other keys come and go meanwhile.
						_, _ = l.Allow(context.Background(), fmt.Sprint("other ", i), epoch())
					}
				})
			}
			wg.Wait()
			require.EqualValues(t, limit, allowed.Load())
		})
	}
}

func BenchmarkTokenBucket(b *testing.B) {
	l := NewTokenBucket(1e9, time.Second, 1<<30)
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprint("client ", i)
	}
	now, i := epoch(), 0
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Microsecond)
		i++
		if ok, _ := l.Allow(context.Background(), keys[i%len(keys)], now); !ok {
			b.Fatal("refused")
		}
	}
}
