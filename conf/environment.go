package conf

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// This file is the only one that touches the environment of the process.
// envconfig reads it, and so do libraries to which configuration files may
// speak (PG…, OTEL_…, AWS_…, HTTPS_PROXY): hence values of files are exported.

// export puts values of configuration files into the environment.
func export(values map[string]string) error {
	var errs []error
	for name, value := range values {
		if err := os.Setenv(name, value); err != nil {
			errs = append(errs, fmt.Errorf("export %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// environmentNames lists the names of the environment that start with prefix.
func environmentNames() []string {
	var names []string
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix+"_") {
			names = append(names, name)
		}
	}
	return names
}

// readTranslations reads the mail texts of whatever languages there are.
func readTranslations() []MailTranslation { return findTranslations(environmentNames(), os.Getenv) }

// present tells which variables have a value, by key.
func present(vars []variable) map[string]bool {
	set := map[string]bool{}
	for _, v := range vars {
		if _, ok := os.LookupEnv(v.key); ok {
			set[v.key] = true
		} else if _, ok := os.LookupEnv(v.alias); ok && v.alias != "" {
			set[v.key] = true
		}
	}
	return set
}

// decodeAll decodes the environment into c and reports what could not be read.
func decodeAll(c *Config, r *report) {
	decodeStruct(prefix, c, r)
	c.External.Providers = map[string]Provider{}
	for _, name := range ProviderNames() {
		var p Provider
		decodeStruct(providerPrefix(name), &p, r)
		c.External.Providers[name] = p
	}
}

// decodeStruct decodes a struct at once if possible. envconfig stops at the
// first bad value, so after a failure each field is decoded on its own.
func decodeStruct(prefix string, spec any, r *report) {
	if envconfig.Process(prefix, spec) == nil {
		return
	}
	for _, v := range walk(nil, prefix, reflect.ValueOf(spec).Elem()) {
		if err := decodeField(v.prefix, v.field, v.raw); err != nil {
			r.unreadable(v, err)
		}
	}
}

// decodeField decodes one field by way of a struct with no other.
func decodeField(prefix string, field reflect.StructField, value reflect.Value) error {
	spec := reflect.New(reflect.StructOf([]reflect.StructField{{
		Name: field.Name, Type: field.Type, Tag: field.Tag,
	}}))
	if err := envconfig.Process(prefix, spec.Interface()); err != nil {
		return err
	}
	value.Set(spec.Elem().Field(0))
	return nil
}

// unsettable is a prefix that no name in an environment can have, so that
// decoding under it gives the default.
const unsettable = "="

// Default returns the configuration of an empty environment, without looking
// at the real one; required values are empty. It is meant for tests and for
// documentation, and the caller may change it.
func Default() *Config {
	c := new(Config)
	for _, v := range walk(nil, prefix, reflect.ValueOf(c).Elem()) {
		text := v.field.Tag.Get("default")
		if text == "" {
			continue
		}
		field := v.field
		field.Tag = reflect.StructTag("default:" + strconv.Quote(text))
		if err := decodeField(unsettable, field, v.raw); err != nil {
			panic(fmt.Sprintf("conf: bad default of %s: %v", v.key, err))
		}
	}
	c.External.Providers = map[string]Provider{}
	for _, name := range ProviderNames() {
		c.External.Providers[name] = Provider{}
	}
	c.set = map[string]bool{}
	resolve(c, newReport())
	return c
}
