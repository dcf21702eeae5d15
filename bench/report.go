package main

import (
	"fmt"
	"runtime"
	"time"
)

// report prints the results as Markdown.
func report(rows []row, size *footprint, opts options) {
	out := opts.out
	fmt.Fprintf(out, "%d cores shared by PostgreSQL, server and load generator; %d connections; best of %d turns of %s.\n\n",
		runtime.NumCPU(), opts.pool, opts.repeat, opts.duration)
	fmt.Fprintln(out, "| request | callers | server op/s | p50 ms | p99 ms | stmts/op | CPU ms/op | bare op/s | p50 ms | p99 ms | of bare | target |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
	for _, r := range rows {
		fmt.Fprintf(out, "| %s | %d | %.0f | %s | %s | %.2f | %s | %.0f | %s | %s | %.0f %% | %s |\n",
			r.flow.name, r.callers, r.http.rate(), ms(r.http.percentile(50)), ms(r.http.percentile(99)),
			r.statements, ms(r.cpu), r.bare.rate(), ms(r.bare.percentile(50)), ms(r.bare.percentile(99)),
			r.ratio(), target(r))
	}
	if size != nil {
		fmt.Fprintf(out, "\nStart to the first answer: %s ms. Resident memory: %.1f MB after the start, %.1f MB after %s.\n",
			ms(size.start), megabytes(size.fresh), megabytes(size.idle), opts.idle)
	}
}

// targetCallers is the number of callers for which there are targets.
const targetCallers = 16

func target(r row) string {
	if r.flow.target == 0 || r.callers != targetCallers {
		return ""
	}
	return fmt.Sprintf("≥ %d %%", r.flow.target)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d.Microseconds())/1000) }

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
