package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"
)

// result is what became of one scenario.
type result struct {
	Area        string       `json:"area"`
	Name        string       `json:"name"`
	Profile     string       `json:"profile"`
	File        string       `json:"file"`
	Pass        bool         `json:"pass"`
	Pending     bool         `json:"pending,omitempty"` // listed as pending: not required to pass
	Millis      int64        `json:"ms"`
	FailedStep  int          `json:"failed_step,omitempty"`
	Request     string       `json:"request,omitempty"`
	Kind        string       `json:"kind,omitempty"` // setup, status, error, headers, body, effect, transport, recorded-5xx
	Error       string       `json:"error,omitempty"`
	Differences []Difference `json:"differences,omitempty"`

	observed []any
	sc       *Scenario
}

// id is how a scenario is called in lists and reports.
func (r *result) id() string { return r.Area + "/" + r.Name }

// replay is one run over many scenarios.
type replay struct {
	lab      *Lab
	expected map[*File]Expected
	record   bool
	verbose  bool
	slots    chan struct{} // scenarios in parallel

	mu      sync.Mutex
	results []*result
}

// group is the scenarios that share a server.
type group struct {
	profile, instance string
	scenarios         []*Scenario
}

// groups puts scenarios together by server, the big groups first.
func groups(todo []*Scenario, oneServer bool) []*group {
	byKey := map[string]*group{}
	var out []*group
	for _, s := range todo {
		instance := s.Instance
		if oneServer {
			instance = ""
		}
		key := s.Profile + "\x00" + instance
		g := byKey[key]
		if g == nil {
			g = &group{profile: s.Profile, instance: instance}
			byKey[key] = g
			out = append(out, g)
		}
		g.scenarios = append(g.scenarios, s)
	}
	sort.SliceStable(out, func(a, b int) bool { return len(out[a].scenarios) > len(out[b].scenarios) })
	return out
}

// run replays the scenarios, with so many servers at a time, and returns the
// results sorted by name.
func (p *replay) run(todo []*Scenario, servers int) []*result {
	free := make(chan struct{}, servers)
	var wg sync.WaitGroup
	for _, g := range groups(todo, p.lab.cfg.Base != "") {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			p.runGroup(g)
		})
	}
	wg.Wait()
	sort.Slice(p.results, func(a, b int) bool {
		if p.results[a].Area != p.results[b].Area {
			return p.results[a].Area < p.results[b].Area
		}
		return p.results[a].Name < p.results[b].Name
	})
	return p.results
}

func (p *replay) runGroup(g *group) {
	srv, err := p.lab.start(g.profile, g.instance)
	if err == nil {
		defer srv.stop()
	} else {
		fmt.Fprintf(os.Stderr, "contract: profile %s: %v\n", g.profile, err)
	}
	var wg sync.WaitGroup
	for _, s := range g.scenarios {
		p.slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-p.slots }()
			began := time.Now()
			r := &result{Error: "the server did not start", Kind: "transport"}
			if err == nil {
				r = runOne(srv, s, p.expected[s.file][s.Name], p.record)
			}
			r.Area, r.Name, r.Profile, r.File, r.sc = s.area, s.Name, s.Profile, s.file.path, s
			r.Millis = time.Since(began).Milliseconds()
			p.add(r)
		})
	}
	wg.Wait()
}

func (p *replay) add(r *result) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.results = append(p.results, r)
	if p.verbose {
		word := "ok  "
		if !r.Pass {
			word = "FAIL"
		}
		fmt.Printf("%s %6dms %s\n", word, r.Millis, r.id())
	}
}

// runOne replays one scenario up to its first difference.
func runOne(srv *Server, s *Scenario, want []any, record bool) *result {
	res := &result{}
	if !record && want == nil {
		res.Error, res.Kind = "no recorded expectation", "setup"
		return res
	}
	r, err := newRun(srv, s)
	if err != nil {
		res.Error = err.Error()
		return res
	}
	k := 0 // index into want: steps without an observation are not stored
	for i, st := range s.steps {
		obs, err := r.step(st)
		if obs != nil {
			obs = jsonify(obs)
			res.observed = append(res.observed, obs)
		}
		fail := func(kind, msg string) {
			res.FailedStep, res.Request, res.Kind, res.Error = i+1, st.Title, kind, msg
		}
		if record {
			if err != nil {
				fail("transport", err.Error())
				return res
			}
			continue
		}
		if obs != nil {
			if k >= len(want) {
				fail("setup", "expectation has fewer steps than the scenario; record again")
				return res
			}
			var diffs []Difference
			diff("", want[k], obs, &diffs)
			if len(diffs) > 0 {
				fail(classify(st, diffs, want[k]), "")
				if err != nil {
					res.Error = err.Error()
				}
				res.Differences = diffs
				return res
			}
			k++
		}
		if err != nil {
			kind := "transport"
			if st.Action != "" {
				kind = "effect"
			}
			fail(kind, err.Error())
			return res
		}
	}
	res.Pass = record || k == len(want)
	if !res.Pass {
		res.Error = "expectation has more steps than the scenario; record again"
	}
	return res
}

func classify(st *Step, diffs []Difference, want any) string {
	if st.Setup {
		return "setup"
	}
	if v, ok := lookup(want, "status"); ok && strings.HasPrefix(toString(v), "5") {
		return "recorded-5xx" // the reference server itself failed here
	}
	if st.Action != "" {
		return "effect"
	}
	kind := "body"
	for _, d := range diffs {
		switch {
		case d.Path == ".status":
			return "status"
		case strings.HasSuffix(d.Path, ".error_code"), strings.HasSuffix(d.Path, ".msg"), strings.HasSuffix(d.Path, ".error"), strings.HasSuffix(d.Path, ".error_description"), strings.HasSuffix(d.Path, "X-Sb-Error-Code"):
			kind = "error"
		case strings.HasPrefix(d.Path, ".headers") && kind == "body":
			kind = "headers"
		}
	}
	return kind
}
