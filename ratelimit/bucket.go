package ratelimit

import (
	"container/list"
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// sweepBatch is how many idle buckets one call may drop. Two are enough to
// shrink faster than the one new key per call can grow.
const sweepBatch = 2

// TokenBucket is a [Limiter] that gives every key its own bucket of tokens.
// Memory is bounded: a bucket that has filled up again is forgotten, which
// changes nothing because a new one starts full, and above the cap the bucket
// that was unused for longest goes.
type TokenBucket struct {
	limit   rate.Limit
	burst   int
	maxKeys int

	mu      sync.Mutex
	buckets map[string]*list.Element // of *bucket
	recent  *list.List               // most recently used first
}

type bucket struct {
	key    string
	tokens *rate.Limiter
}

var _ Limiter = (*TokenBucket)(nil)

// NewTokenBucket returns a limiter whose buckets hold burst tokens and regain
// events tokens per period. With no positive events or period a bucket never
// refills; with a burst of 0 or less nothing is ever allowed.
func NewTokenBucket(events float64, per time.Duration, burst int) *TokenBucket {
	var limit rate.Limit
	if events > 0 && per > 0 { // also false for NaN
		limit = rate.Limit(events / per.Seconds())
	}
	return &TokenBucket{
		limit:   limit,
		burst:   max(burst, 0),
		maxKeys: DefaultMaxKeys,
		buckets: make(map[string]*list.Element),
		recent:  list.New(),
	}
}

// NewRefill returns a limiter that allows n events at once and gives back one
// per duration: the meaning of a send limit written "n/per", so "30/1h" is
// thirty at once and then one an hour.
func NewRefill(n int, per time.Duration) *TokenBucket {
	return NewTokenBucket(1, per, n)
}

// Allow implements [Limiter]. It never fails.
func (l *TokenBucket) Allow(_ context.Context, key string, now time.Time) (bool, error) {
	if l.burst == 0 {
		return false, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()

	l.dropIdle(now)
	return l.bucket(key).tokens.AllowN(now, 1), nil
}

// bucket finds or makes the bucket of key and marks it as used last.
func (l *TokenBucket) bucket(key string) *bucket {
	if e, ok := l.buckets[key]; ok {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if l.recent.Len() >= l.maxKeys {
		l.drop(l.recent.Back())
	}
	b := &bucket{key: key, tokens: rate.NewLimiter(l.limit, l.burst)}
	l.buckets[key] = l.recent.PushFront(b)
	return b
}

// dropIdle forgets buckets that are full again, longest unused first. One that
// is not full yet ends the sweep: those used after it may be full already, but
// they will be found once it is.
func (l *TokenBucket) dropIdle(now time.Time) {
	for range sweepBatch {
		e := l.recent.Back()
		if e == nil || e.Value.(*bucket).tokens.TokensAt(now) < float64(l.burst) {
			return
		}
		l.drop(e)
	}
}

func (l *TokenBucket) drop(e *list.Element) {
	l.recent.Remove(e)
	delete(l.buckets, e.Value.(*bucket).key)
}
