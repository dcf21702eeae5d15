package main

import (
	_ "embed"
	"fmt"
	"maps"
	"os"
	"slices"

	_ "github.com/lib/pq"
	"gopkg.in/yaml.v3"
)

//go:embed profiles.yaml
var embeddedProfiles []byte

//go:embed macros.yaml
var embeddedMacros []byte

// builtinMacros are read with the profiles, before any scenario.
var builtinMacros map[string][]map[string]any

// Profile is a named set of environment variables for the server.
type Profile struct {
	Extends string            `yaml:"extends"`
	Env     map[string]string `yaml:"env"`
	SQL     []string          `yaml:"sql"` // run as superuser before the server starts
}

type profileFile struct {
	Base     map[string]string   `yaml:"base"`
	Profiles map[string]*Profile `yaml:"profiles"`
}

func loadProfiles(path string) (*profileFile, error) {
	raw := embeddedProfiles
	if path != "" {
		var err error
		if raw, err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	pf := &profileFile{}
	if err := yaml.Unmarshal(raw, pf); err != nil {
		return nil, err
	}
	return pf, yaml.Unmarshal(embeddedMacros, &builtinMacros)
}

func (pf *profileFile) resolve(name string) (map[string]string, []string, error) {
	p, ok := pf.Profiles[name]
	if !ok {
		return nil, nil, fmt.Errorf("unknown profile %q", name)
	}
	env, sqls := map[string]string{}, []string(nil)
	if p != nil && p.Extends != "" {
		var err error
		if env, sqls, err = pf.resolve(p.Extends); err != nil {
			return nil, nil, err
		}
	} else {
		for k, v := range pf.Base {
			env[k] = v
		}
	}
	if p != nil {
		for k, v := range p.Env {
			env[k] = v
		}
		sqls = append(sqls, p.SQL...)
	}
	return env, sqls, nil
}

// sortedNames returns a map's keys in their order.
func sortedNames[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
