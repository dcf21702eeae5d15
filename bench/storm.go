package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// stormRefreshers is the number of callers whose refreshes are timed: few enough
// to leave an idle server idle.
const stormRefreshers = 4

// stormRise is the longest time in which a storm gathers before anything is timed.
const stormRise = time.Second

// storm is what a storm of password logins does to refreshes.
type storm struct {
	idle, stormy result
	// logins were answered while the refreshes were timed, timeouts among them.
	logins, timeouts int64
	elapsed          time.Duration
}

// measureStorm times refreshes while nothing else goes on, and while many
// callers sign in with their password again and again. The best turn of each
// counts: other work on the machine can only make it worse.
func measureStorm(ctx context.Context, w *world, s *server, opts options) (*storm, error) {
	if opts.storm == 0 || !opts.pattern.MatchString("storm") {
		return nil, nil //nolint:nilnil // nothing was measured
	}
	w.step = stormRefreshers + opts.storm
	if w.step > len(w.users) {
		return nil, errors.New("-sessions must hold the callers of -storm and some more")
	}
	best := new(storm)
	for i := range opts.repeat + 1 {
		idle, err := w.timeRefreshes(ctx, s, opts)
		if err != nil {
			return nil, err
		}
		now, err := w.timeStorm(ctx, s, opts)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			continue // caches
		}
		if i == 1 || idle.percentile(99) < best.idle.percentile(99) {
			best.idle = idle
		}
		if i == 1 || now.stormy.percentile(99) < best.stormy.percentile(99) {
			now.idle = best.idle
			best = now
		}
	}
	return best, nil
}

func (w *world) timeRefreshes(ctx context.Context, s *server, opts options) (result, error) {
	operations := make([]operation, stormRefreshers)
	for i := range operations {
		conn, err := dial(ctx, s.address, w.now)
		if err != nil {
			return result{}, err
		}
		defer conn.conn.Close() //nolint:errcheck // everything has been read
		operations[i] = w.refresh(conn, i)
	}
	return turn(ctx, operations, opts.duration, w.now)
}

// timeStorm lets the logins go on until the refreshes were timed.
func (w *world) timeStorm(ctx context.Context, s *server, opts options) (*storm, error) {
	now := new(storm)
	var logins, timeouts atomic.Int64
	var group sync.WaitGroup
	stop := make(chan struct{})
	failed := make([]error, opts.storm)
	for i := range opts.storm {
		conn, err := dial(ctx, s.address, w.now)
		if err != nil {
			return nil, err
		}
		group.Go(func() {
			defer conn.conn.Close() //nolint:errcheck // everything has been read
			operate := w.login(conn, stormRefreshers+i)
			for failed[i] == nil {
				select {
				case <-stop:
					return
				default:
				}
				err := operate(ctx)
				logins.Add(1)
				if err != nil && conn.status == http.StatusGatewayTimeout {
					timeouts.Add(1)
				} else {
					failed[i] = err
				}
			}
		})
	}
	time.Sleep(min(stormRise, opts.duration))
	before, started := logins.Load(), w.now()
	var err error
	now.stormy, err = w.timeRefreshes(ctx, s, opts)
	now.logins, now.elapsed = logins.Load()-before, w.now().Sub(started)
	close(stop)
	group.Wait()
	now.timeouts = timeouts.Load()
	return now, errors.Join(append(failed, err)...)
}

// reportPasswords prints what passwords cost, and what a storm of them does.
func reportPasswords(rows []row, w *world, storm *storm, opts options) {
	out := opts.out
	for _, r := range rows {
		if r.flow.bcrypt && r.cpu > 0 && r.callers == opts.callers[0] {
			fmt.Fprintf(out, "\n%s: %s of %s ms CPU are bcrypt (%.0f %%), %s ms the rest.",
				r.flow.name, ms(w.bcrypt), ms(r.cpu), 100*float64(w.bcrypt)/float64(r.cpu), ms(max(r.cpu-w.bcrypt, 0)))
		}
	}
	fmt.Fprintln(out)
	if storm == nil {
		return
	}
	idle, stormy := storm.idle.percentile(99), storm.stormy.percentile(99)
	fmt.Fprintf(out, "\nRefreshes of %d callers: p50 %s, p99 %s ms; under %d concurrent password logins p50 %s, p99 %s ms: "+
		"p99 is %.1f times its idle value (target: at most 5). Logins meanwhile: %.0f/s, %d timed out.\n",
		stormRefreshers, ms(storm.idle.percentile(50)), ms(idle), opts.storm, ms(storm.stormy.percentile(50)), ms(stormy),
		float64(stormy)/float64(max(idle, 1)), float64(storm.logins)/max(storm.elapsed.Seconds(), 1e-9), storm.timeouts)
}
