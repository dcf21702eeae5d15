package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// starts is how often the start is timed; the fastest counts.
const starts = 10

// footprint is what a server costs that nobody uses.
type footprint struct {
	// start is the time from the start of the process to the first answer of
	// /health.
	start time.Duration
	// fresh and idle are resident memory in bytes, after the start and after
	// the idle time.
	fresh, idle int64
}

func measureFootprint(ctx context.Context, p *project, opts options) (*footprint, error) {
	f := new(footprint)
	for i := range starts {
		before := opts.now()
		s, err := startServer(ctx, p, opts)
		if err != nil {
			return nil, err
		}
		if took := opts.now().Sub(before); i == 0 || took < f.start {
			f.start = took
		}
		if i == starts-1 {
			err = f.memory(ctx, s.command.Process.Pid, opts.idle)
		}
		if err = errors.Join(err, s.stop()); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *footprint) memory(ctx context.Context, pid int, idle time.Duration) (err error) {
	if f.fresh, err = resident(pid); err != nil {
		return err
	}
	select {
	case <-time.After(idle):
	case <-ctx.Done():
		return ctx.Err()
	}
	f.idle, err = resident(pid)
	return err
}

// resident is the resident memory of a process in bytes.
func resident(pid int) (int64, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(text) {
		if value, found := bytes.CutPrefix(line, []byte("VmRSS:")); found {
			kilobytes, err := strconv.ParseInt(string(bytes.Fields(value)[0]), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc/<pid>/status has no VmRSS")
}
