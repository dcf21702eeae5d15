package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// pendingList names the scenarios that the server is not required to pass yet:
// an area, or area/scenario. They are run all the same, and one that passes
// must leave the list, which so only ever shrinks.
type pendingList struct {
	path    string
	header  string // the comment at the top of the file
	entries []string
}

func loadPending(path string) (*pendingList, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l := &pendingList{path: path}
	if err := yaml.Unmarshal(raw, &l.entries); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	for line := range strings.Lines(string(raw)) {
		if !strings.HasPrefix(line, "#") {
			break
		}
		l.header += line
	}
	return l, nil
}

// check refuses entries that name nothing, or the same thing twice.
func (l *pendingList) check(areas map[string][]string) error {
	var problems []error
	seen := map[string]bool{}
	for _, e := range l.entries {
		area, name, one := strings.Cut(e, "/")
		switch {
		case seen[e], one && seen[area]:
			problems = append(problems, fmt.Errorf("%s: %s is listed twice", l.path, e))
		case areas[area] == nil, one && !slices.Contains(areas[area], name):
			problems = append(problems, fmt.Errorf("%s: there is no scenario %s", l.path, e))
		}
		seen[e] = true
	}
	return errors.Join(problems...)
}

// mark sets Pending in the results that the list covers.
func (l *pendingList) mark(results []*result) {
	for _, r := range results {
		r.Pending = slices.Contains(l.entries, r.id()) || slices.Contains(l.entries, r.Area)
	}
}

// remove takes the passing scenarios off the list and writes the file. An area
// is replaced by its scenarios that did not pass.
func (l *pendingList) remove(results []*result) error {
	passed := map[string]bool{}
	failed := map[string][]string{} // by area
	touched := map[string]bool{}    // areas with a scenario that passes
	for _, r := range results {
		if r.Pass {
			passed[r.id()] = true
			touched[r.Area] = true
		} else {
			failed[r.Area] = append(failed[r.Area], r.id())
		}
	}
	var kept []string
	for _, e := range l.entries {
		switch {
		case passed[e]:
		case touched[e]:
			kept = append(kept, failed[e]...)
		default:
			kept = append(kept, e)
		}
	}
	l.entries = kept
	return l.save()
}

func (l *pendingList) save() error {
	var b strings.Builder
	b.WriteString(l.header)
	if len(l.entries) == 0 {
		b.WriteString("[]\n")
	}
	for _, e := range l.entries {
		b.WriteString("- " + e + "\n")
	}
	return os.WriteFile(l.path, []byte(b.String()), 0o644) //nolint:gosec // a source file
}
