package oauth

import (
	"maps"
	"net/url"
	"slices"
)

const (
	// maxParams bounds how many name=value pairs a request may have.
	maxParams = 64
	// maxParamBytes bounds the names and values of a request taken together.
	maxParamBytes = 32 << 10
)

// Params are the parameters of one request, from its query or its form. Every
// parameter has exactly one value, except the few that may be repeated. The
// zero value has no parameters.
type Params struct {
	values map[string][]string
}

// ParseParams checks decoded query or form values and answers invalid_request
// if a parameter is repeated (RFC 6749 §3.1, §3.2; resource may be, RFC 8707
// §2), holds control characters or invalid UTF-8, or if there are too many of
// them. Parameters without a value are dropped: they count as omitted
// (RFC 6749 §3.1). Of several problems the alphabetically first is reported.
func ParseParams(values url.Values) (Params, *Error) {
	if err := checkParamLimits(values); err != nil {
		return Params{}, err
	}
	kept := make(map[string][]string, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		given := values[name]
		if err := checkParam(name, given); err != nil {
			return Params{}, err
		}
		for _, value := range given {
			if value != "" {
				kept[name] = append(kept[name], value)
			}
		}
	}
	return Params{values: kept}, nil
}

// Get returns the value of a parameter, the first of a repeatable one, or ""
// if it was omitted.
func (p Params) Get(name string) string {
	if given := p.values[name]; len(given) > 0 {
		return given[0]
	}
	return ""
}

// All returns every value of a repeatable parameter in the order sent, nil if
// it was omitted. The slice is the caller's own.
func (p Params) All(name string) []string {
	return slices.Clone(p.values[name])
}

// Has reports whether the parameter was sent with a value.
func (p Params) Has(name string) bool {
	return len(p.values[name]) > 0
}

// repeatable names the parameters that may be sent more than once.
func repeatable(name string) bool {
	return name == "resource" // RFC 8707 §2
}

// checkParam judges one parameter. Sending a name twice is refused even when
// one value is empty: another parser on the way might pick the other one.
func checkParam(name string, given []string) *Error {
	if !isPlainText(name) {
		return InvalidRequest("a parameter name is malformed")
	}
	if len(given) > 1 && !repeatable(name) {
		return InvalidRequest("parameter '" + name + "' must not be repeated")
	}
	for _, value := range given {
		if !isPlainText(value) {
			return InvalidRequest("parameter '" + name + "' must be valid UTF-8 without control characters")
		}
	}
	return nil
}

func checkParamLimits(values url.Values) *Error {
	count, size := 0, 0
	for name, given := range values {
		count += len(given)
		for _, value := range given {
			size += len(name) + len(value)
		}
	}
	switch {
	case count > maxParams:
		return InvalidRequest("too many parameters")
	case size > maxParamBytes:
		return InvalidRequest("the parameters are too long")
	}
	return nil
}
