package apitest

import (
	"sync/atomic"
	"time"
)

// Clock is real time, moved forward by what the test asks for. It goes on by
// itself, because some rules compare it with the database's clock.
type Clock struct{ ahead atomic.Int64 }

// Now is the time that the server sees.
func (c *Clock) Now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load())) //nolint:forbidigo // the one clock of all tests
}

// Advance moves the clock forward.
func (c *Clock) Advance(by time.Duration) { c.ahead.Add(int64(by)) }
