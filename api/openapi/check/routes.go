package check

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// route is an operation of the description.
type route struct {
	method, path string
	segments     []string
	operation    map[string]any
	at           pointer
	// query are the query parameters by name; anyQuery says that others may follow.
	query    map[string]parameter
	anyQuery bool
}

// parameter is a query parameter.
type parameter struct {
	// at is the place of its description.
	at       pointer
	required bool
}

// pointer is a place in the description.
type pointer []string

// to is a place below. The original is left alone.
func (p pointer) to(names ...string) pointer { return append(slices.Clone(p), names...) }

// String is the pointer in the form of RFC 6901.
func (p pointer) String() string {
	escape := strings.NewReplacer("~", "~0", "/", "~1")
	var text strings.Builder
	for _, name := range p {
		text.WriteString("/" + escape.Replace(name))
	}
	return text.String()
}

// Routes lists what is described, as "GET /user/{id}".
func (c *Checker) Routes() []string {
	var names []string
	for _, r := range c.routes {
		names = append(names, r.method+" "+r.path)
	}
	slices.Sort(names)
	return names
}

// OtherPaths lists the paths below which everything that is not described by
// itself answers alike.
func (c *Checker) OtherPaths() []string {
	others, _ := c.doc[otherPaths].(map[string]any)
	return slices.Sorted(maps.Keys(others))
}

// otherPaths describes what is below a path as a whole.
const otherPaths = "x-other-paths"

// findAbove finds what is described of everything below a path.
func (c *Checker) findAbove(path string) (route, bool) {
	others, _ := c.doc[otherPaths].(map[string]any)
	for _, upper := range c.OtherPaths() {
		if path != upper && !strings.HasPrefix(path, upper+"/") {
			continue
		}
		described, _ := others[upper].(map[string]any)
		return route{path: upper, operation: described, at: pointer{otherPaths, upper}}, true
	}
	return route{}, false
}

func (c *Checker) readRoutes() ([]route, error) {
	paths, _ := c.doc["paths"].(map[string]any)
	var routes []route
	for path, item := range paths {
		members, _ := item.(map[string]any)
		for _, method := range []string{"get", "put", "post", "delete", "patch"} {
			operation, ok := members[method].(map[string]any)
			if !ok {
				continue
			}
			r := route{
				method: strings.ToUpper(method), path: path, segments: strings.Split(path, "/"),
				operation: operation, at: pointer{"paths", path, method},
			}
			if err := c.readQuery(&r, members); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			routes = append(routes, r)
		}
	}
	return routes, nil
}

// readQuery notes the query parameters of an operation.
func (c *Checker) readQuery(r *route, item map[string]any) error {
	r.query = map[string]parameter{}
	r.anyQuery, _ = r.operation["x-ignores-other-parameters"].(bool)
	shared, _ := item["parameters"].([]any)
	if err := c.readParameters(r, shared, pointer{"paths", r.path, "parameters"}); err != nil {
		return err
	}
	own, _ := r.operation["parameters"].([]any)
	return c.readParameters(r, own, r.at.to("parameters"))
}

func (c *Checker) readParameters(r *route, listed []any, at pointer) error {
	for i := range listed {
		described, _ := listed[i].(map[string]any)
		place := at.to(strconv.Itoa(i))
		if text, ok := described["$ref"].(string); ok {
			var err error
			if described, place, err = c.lookUp(text); err != nil {
				return err
			}
		}
		if described["in"] != "query" {
			continue
		}
		required, _ := described["required"].(bool)
		r.query[fmt.Sprint(described["name"])] = parameter{place, required}
	}
	return nil
}

// find finds the operation of a path. Of several templates that fit, the one
// with the fewest parameters counts.
func (c *Checker) find(path, method string) (route, bool) {
	var best route
	fewest := -1
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for _, r := range c.routes {
		if r.method != method {
			continue
		}
		parameters, fits := match(r.segments, segments)
		if fits && (fewest < 0 || parameters < fewest) {
			best, fewest = r, parameters
		}
	}
	return best, fewest >= 0
}

// restOfPath is the one parameter that may hold slashes.
const restOfPath = "{issuer_path}"

// match compares a template with a path and counts the parameters.
func match(template, path []string) (parameters int, fits bool) {
	for i, segment := range template {
		if i >= len(path) {
			return 0, false
		}
		switch {
		case segment == restOfPath && i == len(template)-1:
			return parameters + 1, path[i] != ""
		case strings.HasPrefix(segment, "{"):
			if path[i] == "" {
				return 0, false
			}
			parameters++
		case segment != path[i]:
			return 0, false
		}
	}
	return parameters, len(template) == len(path)
}

// response is the place of the response with a status.
func (r route) response(status string) (pointer, bool) {
	responses, _ := r.operation["responses"].(map[string]any)
	_, ok := responses[status]
	return r.at.to("responses", status), ok
}

// resolve returns the object at a place, or the one that it refers to.
func (c *Checker) resolve(at pointer) (map[string]any, pointer, error) {
	var here any = c.doc
	for _, name := range at {
		members, _ := here.(map[string]any)
		here = members[name]
	}
	found, ok := here.(map[string]any)
	if !ok {
		return nil, nil, fmt.Errorf("%s is not described", at)
	}
	if text, ok := found["$ref"].(string); ok {
		return c.lookUp(text)
	}
	return found, at, nil
}

// lookUp returns what a reference of the form "#/components/kind/name" names.
func (c *Checker) lookUp(text string) (map[string]any, pointer, error) {
	rest, ok := strings.CutPrefix(text, "#/components/")
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 2 {
		return nil, nil, fmt.Errorf("reference %s does not lead to a component", text)
	}
	return c.resolve(pointer{"components", parts[0], parts[1]})
}
