package hooks

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
)

// maxNumericDate bounds exp, iat and nbf: the largest integer that every JSON
// reader holds exactly.
const maxNumericDate = 1<<53 - 1

// claimRule is one line of the schema. No types means any.
type claimRule struct {
	name     string
	required bool
	types    []string
}

// claimRules is the schema of an access token's claims. Claims it does not name
// are free.
func claimRules() []claimRule {
	return []claimRule{
		{"aud", true, []string{"string", "array"}},
		{"exp", true, []string{"integer"}},
		{"iat", true, []string{"integer"}},
		{"sub", true, []string{"string"}},
		{"email", true, []string{"string"}},
		{"phone", true, []string{"string"}},
		{"role", true, []string{"string"}},
		{"aal", true, []string{"string"}},
		{"session_id", true, []string{"string"}},
		{"is_anonymous", true, nil}, // SQL hooks write it as boolean or text
		{"jti", false, []string{"string"}},
		{"iss", false, []string{"string"}},
		{"client_id", false, []string{"string"}},
		{"nbf", false, []string{"integer"}},
		{"app_metadata", false, []string{"object"}},
		{"user_metadata", false, []string{"object"}},
		{"amr", false, []string{"array"}},
	}
}

// checkClaims reports all that is wrong with claims, missing ones first, and
// turns the integers among the known claims into int64.
func checkClaims(claims map[string]any) error {
	var missing, wrong []string
	for _, rule := range claimRules() {
		value, present := claims[rule.name]
		switch {
		case !present && rule.required:
			missing = append(missing, "(root): "+rule.name+" is required")
		case present && !rule.fits(value):
			wrong = append(wrong, wrongType(rule.name, rule.types, value))
		}
	}
	wrong = append(wrong, checkList(claims, "aud", "string")...)
	wrong = append(wrong, checkList(claims, "amr", "string", "object")...)
	if problems := append(missing, wrong...); len(problems) > 0 {
		return failf(ErrClaims, nil, "%s\n- %s\n", ErrClaims, strings.Join(problems, "\n- "))
	}
	for _, name := range []string{"exp", "iat", "nbf"} {
		if number, ok := claims[name].(json.Number); ok {
			claims[name], _ = integer(number)
		}
	}
	return nil
}

// fits reports whether value has one of the rule's types.
func (r claimRule) fits(value any) bool {
	if r.types == nil {
		return true
	}
	return slices.Contains(r.types, jsonType(value))
}

// checkList checks the elements of a claim that may be a list.
func checkList(claims map[string]any, name string, types ...string) []string {
	list, _ := claims[name].([]any)
	var wrong []string
	for i, element := range list {
		if !slices.Contains(types, jsonType(element)) {
			wrong = append(wrong, wrongType(name+"."+strconv.Itoa(i), types, element))
		}
	}
	return wrong
}

// wrongType words a problem like the recorded answers of GoTrue do.
func wrongType(path string, want []string, value any) string {
	return path + ": Invalid type. Expected: " + strings.Join(want, "/") + ", given: " + jsonType(value)
}

// jsonType names the JSON type of a decoded value, telling integers apart.
func jsonType(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if _, ok := integer(v); ok {
			return "integer"
		}
	}
	return "number"
}

// integer reads a number without a fraction, also when written as 1.7e9. One
// that no date can have counts as none.
func integer(n json.Number) (int64, bool) {
	if i, err := n.Int64(); err == nil {
		return i, -maxNumericDate <= i && i <= maxNumericDate
	}
	f, err := n.Float64()
	if err != nil || math.Trunc(f) != f || math.Abs(f) > maxNumericDate {
		return 0, false
	}
	return int64(f), true
}
