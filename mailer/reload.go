package mailer

import (
	"context"
	"sync"
	"time"
)

// reloading is what a library needs to load bodies before a mail asks for them.
type reloading struct {
	enabled bool
	// every is the pause between two looks at the ages, maxIdle the time without
	// mail after which looking ends.
	every, maxIdle time.Duration

	lastUse time.Time
	running bool
	closed  context.Context
	cancel  context.CancelFunc
	loop    sync.WaitGroup
}

func newReloading(c Config) *reloading {
	closed, cancel := context.WithCancel(context.Background())
	return &reloading{
		enabled: c.TemplateReload, every: max(time.Second, c.TemplateRetry/4), maxIdle: c.TemplateMaxIdle,
		closed: closed, cancel: cancel,
	}
}

// close ends the looking. A load that is under way ends by itself.
func (l *library) close() {
	l.mu.Lock() // so that nobody starts while this waits
	l.reload.cancel()
	l.mu.Unlock()
	l.reload.loop.Wait()
}

// nearsAge reports whether a body has reached nine tenths of its age.
func (l *library) nearsAge(known entry, now time.Time) bool {
	return now.Sub(known.loaded) >= l.maxAge/10*9
}

// used remembers that a mail needed a body, and starts looking at the ages.
func (l *library) used(now time.Time) {
	if !l.reload.enabled {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reload.lastUse = now
	if !l.reload.running && l.reload.closed.Err() == nil {
		l.reload.running = true
		l.reload.loop.Go(l.keepFresh)
	}
}

// keepFresh loads bodies that near their age, until mails stop or the library
// is closed.
func (l *library) keepFresh() {
	ticker := time.NewTicker(l.reload.every)
	defer ticker.Stop()
	for {
		select {
		case <-l.reload.closed.Done():
			return
		case <-ticker.C:
		}
		due, goesOn := l.due()
		if !goesOn {
			return
		}
		for _, e := range due {
			select {
			case <-l.load(l.reload.closed, e):
			case <-l.reload.closed.Done():
				return
			}
		}
	}
}

// due lists what has to be loaded. The second value is false when no mail has
// been sent for so long that looking ends.
func (l *library) due() ([]edition, bool) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.reload.lastUse) > l.reload.maxIdle {
		l.reload.running = false
		return nil, false
	}
	var due []edition
	for e, known := range l.entries {
		if l.nearsAge(known, now) && !now.Before(known.retryAt) {
			due = append(due, e)
		}
	}
	return due, true
}
