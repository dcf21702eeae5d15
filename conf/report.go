package conf

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kelseyhightower/envconfig"
)

// Problem is a reason why a configuration cannot be used. It never contains
// the value of a secret.
type Problem struct {
	// Variable is the name of the variable at fault.
	Variable string
	// Message says what is wrong with it.
	Message string
}

// Error returns the message, preceded by the variable unless it names it.
func (p Problem) Error() string { return sentence(p.Variable, p.Message) }

// Warning is a remark on a configuration that can be used.
type Warning struct {
	// Variable is the name of the variable concerned, or empty.
	Variable string
	// Message is the remark, without the value of a secret.
	Message string
}

// String returns the message, preceded by the variable unless it names it.
func (w Warning) String() string { return sentence(w.Variable, w.Message) }

func sentence(variable, message string) string {
	if variable == "" || strings.Contains(message, variable) {
		return message
	}
	return variable + ": " + message
}

// report collects what is found while a configuration is built.
type report struct {
	problems []Problem
	warnings []Warning
	failed   map[string]bool // variables that could not be read at all
}

func newReport() *report { return &report{failed: map[string]bool{}} }

// problem records a problem, except a consequence of an unreadable variable.
func (r *report) problem(variable, format string, args ...any) {
	if !r.failed[variable] {
		r.problems = append(r.problems, Problem{variable, fmt.Sprintf(format, args...)})
	}
}

func (r *report) warn(variable, format string, args ...any) {
	r.warnings = append(r.warnings, Warning{variable, fmt.Sprintf(format, args...)})
}

// unreadable records that envconfig could not decode v.
func (r *report) unreadable(v variable, err error) {
	name := cmp.Or(v.alias, v.key)
	message := err.Error() // "required key … missing value"
	var parse *envconfig.ParseError
	switch {
	case !errors.As(err, &parse):
	case v.field.Tag.Get("secret") != "":
		message = fmt.Sprintf("converting the value to type %s failed", parse.TypeName)
	default:
		message = fmt.Sprintf("converting '%s' to type %s. details: %v", parse.Value, parse.TypeName, parse.Err)
	}
	r.problems = append(r.problems, Problem{name, message})
	r.failed[name] = true
}

// err joins the problems, sorted by variable; nil if there are none.
func (r *report) err() error {
	slices.SortStableFunc(r.problems, func(a, b Problem) int {
		return cmp.Compare(a.Variable, b.Variable)
	})
	errs := make([]error, len(r.problems))
	for i, p := range r.problems {
		errs[i] = p
	}
	return errors.Join(errs...)
}
