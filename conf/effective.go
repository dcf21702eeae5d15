package conf

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Setting is one variable with its effective value.
type Setting struct {
	// Name is the bare name where the variable has one of its own, else the
	// prefixed one.
	Name string
	// Type is the type of the written form: bool, int, uint, float, string,
	// duration, list, map or rate.
	Type string
	// Default is the effective value when the variable is unset.
	Default string
	// Value is the effective value, masked as far as it is secret.
	Value string
	// Set reports whether the variable has a value of its own.
	Set bool
	// Required reports whether the variable has to be set.
	Required bool
}

// Effective lists all settings in the order of the fields of Config. It is
// safe to show: secrets are masked.
func (c *Config) Effective() []Setting {
	vars, defaults := c.variables(), Default().variables()
	names := displayNames(vars)
	settings := make([]Setting, len(vars))
	for i, v := range vars {
		secret := v.field.Tag.Get("secret")
		settings[i] = Setting{
			Name:     names[v.key],
			Type:     typeName(v.field.Type),
			Value:    mask(secret, v.text()),
			Set:      c.set[v.key],
			Required: v.field.Tag.Get("required") == "true",
		}
		if i < len(defaults) { // the translations at the end have none
			settings[i].Default = defaults[i].text()
		}
	}
	return settings
}

func typeName(t reflect.Type) string {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[time.Duration]():
		return "duration"
	case reflect.TypeFor[Rate]():
		return "rate"
	}
	switch t.Kind() {
	case reflect.Slice:
		return "list"
	case reflect.Int64:
		return "int"
	case reflect.Float64:
		return "float"
	}
	return t.Kind().String()
}

// text writes the effective value as it would be written in the variable.
func (v variable) text() string {
	if v.raw.Kind() == reflect.String {
		return v.raw.String() // has a syntax of its own, or is the value itself
	}
	duration, isDuration := v.value.Interface().(time.Duration)
	if isDuration && v.raw.Type() != v.value.Type() {
		return strconv.FormatFloat(duration.Seconds(), 'f', -1, 64)
	}
	return format(v.value)
}

func format(value reflect.Value) string {
	if value.Kind() == reflect.Pointer {
		if value.IsNil() {
			return ""
		}
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case []string:
		return strings.Join(v, ",")
	case map[string]string:
		return formatMap(v)
	case time.Duration:
		return formatDuration(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// formatDuration leaves out the zeros of time.Duration.String: 1h, not 1h0m0s.
func formatDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

func formatMap(m map[string]string) string {
	var items []string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		items = append(items, key+":"+m[key])
	}
	return strings.Join(items, ",")
}
