package ratelimit

import (
	"context"
	"math"
	"strconv"
	"time"
)

// keepTokens is how long a bucket that never refills is remembered after its
// last use, and the longest time that any bucket is.
const keepTokens = 30 * 24 * time.Hour

// takeScript takes an event from the bucket or the window KEYS[1].
//
// A bucket is the time at which it will be full again, in microseconds (the
// generic cell rate algorithm, which decides as a count of tokens does): it
// holds ARGV[2] events, and one takes ARGV[3] to come back. The key goes when
// the bucket is full. The time is the server's unless ARGV[4] says it.
//
// A window is the number of events in it: ARGV[2] at most, for ARGV[3] from the
// first one on.
const takeScript = `
local most, per = tonumber(ARGV[2]), tonumber(ARGV[3])
if ARGV[1] == 'window' then
	if tonumber(redis.call('get', KEYS[1]) or '0') >= most then return 0 end
	if redis.call('incr', KEYS[1]) == 1 then
		redis.call('pexpire', KEYS[1], string.format('%.0f', math.ceil(per / 1000)))
	end
	return 1
end
local now = tonumber(ARGV[4])
if not now then
	local time = redis.call('time')
	now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local full = math.max(tonumber(redis.call('get', KEYS[1]) or '0'), now) + per
if full - now > most * per then return 0 end
local keep = math.min(math.ceil((full - now) / 1000), tonumber(ARGV[5]))
redis.call('set', KEYS[1], string.format('%.0f', full), 'px', string.format('%.0f', math.max(keep, 1)))
return 1`

// shared counts in a store together with other replicas. While the store cannot
// be asked, local decides; it counts all the time, so that an outage does not
// fill the buckets.
type shared struct {
	store *Store
	name  string
	local Limiter
	args  []string
}

// Share returns a limiter that decides as local does, but together with the
// limiters of the same name of other replicas. With no store it is local itself.
// A window starts with its first event, since replicas do not start together.
func (s *Store) Share(name string, local Limiter) Limiter {
	if s == nil {
		return local
	}
	l := &shared{store: s, name: name, local: local}
	switch known := local.(type) {
	case *TokenBucket:
		l.args = known.shape()
	case *Window:
		l.args = known.shape()
	}
	if l.args == nil {
		return local // nothing is allowed, or nobody else counts this way
	}
	return l
}

// Allow implements [Limiter]. It never fails.
func (l *shared) Allow(ctx context.Context, key string, now time.Time) (bool, error) {
	args := l.args
	if !l.store.serverTime {
		args = append([]string{}, args...)
		args[3] = strconv.FormatInt(now.UnixMicro(), 10)
	}
	allowed, err := l.store.take(ctx, l.store.key(l.name, key), args)
	if err != nil {
		return l.local.Allow(ctx, key, now)
	}
	if allowed {
		_, _ = l.local.Allow(ctx, key, now) // never fails; the store has decided
	}
	return allowed, nil
}

// shape describes the bucket to takeScript; nil when it holds nothing.
func (l *TokenBucket) shape() []string {
	switch {
	case l.burst <= 0:
		return nil
	case l.limit <= 0:
		return windowShape(l.burst, keepTokens)
	}
	// Whole microseconds, so that sums of them are exact.
	micros := max(math.Round(1e6/float64(l.limit)), 1)
	return []string{"bucket", strconv.Itoa(l.burst), strconv.FormatFloat(micros, 'f', 0, 64), "", strconv.FormatInt(keepTokens.Milliseconds(), 10)}
}

// shape describes the window to takeScript; nil when it is closed for ever.
func (w *Window) shape() []string {
	switch {
	case w.n <= 0:
		return nil
	case w.period <= 0:
		return windowShape(w.n, keepTokens)
	}
	return windowShape(w.n, w.period)
}

func windowShape(n int, period time.Duration) []string {
	return []string{"window", strconv.Itoa(n), strconv.FormatInt(period.Microseconds(), 10), "", ""}
}
