package ratelimit

import (
	"context"
	"sync"
	"time"
)

// Window is a [Limiter] of n events per key in each fixed window. Windows
// follow each other without a gap from the start on, and all keys share them.
type Window struct {
	n       int
	period  time.Duration
	maxKeys int

	mu     sync.Mutex
	opened time.Time // start of the current window
	counts map[string]int
}

var _ Limiter = (*Window)(nil)

// NewWindow returns a limiter of n events per key and period, in windows
// counted from start: the meaning of a send limit written as a plain number,
// with one hour as the period. With n of 0 or less nothing is allowed; a period
// of 0 or less makes a single window that never ends.
//
// It is meant for a few keys known in advance. Should one window see more than
// [DefaultMaxKeys], further new keys are refused until the next.
func NewWindow(n int, period time.Duration, start time.Time) *Window {
	return &Window{
		n:       n,
		period:  period,
		maxKeys: DefaultMaxKeys,
		opened:  start,
		counts:  make(map[string]int),
	}
}

// Allow implements [Limiter]. It never fails. A now before the current window,
// as when the clock was set back, counts in the current window.
func (w *Window) Allow(_ context.Context, key string, now time.Time) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()

	w.advance(now)
	used, known := w.counts[key]
	if used >= w.n || (!known && len(w.counts) >= w.maxKeys) {
		return false, nil
	}
	w.counts[key] = used + 1
	return true, nil
}

// advance opens the window that now falls into and forgets the old counts.
func (w *Window) advance(now time.Time) {
	if w.period <= 0 {
		return
	}
	elapsed := now.Sub(w.opened)
	if elapsed < w.period {
		return
	}
	w.opened = w.opened.Add(elapsed.Truncate(w.period))
	clear(w.counts)
}
