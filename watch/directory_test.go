package watch_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/watch"
)

const grace = 50 * time.Millisecond

type bundle struct {
	*testing.T
	watch.Directory
	changes atomic.Int32
	signals chan os.Signal
}

func setup(t *testing.T, options ...func(*watch.Directory)) *bundle {
	t.Helper()
	log := logrus.New()
	log.SetOutput(new(bytes.Buffer))
	b := &bundle{T: t, signals: make(chan os.Signal, 1)}
	b.Directory = watch.Directory{
		Path: filepath.Join(t.TempDir(), "config"), Notify: true, PollInterval: time.Second, Grace: grace, Log: log,
		Signals: b.signals,
	}
	for _, option := range options {
		option(&b.Directory)
	}
	require.NoError(t, os.MkdirAll(b.Path, 0o755))
	b.write("a.env", "A=1")
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { b.Directory.Run(ctx, func() { b.changes.Add(1) }) })
	t.Cleanup(func() { cancel(); group.Wait() })
	if b.Notify || b.Poll { // wait until the watch is set up, without counting what that takes
		require.Eventually(t, func() bool { b.write("a.env", "A=1"); return b.changes.Load() > 0 }, 20*time.Second, 3*grace)
		time.Sleep(3 * grace)
		if b.Poll {
			time.Sleep(b.PollInterval)
		}
		b.changes.Store(0)
	}
	return b
}

func (b *bundle) write(name, text string) {
	b.Helper()
	require.NoError(b, os.WriteFile(filepath.Join(b.Path, name), []byte(text), 0o600))
}

// noticed waits for the nth change, and then for no other.
func (b *bundle) noticed(n int) {
	b.Helper()
	require.Eventually(b, func() bool { return int(b.changes.Load()) >= n }, 20*time.Second, 5*time.Millisecond)
	time.Sleep(3 * grace)
	require.EqualValues(b, n, b.changes.Load())
}

func TestNotifications(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 5 {
		b.write("a.env", "A=2") // several changes in a row are one
	}
	b.noticed(1)
	b.write("b.json", "{}")
	b.noticed(2)
	b.write("notes.txt", "not read")
	require.NoError(t, os.Chmod(filepath.Join(b.Path, "a.env"), 0o640))
	b.noticed(2)
	require.NoError(t, os.Rename(filepath.Join(b.Path, "b.json"), filepath.Join(b.Path, "c.json")))
	b.noticed(3)
	require.NoError(t, os.Remove(filepath.Join(b.Path, "c.json")))
	b.noticed(4)
	b.signals <- syscall.SIGUSR1
	b.noticed(5)
}

// Kubernetes mounts files as links into a folder that it swaps.
func TestMountedConfigMap(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, os.Mkdir(filepath.Join(b.Path, "..2026"), 0o755))
	require.NoError(t, os.Symlink("..2026", filepath.Join(b.Path, "..data_tmp")))
	b.noticed(0)
	require.NoError(t, os.Rename(filepath.Join(b.Path, "..data_tmp"), filepath.Join(b.Path, "..data")))
	b.noticed(1)
}

func TestDirectoryGoesAndComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, os.RemoveAll(b.Path))
	require.Eventually(t, func() bool { return b.changes.Load() > 0 }, 20*time.Second, 5*time.Millisecond)
	before := int(b.changes.Load())
	require.NoError(t, os.MkdirAll(b.Path, 0o755))
	b.write("a.env", "A=2")
	b.noticed(before + 1)
	b.write("a.env", "A=3")
	b.noticed(before + 2)
}

func TestPolling(t *testing.T) {
	t.Parallel()
	b := setup(t, func(d *watch.Directory) { d.Notify, d.Poll = false, true })
	b.write("a.env", "A=22")
	b.noticed(1)
	require.NoError(t, os.RemoveAll(b.Path))
	time.Sleep(1500 * time.Millisecond)
	b.noticed(1)
}

func TestSignalOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, func(d *watch.Directory) { d.Notify = false })
	b.write("a.env", "A=2")
	b.noticed(0)
	b.signals <- syscall.SIGUSR1
	b.noticed(1)
}
