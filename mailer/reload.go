package mailer

import (
	"context"
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
	close   context.CancelFunc
}

func newReloading(c Config) reloading {
	closed, closing := context.WithCancel(context.Background())
	return reloading{
		enabled: c.TemplateReload, every: max(time.Second, c.TemplateRetry/4), maxIdle: c.TemplateMaxIdle,
		closed: closed, close: closing,
	}
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
	if !l.reload.running {
		l.reload.running = true
		go l.keepFresh()
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
			<-l.load(l.reload.closed, e)
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
