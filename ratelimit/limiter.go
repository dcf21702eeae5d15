package ratelimit

import (
	"context"
	"time"
)

// DefaultMaxKeys bounds how many keys an in-memory limiter remembers. At some
// 200 bytes a key that is about 13 MB when someone invents addresses.
const DefaultMaxKeys = 1 << 16

// Limiter counts events by key.
//
// Implementations are safe for concurrent use and read no clock of their own.
type Limiter interface {
	// Allow reports whether the event of key may happen at now, and counts it
	// if so; a refused event costs nothing. An error means that the store could
	// not be asked and nothing was decided: the caller chooses whether to let
	// the event pass. The in-memory limiters of this package never fail.
	Allow(ctx context.Context, key string, now time.Time) (bool, error)
}
