package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// result is one turn.
type result struct {
	operations int
	elapsed    time.Duration
	latencies  []time.Duration // ascending
}

// rate is the number of operations per second.
func (r result) rate() float64 {
	if r.elapsed <= 0 {
		return 0
	}
	return float64(r.operations) / r.elapsed.Seconds()
}

// percentile returns the latency that p percent of the operations stay within.
func (r result) percentile(p int) time.Duration {
	if len(r.latencies) == 0 {
		return 0
	}
	return r.latencies[min(len(r.latencies)*p/100, len(r.latencies)-1)]
}

// turn runs the operations side by side until the time is over, or one of them
// has nothing left to do.
func turn(ctx context.Context, operations []operation, length time.Duration, now func() time.Time) (result, error) {
	started := now()
	end := started.Add(length)
	latencies := make([][]time.Duration, len(operations))
	failed := make([]error, len(operations))
	var group sync.WaitGroup
	for i, operate := range operations {
		group.Go(func() {
			latencies[i], failed[i] = repeat(ctx, operate, end, now)
		})
	}
	group.Wait()
	r := result{elapsed: now().Sub(started), latencies: slices.Concat(latencies...)}
	r.operations = len(r.latencies)
	slices.Sort(r.latencies)
	return r, errors.Join(failed...)
}

func repeat(ctx context.Context, operate operation, end time.Time, now func() time.Time) ([]time.Duration, error) {
	var latencies []time.Duration
	for before := now(); before.Before(end); {
		if err := operate(ctx); errors.Is(err, errNoneLeft) {
			return latencies, nil
		} else if err != nil {
			return latencies, err
		}
		after := now()
		latencies = append(latencies, after.Sub(before))
		before = after
	}
	return latencies, nil
}

// row is a line of the table.
type row struct {
	flow    flow
	callers int
	http    result
	bare    result
	// statements and cpu are per operation of the best turn; -1 when unknown.
	statements float64
	cpu        time.Duration
}

// ratio is the share of the bare rate that the server reaches, in percent.
func (r row) ratio() float64 {
	if r.bare.rate() == 0 {
		return 0
	}
	return 100 * r.http.rate() / r.bare.rate()
}

// compareAll measures every flow that was asked for.
func compareAll(ctx context.Context, w *world, s *server, opts options) ([]row, error) {
	var rows []row
	for _, f := range w.flows() {
		if !opts.pattern.MatchString(f.name) {
			continue
		}
		for _, callers := range opts.callers {
			r, err := compare(ctx, w, s, f, callers, opts)
			if err != nil {
				return nil, fmt.Errorf("%s with %d callers: %w", f.name, callers, err)
			}
			rows = append(rows, r)
		}
	}
	return rows, nil
}

// compare lets server and bare SQL take turns. The first turn of each, a short
// one, warms caches up and does not count.
func compare(ctx context.Context, w *world, s *server, f flow, callers int, opts options) (row, error) {
	best := row{flow: f, callers: callers, statements: -1, cpu: -1}
	w.step = callers
	for i := range opts.repeat + 1 {
		length := opts.duration
		if i == 0 {
			length /= 4
		}
		var now row
		var err error
		if now, err = w.serverTurn(ctx, s, f, callers, length); err != nil {
			return best, err
		}
		if now.bare, err = w.bareTurn(ctx, f, callers, length); err != nil {
			return best, err
		}
		if i > 0 {
			best.improve(now)
		}
	}
	return best, nil
}

// improve takes over what was better this time.
func (r *row) improve(now row) {
	if now.http.rate() > r.http.rate() {
		r.http, r.statements = now.http, now.statements
	}
	if now.bare.rate() > r.bare.rate() {
		r.bare = now.bare
	}
	if r.cpu < 0 || now.cpu < r.cpu {
		r.cpu = now.cpu
	}
}

func (w *world) serverTurn(ctx context.Context, s *server, f flow, callers int, length time.Duration) (row, error) {
	if err := w.ready(ctx, f, length); err != nil {
		return row{}, err
	}
	operations := make([]operation, callers)
	for i := range operations {
		conn, err := dial(ctx, s.address, w.now)
		if err != nil {
			return row{}, err
		}
		defer conn.conn.Close() //nolint:errcheck // everything has been read
		operations[i] = f.http(conn, i)
	}
	before, err := s.usage()
	if err != nil {
		return row{}, err
	}
	r, err := turn(ctx, operations, length, w.now)
	if err != nil {
		return row{}, err
	}
	used, err := s.usage()
	return used.since(before).row(r), err
}

func (w *world) bareTurn(ctx context.Context, f flow, callers int, length time.Duration) (result, error) {
	if err := w.ready(ctx, f, length); err != nil {
		return result{}, err
	}
	operations := make([]operation, callers)
	for i := range operations {
		operations[i] = f.bare(i)
	}
	before, err := w.redeemed(ctx)
	if err != nil {
		return result{}, err
	}
	r, err := turn(ctx, operations, length, w.now)
	if err != nil {
		return result{}, err
	}
	after, err := w.redeemed(ctx)
	if f.redeems && err == nil && after-before != r.operations {
		// A statement that finds its condition unmet is fast and no measure.
		// Refreshes need no such check: the server would refuse the next one.
		err = fmt.Errorf("the bare SQL redeemed %d codes in %d operations", after-before, r.operations)
	}
	return r, err
}

func (w *world) redeemed(ctx context.Context) (n int, err error) {
	err = w.pool.QueryRow(ctx, `select count(*) from oauth_redeemed_codes`).Scan(&n)
	return n, err
}

func (w *world) ready(ctx context.Context, f flow, length time.Duration) error {
	switch {
	case f.codes:
		return w.prepareCodes(ctx, length)
	case f.members:
		return w.prepareMembers(ctx, length)
	}
	return nil
}
