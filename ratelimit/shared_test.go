package ratelimit

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/ratelimit/storetest"
)

// timeout is far more than a server needs.
const timeout = 20 * time.Second

// logged is a log that a test reads while others write.
type logged struct {
	mu  sync.Mutex
	out bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.out.Write(p)
}

func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.out.String(), text)
}

// clock is the stores' own, for outages.
type clock struct{ passed atomic.Int64 }

func (c *clock) now() time.Time { return epoch().Add(time.Duration(c.passed.Load())) }

func (c *clock) advance(d time.Duration) { c.passed.Add(int64(d)) }

func newStore(t *testing.T, url string) (*Store, *clock, *logged) {
	t.Helper()
	at, log, out := new(clock), logrus.New(), new(logged)
	log.SetOutput(out)
	s, err := NewStore(StoreConfig{URL: url, Secret: "project", Timeout: timeout, Log: log, Now: at.now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s, at, out
}

// A shared bucket decides as one in memory does.
func TestSharedBucketsDecideAlike(t *testing.T) {
	t.Parallel()
	s, _, out := newStore(t, storetest.Start(t).URL)
	s.serverTime = false
	for name, local := range map[string]*TokenBucket{
		"30 in 5 min":      NewTokenBucket(30, 5*time.Minute, 3),
		"150 in 5 min":     NewTokenBucket(150, 5*time.Minute, 30),
		"fractions":        NewTokenBucket(0.7, time.Second, 2),
		"one":              NewTokenBucket(1, time.Second, 1),
		"30 per hour":      NewTokenBucket(30, time.Hour, 30),
		"ten, one in 20 s": NewRefill(10, 20*time.Second),
	} {
		shared := s.Share(name, local)
		twin := *NewTokenBucket(1, time.Hour, local.burst)
		twin.limit = local.limit
		at := epoch()
		for i, wait := range []time.Duration{
			0, time.Second, 9 * time.Second, 10 * time.Second, 1, time.Minute, time.Hour, 2 * time.Second, 61 * time.Second, 30 * time.Hour,
		} {
			at = at.Add(wait)
			require.Equal(t, take(t, &twin, "a", at, 8), take(t, shared, "a", at, 8), "%s, step %d", name, i)
		}
		require.Equal(t, min(local.burst, 8), take(t, shared, "b", at, 8), "keys do not touch each other")
	}
	require.Zero(t, out.count("cannot be asked"))
}

func TestSharedLimitsWithoutRefill(t *testing.T) {
	t.Parallel()
	s, _, _ := newStore(t, storetest.Start(t).URL)
	require.Equal(t, 2, take(t, s.Share("never", NewTokenBucket(0, time.Minute, 2)), "a", epoch(), 5))
	require.Zero(t, take(t, s.Share("none", NewTokenBucket(5, time.Minute, 0)), "a", epoch(), 5))
	require.Zero(t, take(t, s.Share("zero", NewWindow(0, time.Hour, epoch())), "", epoch(), 5))
	require.Equal(t, 1, take(t, s.Share("once", NewWindow(1, 0, epoch())), "", epoch(), 5))

	hour := s.Share("hour", NewWindow(3, time.Hour, epoch()))
	require.Equal(t, 3, take(t, hour, "", epoch(), 5))
	short := s.Share("short", NewWindow(2, 300*time.Millisecond, epoch()))
	require.Equal(t, 2, take(t, short, "", epoch(), 5))
	require.Eventually(t, func() bool { return take(t, short, "", epoch(), 1) == 1 }, 10*time.Second, 20*time.Millisecond,
		"the window ends by the store's clock")
	require.Zero(t, take(t, hour, "", epoch(), 1))
}

// Many callers of several replicas, at one moment: exactly the limit may pass.
func TestReplicasShareTheLimit(t *testing.T) {
	t.Parallel()
	server := storetest.Start(t)
	const limit, replicas, callers, each = 50, 3, 4, 20
	var allowed, budget atomic.Int64
	var wg sync.WaitGroup
	for range replicas {
		s, _, _ := newStore(t, server.URL)
		require.Equal(t, 1, take(t, s.Share("other", NewTokenBucket(1, time.Hour, 1)), fmt.Sprint(s), epoch(), 1), "connected")
		bucket := s.Share("bucket", NewTokenBucket(1, time.Hour, limit))
		window := s.Share("window", NewWindow(limit, time.Hour, epoch()))
		for range callers {
			wg.Go(func() {
				for range each {
					if ok, _ := bucket.Allow(context.Background(), "a", epoch()); ok {
						allowed.Add(1)
					}
					if ok, _ := window.Allow(context.Background(), "", epoch()); ok {
						budget.Add(1)
					}
				}
			})
		}
	}
	wg.Wait()
	require.EqualValues(t, limit, allowed.Load())
	require.EqualValues(t, limit, budget.Load())
}

// The store holds no addresses, nothing for ever, and no other project's keys.
func TestWhatTheStoreHolds(t *testing.T) {
	t.Parallel()
	s, _, _ := newStore(t, storetest.Start(t).URL)
	require.Equal(t, 2, take(t, s.Share("token", NewTokenBucket(1, time.Minute, 2)), "192.0.2.77", epoch(), 3))
	require.Equal(t, 1, take(t, s.Share("mail", NewWindow(9, time.Hour, epoch())), "", epoch(), 1))
	conn, err := s.dial(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	keys, err := redis.Strings(conn.Do("KEYS", "*"))
	require.NoError(t, err)
	require.Len(t, keys, 2)
	for _, key := range keys {
		require.Regexp(t, `^truegrant:rate:(token|mail):[0-9a-f]{32}$`, key)
		left, err := redis.Int64(conn.Do("PTTL", key))
		require.NoError(t, err)
		require.Positive(t, left)
		require.LessOrEqual(t, left, time.Hour.Milliseconds())
	}
	other := &Store{secret: []byte("another project")}
	require.NotEqual(t, s.key("token", "192.0.2.77"), other.key("token", "192.0.2.77"))
	require.NotEqual(t, s.key("a", "bc")[len(keyPrefix)+2:], s.key("ab", "c")[len(keyPrefix)+3:])
}

// An outage: each replica counts for itself, says so now and then, and returns
// to the store when it is back.
func TestStoreOutage(t *testing.T) {
	t.Parallel()
	server := storetest.New(t)
	s, at, out := newStore(t, server.URL)
	l := s.Share("token", NewTokenBucket(1, time.Hour, 5))
	require.Equal(t, 5, take(t, l, "a", epoch(), 9), "never unlimited, though the store was never there")
	require.Equal(t, 1, out.count("counts for itself"))

	server.Start()
	at.advance(restAfter)
	require.Equal(t, 3, take(t, l, "b", epoch(), 3))
	require.Equal(t, 1, out.count("is back"))
	server.Stop()
	require.Equal(t, 2, take(t, l, "b", epoch(), 9), "what was taken in the store counts here too")
	require.Equal(t, 2, out.count("counts for itself"))
	at.advance(restAfter)
	require.Zero(t, take(t, l, "b", epoch(), 3))
	require.Equal(t, 2, out.count("counts for itself"), "once in an interval")
	at.advance(tellEvery)
	require.Zero(t, take(t, l, "b", epoch(), 3))
	require.Equal(t, 3, out.count("counts for itself"))

	server.Start()
	at.advance(restAfter)
	require.Equal(t, 5, take(t, l, "b", epoch(), 9), "a new store, new buckets")
	require.Equal(t, 2, out.count("is back"))
}

// A peer that accepts and says nothing, or nonsense, or far too much.
func TestBrokenStores(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(net.Conn){
		"silent":   func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) },
		"garbage":  func(conn net.Conn) { _, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n") },
		"closes":   func(net.Conn) {},
		"too much": func(conn net.Conn) { _, _ = conn.Write(bytes.Repeat([]byte("x"), 10<<20)) },
		"refuses":  func(conn net.Conn) { _, _ = io.WriteString(conn, strings.Repeat("-ERR no\r\n", 50)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					conn, err := listener.Accept()
					if err != nil {
						return
					}
					go func() {
						defer conn.Close()
						answer(conn)
					}()
				}
			}()
			s, _, out := newStore(t, "redis://:hunter2@"+listener.Addr().String())
			s.timeout = 100 * time.Millisecond
			l := s.Share("token", NewTokenBucket(1, time.Hour, 3))
			started := time.Now()
			require.Equal(t, 3, take(t, l, "a", epoch(), 50))
			require.Less(t, time.Since(started), 5*time.Second, "asked once, with a time limit")
			require.Equal(t, 1, out.count("counts for itself"))
			require.Zero(t, out.count("hunter2"))
		})
	}
}

