package main

import (
	"encoding/json"
	"fmt"
	"os"
)

// tally counts what became of scenarios.
type tally struct {
	Pass    int `json:"pass"`
	Fail    int `json:"fail"`
	Pending int `json:"pending"`
}

// judge prints the report and returns the exit status. Its last line is
// "N passed, N failed, N skipped", where pending scenarios count as skipped.
func judge(f flags, list *pendingList, results []*result, skipped int) (int, error) {
	list.mark(results)
	if f.updatePending {
		if err := list.remove(results); err != nil {
			return 0, err
		}
		list.mark(results)
	}
	areas, kinds, total := map[string]*tally{}, map[string]int{}, &tally{}
	for _, r := range results {
		if areas[r.Area] == nil {
			areas[r.Area] = &tally{}
		}
		for _, t := range []*tally{areas[r.Area], total} {
			t.count(r)
		}
		if !r.Pass && !r.Pending {
			kinds[r.Kind]++
		}
		printResult(r, f, list.path)
	}
	printTotals(areas, kinds, total)
	if err := writeReport(f.report, areas, kinds, total, results); err != nil {
		return 0, err
	}
	fmt.Printf("%d passed, %d failed, %d skipped\n", total.Pass, total.Fail, total.Pending+skipped)
	if total.Fail > 0 || len(results) == 0 {
		return 1, nil
	}
	return 0, nil
}

// count adds a result. A pending scenario that passes is a failure: of the list.
func (t *tally) count(r *result) {
	switch {
	case r.Pass && !r.Pending:
		t.Pass++
	case !r.Pass && r.Pending:
		t.Pending++
	default:
		t.Fail++
	}
}

func printResult(r *result, f flags, list string) {
	switch {
	case r.Pass && r.Pending:
		fmt.Printf("FAIL %s passes now: remove it from %s (the list only shrinks; --update-pending does it)\n", r.id(), list)
		return
	case r.Pass:
		fmt.Printf("PASS %s\n", r.id())
		return
	case r.Pending && !f.Verbose:
		return
	case r.Pending:
		fmt.Print("PENDING ")
	default:
		fmt.Print("FAIL ")
	}
	fmt.Printf("%s [%s] (%s) step %d: %s\n", r.id(), r.Profile, r.Kind, r.FailedStep, r.Request)
	if r.Error != "" {
		fmt.Printf("     %s\n", r.Error)
	}
	for i, d := range r.Differences {
		if i == f.maxDiff {
			fmt.Printf("     … %d more\n", len(r.Differences)-i)
			break
		}
		fmt.Printf("     %s\n", d)
	}
}

func printTotals(areas map[string]*tally, kinds map[string]int, total *tally) {
	fmt.Println()
	line := func(name string, t *tally) {
		fmt.Printf("%-22s %4d/%d", name, t.Pass, t.Pass+t.Fail+t.Pending)
		if t.Pending > 0 {
			fmt.Printf("  (%d pending)", t.Pending)
		}
		fmt.Println()
	}
	for _, name := range sortedNames(areas) {
		line(name, areas[name])
	}
	line("TOTAL", total)
	if len(kinds) > 0 {
		fmt.Println("failures by kind:", show(kinds))
	}
}

func writeReport(path string, areas map[string]*tally, kinds map[string]int, total *tally, results []*result) error {
	if path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(map[string]any{"total": total, "areas": areas, "failures_by_kind": kinds, "scenarios": results}, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644) //nolint:gosec // a report for all to read
}
