package openapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// methods are the members of a path item that are operations.
func methods() []string { return []string{"get", "put", "post", "delete", "patch"} }

// family is one of the two kinds of errors, GoTrue's and RFC 6749's.
type family struct {
	// source is how operations and groups name their errors of the kind, codes
	// how the document lists those of a response.
	source, codes string
	// glossary says what each code means.
	glossary object
}

// errorExpander turns the errors that operations name into responses.
type errorExpander struct {
	families []family
	groups   object
}

// expandErrors replaces the short form of errors in a document.
func expandErrors(doc object) error {
	e := &errorExpander{groups: take(doc, "x-error-groups")}
	for _, f := range []family{
		{source: "x-errors", codes: "x-error-codes"}, {source: "x-oauth-errors", codes: "x-oauth-error-codes"},
	} {
		f.glossary = take(doc, f.codes)
		e.families = append(e.families, f)
	}
	schemas := member(member(doc, "components"), "schemas")
	for i, name := range []string{"ErrorCode", "OAuthErrorCode"} {
		e.families[i].list(member(schemas, name))
	}
	for prefix := range member(doc, "x-other-paths") {
		if err := e.expand(member(member(doc, "x-other-paths"), prefix)); err != nil {
			return fmt.Errorf("below %s: %w", prefix, err)
		}
	}
	for path := range member(doc, "paths") {
		item := member(member(doc, "paths"), path)
		for _, method := range methods() {
			operation, ok := item[method].(object)
			if !ok {
				continue
			}
			if err := e.expand(operation); err != nil {
				return fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
	}
	return nil
}

// list writes the glossary into the schema of the codes.
func (f family) list(schema object) {
	codes := slices.Sorted(maps.Keys(f.glossary))
	var text strings.Builder
	if known, ok := schema["description"].(string); ok {
		text.WriteString(strings.TrimSpace(known) + "\n\n| code | |\n|---|---|\n")
	}
	for _, code := range codes {
		fmt.Fprintf(&text, "| `%s` | %s |\n", code, f.glossary[code])
	}
	schema["type"], schema["enum"], schema["description"] = "string", codes, text.String()
}

// expand writes the errors of an operation into its responses.
func (e *errorExpander) expand(operation object) error {
	sources := []object{{}}
	for _, f := range e.families {
		sources[0][f.source] = take(operation, f.source)
	}
	names, _ := operation["x-error-groups"].([]any)
	delete(operation, "x-error-groups")
	for _, name := range names {
		group, ok := e.groups[fmt.Sprint(name)].(object)
		if !ok {
			return fmt.Errorf("there is no error group %v", name)
		}
		sources = append(sources, group)
	}
	if slices.Contains(names, any("server")) {
		member(operation, "responses")["default"] = reference("responses", "Raised")
	}
	for _, f := range e.families {
		byStatus, err := f.collect(sources)
		if err != nil {
			return err
		}
		for status, notes := range byStatus {
			f.describe(member(member(operation, "responses"), status), status, notes)
		}
		if f.codes == "x-error-codes" && len(byStatus) > 0 {
			parameters, _ := operation["parameters"].([]any)
			operation["parameters"] = append(parameters, reference("parameters", "ApiVersion"))
		}
	}
	return nil
}

// collect gathers the codes of every status, each with its sentence. The first
// source that knows a code decides.
func (f family) collect(sources []object) (map[string]map[string]string, error) {
	collected := map[string]map[string]string{}
	for _, source := range sources {
		byStatus, _ := source[f.source].(object)
		for status, codes := range byStatus {
			listed, _ := codes.(object)
			for code, note := range listed {
				general, known := f.glossary[code].(string)
				if !known {
					return nil, fmt.Errorf("%s %s: the glossary does not have %s", f.source, status, code)
				}
				if collected[status] == nil {
					collected[status] = map[string]string{}
				}
				if _, decided := collected[status][code]; decided {
					continue
				}
				collected[status][code] = general
				if special, ok := note.(string); ok {
					collected[status][code] = special
				}
			}
		}
	}
	return collected, nil
}

// describe adds the codes of a status to its response.
func (f family) describe(response object, status string, notes map[string]string) {
	codes := slices.Sorted(maps.Keys(notes))
	response[f.codes] = codes
	var text strings.Builder
	if known, ok := response["description"].(string); ok {
		text.WriteString(strings.TrimSpace(known) + "\n\n")
	}
	for _, code := range codes {
		fmt.Fprintf(&text, "- `%s`: %s\n", code, strings.TrimSpace(notes[code]))
	}
	response["description"] = text.String()
	if status < "400" { // the error is in the Location
		return
	}
	f.addBody(response, status)
	if f.source == "x-errors" {
		headers := member(response, "headers")
		headers["X-Sb-Error-Code"] = reference("headers", "ErrorCode")
		headers["X-Supabase-Api-Version"] = reference("headers", "ApiVersion")
	}
	if status == "503" {
		member(response, "headers")["Retry-After"] = reference("headers", "RetryAfter")
	}
}

// addBody adds the family's shape to those that a response may have.
func (f family) addBody(response object, status string) {
	shape := "OAuthError"
	switch {
	case f.source == "x-errors" && status == "500":
		shape = "ServerErrorResponse"
	case f.source == "x-errors":
		shape = "ErrorResponse"
	}
	media := member(member(response, "content"), "application/json")
	known, taken := media["schema"]
	media["schema"] = reference("schemas", shape)
	if taken {
		media["schema"] = object{"oneOf": []any{known, reference("schemas", shape)}}
	}
}

func reference(kind, name string) object {
	return object{"$ref": "#/components/" + kind + "/" + name}
}