// A caller who gives up says nothing of the store.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	s, _, out := newStore(t, storetest.Start(t).URL)
	l := s.Share("token", NewTokenBucket(1, time.Hour, 3))
	require.Equal(t, 1, take(t, l, "a", epoch(), 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	ok, err := l.Allow(ctx, "a", epoch())
	require.NoError(t, err)
	require.True(t, ok)
	require.Zero(t, out.count("counts for itself"))
	require.Equal(t, 2, take(t, l, "a", epoch(), 5))
}

func TestNewStoreRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "http://127.0.0.1", "redis://u:hunter2@%zz", "redis://127.0.0.1/x"} {
		_, err := NewStore(StoreConfig{URL: url})
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "hunter2")
	}
	var none *Store
	local := NewTokenBucket(1, time.Hour, 3)
	require.Same(t, local, none.Share("token", local))
}

func BenchmarkShared(b *testing.B) {
	s, err := NewStore(StoreConfig{URL: storetest.Start(b).URL, Timeout: timeout, Log: logrus.New(), Now: time.Now})
	require.NoError(b, err)
	b.Cleanup(func() { _ = s.Close() })
	l := s.Share("token", NewTokenBucket(1e9, time.Second, 1<<30))
	b.ReportAllocs()
	for b.Loop() {
		if ok, _ := l.Allow(context.Background(), "192.0.2.1", epoch()); !ok {
			b.Fatal("refused")
		}
	}
}
