package password

import (
	"context"
	"crypto/rand"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWaitingHonoursContext(t *testing.T) {
	t.Parallel()
	h := New(0, rand.Reader) // one slot, and it is taken
	h.slots <- struct{}{}
	calls := map[string]func(context.Context) error{
		"hash":    func(ctx context.Context) error { _, err := h.Hash(ctx, "x"); return err },
		"compare": func(ctx context.Context) error { return h.Compare(ctx, dummyHash, "x") },
		"empty":   func(ctx context.Context) error { return h.Compare(ctx, "", "x") },
		"dummy":   func(ctx context.Context) error { return h.CompareDummy(ctx, "x") },
	}
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		require.ErrorIs(t, call(ctx), context.DeadlineExceeded, name)
		cancel()
		require.ErrorIs(t, call(ctx), context.DeadlineExceeded, name+", already over")
	}
	<-h.slots
	require.ErrorIs(t, calls["compare"](t.Context()), ErrMismatch)
	require.Empty(t, h.slots, "slots are given back")
}

func TestWorkIsBounded(t *testing.T) {
	t.Parallel()
	const slots = 3
	h := New(slots, rand.Reader)
	var running, most atomic.Int32
	full := make(chan struct{})
	var all sync.WaitGroup
	var once sync.Once
	for range 4 * slots {
		all.Go(func() {
			_ = h.work(context.Background(), func() error {
				defer running.Add(-1)
				n := running.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				if n == slots {
					once.Do(func() { close(full) })
				}
				<-full // everyone stays until all slots were in use at once
				return nil
			})
		})
	}
	all.Wait()
	require.EqualValues(t, slots, most.Load())
}

func TestSlotIsGivenBackOnPanic(t *testing.T) {
	t.Parallel()
	h := New(1, rand.Reader)
	require.Panics(t, func() { _ = h.work(t.Context(), func() error { panic("bug") }) })
	require.Empty(t, h.slots)
}
