package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"gopkg.in/yaml.v3"
)

// File is one scenario file. Expectations live next to it in <name>.expected.json.
type File struct {
	Area      string                      `yaml:"area"`
	Profile   string                      `yaml:"profile"`
	Macros    map[string][]map[string]any `yaml:"macros"`
	Scenarios []*Scenario                 `yaml:"scenarios"`

	path string
}

// Scenario is a named sequence of steps that runs in isolation.
type Scenario struct {
	Name     string           `yaml:"name"`
	Profile  string           `yaml:"profile"`
	Instance string           `yaml:"instance"` // a separate server + database for this value
	Vars     map[string]any   `yaml:"vars"`
	Steps    []map[string]any `yaml:"steps"`
	// Differences name the entries of docs/differences.md for which the
	// expectations are ours and not GoTrue's.
	Differences []string `yaml:"differences"`

	file  *File
	area  string
	steps []*Step
}

// id is how a scenario is called in lists and reports.
func (s *Scenario) id() string { return s.area + "/" + s.Name }

// Step is one HTTP request or one action, after macro expansion.
type Step struct {
	Title   string
	Method  string // HTTP steps only
	Path    string
	Body    any
	HasBody bool
	Action  string // non-HTTP steps only
	Args    any
	Opt     map[string]any // all other keys
	Setup   bool           // only the status is recorded
}

var methodKey = regexp.MustCompile(`^(GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS|TRACE|FOO) (.*)$`)

func loadFiles(dirs []string) ([]*File, error) {
	var paths []string
	for _, d := range dirs {
		st, err := os.Stat(d)
		if err != nil {
			return nil, err
		}
		if !st.IsDir() {
			paths = append(paths, d)
			continue
		}
		err = filepath.Walk(d, func(p string, fi os.FileInfo, err error) error {
			if err == nil && !fi.IsDir() && strings.HasSuffix(p, ".yaml") {
				paths = append(paths, p)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	sort.Strings(paths)
	var out []*File
	for _, p := range paths {
		f, err := loadFile(p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		out = append(out, f)
	}
	return out, nil
}

func loadFile(path string) (*File, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path}
	if err := yaml.Unmarshal(raw, f); err != nil {
		return nil, err
	}
	if f.Area == "" {
		f.Area = strings.TrimSuffix(filepath.Base(path), ".yaml")
	}
	seen := map[string]bool{}
	for _, s := range f.Scenarios {
		if s.Name == "" || seen[s.Name] {
			return nil, fmt.Errorf("missing or duplicate scenario name %q", s.Name)
		}
		seen[s.Name] = true
		s.file, s.area = f, f.Area
		if s.Profile == "" {
			s.Profile = f.Profile
		}
		if s.Profile == "" {
			s.Profile = "default"
		}
		steps, err := expand(f, s.Steps, false, 0)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		s.steps = steps
	}
	return f, nil
}

// expand turns the raw step maps into Steps and inlines `do: <macro>` steps.
func expand(f *File, raw []map[string]any, setup bool, depth int) ([]*Step, error) {
	if depth > 6 {
		return nil, fmt.Errorf("macros nested too deep")
	}
	var out []*Step
	actionNames := actions()
	for i, m := range raw {
		if name, ok := m["do"].(string); ok {
			body, ok := f.Macros[name]
			if !ok {
				body, ok = builtinMacros[name]
			}
			if !ok {
				return nil, fmt.Errorf("unknown macro %q", name)
			}
			if with, ok := m["with"].(map[string]any); ok {
				out = append(out, &Step{Title: "let", Action: "let", Args: with, Setup: true})
			}
			rec, _ := m["record"].(bool)
			sub, err := expand(f, body, !rec, depth+1)
			if err != nil {
				return nil, err
			}
			if d, ok := m["difference"]; ok && len(sub) > 0 {
				sub[0].Opt["difference"] = d
			}
			out = append(out, sub...)
			continue
		}
		st := &Step{Opt: map[string]any{}, Setup: setup}
		for k, v := range m {
			if mm := methodKey.FindStringSubmatch(k); mm != nil {
				st.Method, st.Path, st.Title = mm[1], mm[2], k
				st.Body, st.HasBody = v, v != nil
			} else if actionNames[k] != nil {
				st.Action, st.Args, st.Title = k, v, k
			} else {
				st.Opt[k] = v
			}
		}
		if st.Method == "" && st.Action == "" {
			return nil, fmt.Errorf("step %d: neither request nor action: %v", i+1, m)
		}
		if b, ok := st.Opt["setup"].(bool); ok {
			st.Setup = b
		}
		for k := range st.Opt {
			if !knownOpts[k] {
				return nil, fmt.Errorf("step %d (%s): unknown key %q", i+1, st.Title, k)
			}
		}
		out = append(out, st)
	}
	return out, nil
}

var knownOpts = map[string]bool{
	"auth": true, "headers": true, "form": true, "raw": true, "save": true, "setup": true,
	"ignore": true, "unordered": true, "as": true, "expect": true, "only": true, "note": true,
	"client": true, "pick": true, "times": true, "timeout": true,
	"difference": true, // names an entry of docs/differences.md, see differences.go
}

func (f *File) expectedPath() string {
	return strings.TrimSuffix(f.path, ".yaml") + ".expected.json"
}

// Expected maps scenario name to its recorded steps.
type Expected map[string][]any

func loadExpected(path string) (Expected, error) {
	raw, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return Expected{}, nil
	}
	if err != nil {
		return nil, err
	}
	e := Expected{}
	dec := json.NewDecoder(strings.NewReader(string(raw)))
	dec.UseNumber()
	if err := dec.Decode(&e); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return e, nil
}

func saveExpected(path string, e Expected) error {
	buf := &strings.Builder{}
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(e); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(buf.String()), 0o644)
}
