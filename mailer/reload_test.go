package mailer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// setupReloading makes the background look at the ages all the time.
func setupReloading(t *testing.T, s *templateServer) bundle {
	t.Helper()
	m := setupRemote(t, s, func(c *Config) { c.TemplateReload, c.TemplateMaxIdle = true, 20*time.Minute })
	require.Equal(t, 2500*time.Millisecond, m.library.reload.every, "a quarter of the retry interval")
	m.library.reload.every = time.Millisecond
	t.Cleanup(func() { m.Close(t.Context()) })
	return m
}

func (b bundle) isReloading() bool {
	b.library.mu.Lock()
	defer b.library.mu.Unlock()
	return b.library.reload.running
}

// nothingDue demands that a look at the ages finds nothing to load.
func (b bundle) nothingDue(t *testing.T) {
	t.Helper()
	due, _ := b.library.due()
	require.Empty(t, due)
}

// hasFailed reports whether the last load of the body is over, and in vain.
func (b bundle) hasFailed() bool {
	return b.library.entry(edition{kind: Confirmation}).retryAt.After(b.clock.time())
}

// A body that nears its age is loaded without a mail that asks for it, until
// mails stop coming.
func TestBackgroundReload(t *testing.T) {
	t.Parallel()
	server := newTemplateServer(t, says("One"))
	m := setupReloading(t, server)
	require.False(t, m.isReloading(), "nothing to do before the first mail")
	require.Equal(t, "One", m.text(t.Context(), t))
	require.True(t, m.isReloading())

	server.now(says("Two"))
	m.clock.advance(9*time.Minute - 1)
	m.nothingDue(t)
	require.EqualValues(t, 1, server.calls.Load())
	m.clock.advance(1)
	require.Eventually(t, func() bool { return server.calls.Load() == 2 }, 5*time.Second, time.Millisecond)
	require.Eventually(t, func() bool { return m.text(t.Context(), t) == "Two" }, 5*time.Second, time.Millisecond)

	// One that fails is tried again after the retry interval, not before.
	server.now(says("{{ broken"))
	m.clock.advance(9 * time.Minute)
	require.Eventually(t, func() bool { return server.calls.Load() == 3 }, 5*time.Second, time.Millisecond)
	require.Eventually(t, m.hasFailed, 5*time.Second, time.Millisecond)
	m.nothingDue(t)
	require.EqualValues(t, 3, server.calls.Load())
	server.now(says("Three"))
	m.clock.advance(10 * time.Second)
	require.Eventually(t, func() bool { return m.text(t.Context(), t) == "Three" }, 5*time.Second, time.Millisecond)

	m.clock.advance(20*time.Minute + 1)
	require.Eventually(t, func() bool { return !m.isReloading() }, 5*time.Second, time.Millisecond)
	calls := server.calls.Load()
	m.clock.advance(time.Hour)
	m.library.reload.loop.Wait()
	require.Equal(t, calls, server.calls.Load(), "asleep")
	require.Equal(t, "Three", m.text(t.Context(), t))
	require.True(t, m.isReloading(), "awake again")
}

func TestReloadEndsWithTheMailer(t *testing.T) {
	t.Parallel()
	server := newTemplateServer(t, says("One"))
	m := setupReloading(t, server)
	require.Equal(t, "One", m.text(t.Context(), t))
	m.Close(t.Context())
	m.Close(t.Context()) // twice does no harm
	m.clock.advance(9 * time.Minute)
	m.library.reload.loop.Wait()
	require.EqualValues(t, 1, server.calls.Load())
}

func TestNoReloadUnlessEnabled(t *testing.T) {
	t.Parallel()
	m := setupRemote(t, newTemplateServer(t, says("One")))
	require.Equal(t, "One", m.text(t.Context(), t))
	require.False(t, m.isReloading())
}
