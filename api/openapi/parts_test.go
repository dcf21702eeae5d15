package openapi

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestPartsAreMerged(t *testing.T) {
	t.Parallel()
	doc, err := load(fstest.MapFS{
		"a.yaml": {Data: []byte(`paths: {/a: {get: {summary: one}}}`)},
		"b.yaml": {Data: []byte(`paths: {/a: {put: {summary: two}}, /b: {}}`)},
	})
	require.NoError(t, err)
	require.Equal(t, object{"paths": object{
		"/a": object{"get": object{"summary": "one"}, "put": object{"summary": "two"}}, "/b": object{},
	}}, doc)
}

func TestPartsMustNotContradict(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]string{
		"another value": `paths: {/a: {get: {summary: two}}}`,
		"the same":      `paths: {/a: {get: {summary: one}}}`,
		"another kind":  `paths: {/a: {get: {summary: {en: one}}}}`,
		"no YAML":       `paths: [`,
		"a list":        `- paths`,
	} {
		_, err := load(fstest.MapFS{
			"a.yaml": {Data: []byte(`paths: {/a: {get: {summary: one}}}`)}, "b.yaml": {Data: []byte(second)},
		})
		require.ErrorContains(t, err, "b.yaml", name)
	}
}

const glossary = `
x-error-groups:
  body: {x-errors: {"400": {bad_json: Of the group}, "413": {too_large: ~}}}
x-error-codes: {bad_json: No JSON., too_large: Too large., taken: It is taken.}
x-oauth-error-codes: {invalid_grant: The grant is void.}
`

func TestErrorsBecomeResponses(t *testing.T) {
	t.Parallel()
	doc, err := load(fstest.MapFS{"a.yaml": {Data: []byte(glossary + `
paths:
  /a:
    put:
      x-error-groups: [body]
      x-errors: {"400": {bad_json: Of the operation, taken: ~}}
      x-oauth-errors: {"400": {invalid_grant: ~}}
      responses: {"200": {description: Fine.}, "413": {description: A word more.}}`)}})
	require.NoError(t, err)
	require.NoError(t, expandErrors(doc))
	operation := member(member(member(doc, "paths"), "/a"), "put")
	require.NotContains(t, operation, "x-errors")
	require.NotContains(t, operation, "x-error-groups")
	responses := member(operation, "responses")
	require.Equal(t, object{"description": "Fine."}, responses["200"])
	require.NotContains(t, responses, "default", "only where the database is asked")

	both := member(responses, "400")
	require.Equal(t, []string{"bad_json", "taken"}, both["x-error-codes"])
	require.Equal(t, []string{"invalid_grant"}, both["x-oauth-error-codes"])
	require.Equal(t, "- `bad_json`: Of the operation\n- `taken`: It is taken.\n\n- `invalid_grant`: The grant is void.\n", both["description"])
	schema := member(member(member(both, "content"), "application/json"), "schema")
	require.Equal(t, []any{reference("schemas", "ErrorResponse"), reference("schemas", "OAuthError")}, schema["oneOf"])
	require.Equal(t, "A word more.\n\n- `too_large`: Too large.\n", member(responses, "413")["description"])
	require.Equal(t, []string{"bad_json", "taken", "too_large"}, member(member(member(doc, "components"), "schemas"), "ErrorCode")["enum"])
}

func TestErrorsBelowOtherPaths(t *testing.T) {
	t.Parallel()
	doc, err := load(fstest.MapFS{"a.yaml": {Data: []byte(glossary + `
x-other-paths: {/gone: {x-errors: {"404": {taken: Gone.}}}}`)}})
	require.NoError(t, err)
	require.NoError(t, expandErrors(doc))
	gone := member(member(doc, "x-other-paths"), "/gone")
	require.Equal(t, []string{"taken"}, member(member(gone, "responses"), "404")["x-error-codes"])

	doc, err = load(fstest.MapFS{"a.yaml": {Data: []byte(glossary + `
x-other-paths: {/gone: {x-errors: {"404": {what: ~}}}}`)}})
	require.NoError(t, err)
	require.ErrorContains(t, expandErrors(doc), "below /gone")
}

func TestUnknownErrors(t *testing.T) {
	t.Parallel()
	for operation, problem := range map[string]string{
		`{x-error-groups: [nobody]}`:                 "no error group nobody",
		`{x-errors: {"400": {what: ~}}}`:             "does not have what",
		`{x-oauth-errors: {"400": {bad_json: ~}}}`:   "does not have bad_json",
		`{x-errors: {"400": {invalid_grant: Void}}}`: "does not have invalid_grant",
	} {
		doc, err := load(fstest.MapFS{"a.yaml": {Data: []byte(glossary + "\npaths: {/a: {get: " + operation + "}}")}})
		require.NoError(t, err)
		require.ErrorContains(t, expandErrors(doc), problem)
	}
}
