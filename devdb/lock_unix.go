//go:build unix

package devdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// folderLock is an exclusive lock on a cluster's folder. The kernel drops it
// when the process ends, however it ends.
type folderLock struct{ file *os.File }

// lockFolder takes the lock; if it is taken it waits as long as the context
// allows, or, without wait, returns [ErrInUse].
func lockFolder(ctx context.Context, dir string, wait bool) (*folderLock, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		lock, err := tryLock(dir)
		if lock != nil || err != nil {
			return lock, err
		}
		if !wait {
			return nil, fmt.Errorf("%w: %s", ErrInUse, dir)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("devdb: waiting for the lock of %s: %w", dir, ctx.Err())
		case <-tick.C:
		}
	}
}

// tryLock returns nil, nil if the lock is taken.
func tryLock(dir string) (*folderLock, error) {
	path := filepath.Join(dir, "lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("devdb: %w", err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil && samePath(f, path) {
		return &folderLock{file: f}, nil
	}
	_ = f.Close()
	if err != nil && !errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("devdb: lock %s: %w", path, err)
	}
	return nil, nil //nolint:nilnil // taken, or removed by a Reset just now: try again
}

// samePath reports whether an open file is still the one at path. Reset
// removes the lock file together with the folder; a lock on a removed file
// excludes nobody.
func samePath(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(opened, there)
}

// release unlocks explicitly: closing the file is not enough while a child that
// is being started still holds a copy of the descriptor.
func (l *folderLock) release() {
	_ = syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN)
	_ = l.file.Close()
}
