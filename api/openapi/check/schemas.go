package check

import (
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// base is the address that the description has for the compiler.
const base = "https://description.test/openapi.json"

// schemas compiles the schemas of a description when they are first needed.
type schemas struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

func newSchemas(doc any) (*schemas, error) {
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	if err := compiler.AddResource(base, doc); err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	return &schemas{compiler: compiler, compiled: map[string]*jsonschema.Schema{}}, nil
}

// at returns the schema at a place.
func (s *schemas) at(place pointer) (*jsonschema.Schema, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	address := base + "#" + place.String()
	if known, ok := s.compiled[address]; ok {
		return known, nil
	}
	schema, err := s.compiler.Compile(address)
	if err != nil {
		return nil, fmt.Errorf("compile %s: %w", place, err)
	}
	s.compiled[address] = schema
	return schema, nil
}

// validate compares a value with the schema at a place.
func (s *schemas) validate(place pointer, value any) error {
	schema, err := s.at(place)
	if err != nil {
		return err
	}
	return schema.Validate(value)
}
