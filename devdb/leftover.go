package devdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// running returns the process id of the server that serves the data folder, 0
// if there is none. The pid file alone does not tell: after a crash or a reboot
// its number may belong to any process.
func (p place) running() int {
	raw, err := os.ReadFile(p.pidFile())
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 1 || !alive(pid) {
		return 0
	}
	if !strings.Contains(commandLine(pid), p.data) {
		return 0
	}
	return pid
}

func (p place) pidFile() string { return filepath.Join(p.data, "postmaster.pid") }

// stopRunning ends a server that was left behind in the data folder and removes
// a pid file that no server owns. The caller holds the folder's lock.
func (p place) stopRunning(ctx context.Context) error {
	pid := p.running()
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{fastShutdown, fastWait}, {immediateShutdown, quitWait}} {
		if pid == 0 {
			break
		}
		if err := signal(pid, step.sig); err != nil && p.running() == pid {
			return fmt.Errorf("devdb: stop the server that was left behind: %w", err)
		}
		if p.waitGone(ctx, step.wait) {
			pid = 0
		}
	}
	if pid != 0 {
		return fmt.Errorf("devdb: the server that was left behind in %s (process %d) does not stop", p.data, pid)
	}
	for _, path := range []string{p.pidFile(), p.leasePath()} {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("devdb: %w", err)
		}
	}
	return nil
}

// waitGone waits until no server serves the data folder.
func (p place) waitGone(ctx context.Context, atMost time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for p.running() != 0 {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// commandLine returns a process's command line, "" if it cannot be known. Where
// there is no /proc (macOS), ps knows.
func commandLine(pid int) string {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err == nil {
		return string(bytes.ReplaceAll(raw, []byte{0}, []byte{' '}))
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialWait)
	defer cancel()
	out, err := exec.CommandContext(ctx, "ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return string(out)
}
