package devdb

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// A shared cluster is kept alive by its lease, a file that every user rewrites
// every other second with something new. A shell process watches it, and stops
// the server when nobody has written for a while. There is nothing to clean up
// after a user who is killed, and no process that all depend on.
//
// A user and the watch may cross each other: the watch takes the file away and
// looks again before it stops the server; a user writes, then looks whether the
// file is still there. So either the watch sees the new user and puts the file
// back, or the user sees that the cluster is about to end and waits for that.

const leaseWatch = `
pid=$1 lease=$2 limit=$3 pidfile=$4 seen= idle=0
while kill -0 "$pid" 2>/dev/null; do
	sleep 1
	owner=; read -r owner 2>/dev/null <"$pidfile"
	[ "$owner" = "$pid" ] || exit 0
	now=; read -r now 2>/dev/null <"$lease"
	if [ "$now" != "$seen" ]; then seen=$now idle=0; continue; fi
	idle=$((idle + 1))
	[ "$idle" -ge "$limit" ] || continue
	if mv "$lease" "$lease.ended" 2>/dev/null; then
		now=; read -r now 2>/dev/null <"$lease.ended"
		if [ "$now" != "$seen" ]; then mv "$lease.ended" "$lease"; seen=$now idle=0; continue; fi
	fi
	kill -INT "$pid"
	exit 0
done
`

func (p place) leasePath() string { return filepath.Join(p.dir, "lease") }

// leased reports whether the cluster in this folder is a shared one.
func (p place) leased() bool {
	_, err := os.Stat(p.leasePath())
	return err == nil
}

// lease is this process's part in keeping a shared cluster alive.
type lease struct {
	path  string
	stop  chan struct{}
	ended chan struct{}
}

// holdLease renews the lease until end is called or the process ends.
func holdLease(path string, linger time.Duration) *lease {
	l := &lease{path: path, stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(l.ended)
		tick := time.NewTicker(min(2*time.Second, linger/4))
		defer tick.Stop()
		for {
			select {
			case <-l.stop:
				return
			case <-tick.C:
				_ = renewLease(path) // away for a moment, or for good: nothing to do about it
			}
		}
	}()
	return l
}

func (l *lease) end() {
	close(l.stop)
	<-l.ended
}

// renewLease writes to the lease. It fails if the watch has taken the file
// away, which means that the cluster is about to end.
func renewLease(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	_, err = f.WriteString(rand.Text() + "\n")
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	return nil
}

// share makes the cluster that this process has started a shared one.
func (c *Cluster) share() error {
	path := c.place.leasePath()
	if err := os.WriteFile(path, []byte(rand.Text()+"\n"), 0o600); err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	seconds := int(c.opts.Linger / time.Second)
	cmd := exec.Command("/bin/sh", "-c", leaseWatch, "sh", //nolint:noctx // outlives us by design
		strconv.Itoa(c.server.cmd.Process.Pid), path, strconv.Itoa(seconds), c.place.pidFile())
	var caller *account // the watch writes to the folder, which is the caller's
	caller.run(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("devdb: start the watch: %w", err)
	}
	go func() { _ = cmd.Wait() }()
	c.lease = holdLease(path, c.opts.Linger)
	return nil
}

// attach joins the shared cluster that runs in the folder. It reports false if
// there is none that can be used; it waits for one that is about to end.
func (c *Cluster) attach(ctx context.Context) (bool, error) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	timeout := time.NewTimer(fastWait)
	defer timeout.Stop()
	for c.state.Password != "" && c.place.running() != 0 {
		if renewLease(c.place.leasePath()) == nil {
			if ping(ctx, c.URL("postgres")) != nil {
				return false, ctx.Err()
			}
			c.lease = holdLease(c.place.leasePath(), c.opts.Linger)
			return true, nil
		}
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("devdb: waiting for a cluster to end: %w", ctx.Err())
		case <-timeout.C:
			return false, nil
		case <-tick.C:
		}
	}
	return false, nil
}
