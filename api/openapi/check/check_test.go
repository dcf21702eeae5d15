package check_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/openapi/check"
)

// description is a small API with one of everything.
const description = `{
	"x-other-paths": {"/gone": {"responses": {"404": {"x-error-codes": ["off"], "content": {"application/problem+json":
		{"schema": {"$ref": "#/components/schemas/Error"}}}}}}},
	"paths": {
		"/gone/not": {"get": {"responses": {"204": {}}}, "post": {"x-may-ignore-body": true,
			"requestBody": {"content": {"application/json": {"schema": {"type": "object"}}}}, "responses": {"204": {}}}},
		"/things": {"parameters": [{"$ref": "#/components/parameters/Page"}], "post": {
			"parameters": [{"name": "X-Kind", "in": "header"}],
			"requestBody": {"required": true, "content": {
				"application/json": {"schema": {"type": "object", "required": ["name"]}},
				"application/x-www-form-urlencoded": {"schema": {"type": "object", "required": ["title"]}}
			}},
			"responses": {
				"201": {
					"headers": {"Location": {"required": true}, "X-Total-Count": {"$ref": "#/components/headers/Count"}},
					"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}
				},
				"204": {"description": "nothing"},
				"400": {"x-error-codes": ["bad_json"], "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}},
				"401": {"x-oauth-error-codes": ["invalid_client"], "content": {"application/json": {"schema": {"type": "object"}}}},
				"default": {"$ref": "#/components/responses/Raised"}
			}
		}},
		"/things/{id}": {"get": {"responses": {"200": {"content": {"text/plain": {"schema": {"type": "string"}}}}}}},
		"/things/first": {"get": {"x-ignores-other-parameters": true, "responses": {
			"303": {"x-error-codes": ["expired"], "headers": {"Location": {}}},
			"302": {"x-oauth-error-codes": ["access_denied"], "headers": {"Location": {}}}
		}}},
		"/rest/{issuer_path}": {"get": {
			"parameters": [{"name": "how", "in": "query", "required": true, "schema": {"enum": ["so"]}}], "responses": {"204": {}}
		}}
	},
	"components": {
		"parameters": {"Page": {"name": "page", "in": "query", "schema": {"type": "string", "pattern": "^[0-9]*$"}}},
		"headers": {"Count": {"schema": {"type": "string"}}},
		"responses": {"Raised": {"x-error-codes": ["unknown"], "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}},
		"schemas": {
			"Thing": {"type": "object", "additionalProperties": false, "required": ["id"], "properties": {"id": {"type": "string", "format": "uuid"}}},
			"Error": {"type": "object", "required": ["code"]}
		}
	}
}`

const thing = `{"id": "7d2ab1d5-0c2d-4f6e-9a2c-5f1e7a0b7c11"}`

// answer is an exchange in the making.
type answer struct {
	method, target, kind, request string
	status                        int
	header                        http.Header
	body                          string
}

func (a answer) exchange(t *testing.T) check.Exchange {
	t.Helper()
	target, err := url.Parse(a.target)
	require.NoError(t, err)
	if a.header == nil {
		a.header = http.Header{}
	}
	if a.header.Get("Content-Type") == "" {
		a.header.Set("Content-Type", "application/json")
	}
	return check.Exchange{
		Method: a.method, URL: target, RequestType: a.kind, Request: []byte(a.request),
		Status: a.status, Header: a.header, Response: []byte(a.body),
	}
}

func to(target string) http.Header { return http.Header{"Location": {target}} }

func problem() http.Header { return http.Header{"Content-Type": {"application/problem+json"}} }

func text() http.Header { return http.Header{"Content-Type": {"text/plain; charset=utf-8"}} }

func TestWhatIsDescribed(t *testing.T) {
	t.Parallel()
	checker, err := check.New([]byte(description))
	require.NoError(t, err)
	const form = "application/x-www-form-urlencoded"
	for name, a := range map[string]answer{
		"created": {"POST", "/things/?page=2", "application/json", `{"name": "a"}`, 201, to("/things/1"), thing},
		"counted": {"POST", "/things", "application/json", `{"name": "a"}`, 201,
			http.Header{"Location": {"/"}, "X-Total-Count": {"1"}}, thing},
		"a form":                   {"POST", "/things", form, "title=a", 204, nil, ""},
		"JSON by another name":     {"POST", "/things", "text/plain", `{}`, 204, nil, ""},
		"refused, whatever":        {"POST", "/things?x=1", "application/json", `7`, 400, nil, `{"code": 400, "error_code": "bad_json"}`},
		"newer":                    {"POST", "/things", "", "", 400, nil, `{"code": "bad_json", "message": "x"}`},
		"OAuth":                    {"POST", "/things", "", "", 401, nil, `{"error": "invalid_client"}`},
		"a trigger's":              {"POST", "/things", "", "", 418, nil, `{"code": "PT418", "message": "x"}`},
		"a hook's, known status":   {"POST", "/things", "", "", 400, nil, `{"code": 400, "error_code": "unknown"}`},
		"text":                     {"GET", "/things/1", "", "", 200, text(), "x"},
		"redirect":                 {"GET", "/things/first?y=1", "", "", 303, to("https://a.test/#error_code=expired"), "<a>"},
		"the client's error":       {"GET", "/things/first", "", "", 302, to("https://a.test/?error=access_denied"), ""},
		"rest of the path":         {"GET", "/rest/a/b?how=so", "", "", 204, nil, ""},
		"unknown":                  {"GET", "/nothing", "", "", 404, text(), "404 page not found\n"},
		"below others":             {"PUT", "/gone/a/b", "", "", 404, problem(), `{"code": "off", "message": "x"}`},
		"others themselves":        {"GET", "/gone", "", "", 404, problem(), `{"code": "off", "message": "x"}`},
		"one that is described":    {"GET", "/gone/not", "", "", 204, nil, ""},
		"a body that nobody reads": {"POST", "/gone/not", "application/json", "x", 204, nil, ""},
		"no slash at the end":      {"GET", "/things/1/", "", "", 404, text(), "404 page not found\n"},
		"unknown method":           {"PUT", "/things", "", "", 405, nil, ""},
		"preflight":                {"OPTIONS", "/things", "", "", 204, nil, ""},
		"unknown, for strangers":   {"GET", "/nothing", "", "", 401, nil, "{}"},
		"segments keep their bars": {"GET", "/things/a%2Fb", "", "", 200, text(), "x"},
	} {
		require.NoError(t, checker.Check(a.exchange(t)), name)
	}
}

func TestWhatIsNotDescribed(t *testing.T) {
	t.Parallel()
	checker, err := check.New([]byte(description))
	require.NoError(t, err)
	const form = "application/x-www-form-urlencoded"
	for name, test := range map[string]struct {
		answer
		problem string
	}{
		"a path":         {answer{"GET", "/nothing", "", "", 200, nil, "{}"}, "GET /nothing is not described"},
		"a method":       {answer{"PUT", "/things", "", "", 200, nil, "{}"}, "PUT /things is not described"},
		"a body read":    {answer{"POST", "/gone/not", "application/json", "7", 204, nil, ""}, "got number, want object"},
		"beside others":  {answer{"GET", "/gone-not", "", "", 404, problem(), `{"code": "off", "message": "x"}`}, "is not described"},
		"others' status": {answer{"GET", "/gone/a", "", "", 200, problem(), "{}"}, "response below /gone"},
		"others' body":   {answer{"GET", "/gone/a", "", "", 404, problem(), "{}"}, "missing property 'code'"},
		"others' code":   {answer{"GET", "/gone/a", "", "", 404, problem(), `{"code": "new", "message": "x"}`}, "error code new"},
		"a longer path":  {answer{"GET", "/things/1/2", "", "", 200, text(), ""}, "is not described"},
		"no segment":     {answer{"GET", "/rest/", "", "", 204, nil, ""}, "is not described"},
		"404 of a route": {answer{"POST", "/things", "", "", 404, text(), "404 page not found\n"}, "content type"},
		"a status":       {answer{"GET", "/things/1", "", "", 500, nil, "{}"}, "the status is not described"},
		"a type":         {answer{"GET", "/things/1", "", "", 200, nil, "{}"}, `content type "application/json"`},
		"a body":         {answer{"POST", "/things", form, "title=a", 204, nil, "x"}, "no body is described"},
		"no JSON":        {answer{"POST", "/things", "", `{"name": ""}`, 201, to("/"), "x"}, "body:"},
		"a member":       {answer{"POST", "/things", "", `{"name": ""}`, 201, to("/"), `{"id": "7d2ab1d5-0c2d-4f6e-9a2c-5f1e7a0b7c11", "b": 1}`}, "'b' not allowed"},
		"no member":      {answer{"POST", "/things", "", `{"name": ""}`, 201, to("/"), `{}`}, "missing property 'id'"},
		"a format":       {answer{"POST", "/things", "", `{"name": ""}`, 201, to("/"), `{"id": "x"}`}, "uuid"},
		"no header":      {answer{"POST", "/things", "", `{"name": ""}`, 201, nil, thing}, "header Location is missing"},
		"a header": {answer{"POST", "/things", "", `{"name": ""}`, 201, http.Header{"Location": {"/"}, "Sb-New": {"1"}}, thing},
			"header Sb-New is not described"},
		"a code":          {answer{"POST", "/things", "", "", 400, nil, `{"code": 400, "error_code": "new"}`}, "error code new"},
		"a newer code":    {answer{"POST", "/things", "", "", 400, nil, `{"code": "new", "message": "x"}`}, "error code new"},
		"a hook's code":   {answer{"POST", "/things", "", "", 418, nil, `{"code": 418, "error_code": "bad_json"}`}, "error code bad_json"},
		"an OAuth code":   {answer{"POST", "/things", "", "", 401, nil, `{"error": "new"}`}, "error code new"},
		"code in a link":  {answer{"GET", "/things/first", "", "", 303, to("https://a.test/#error_code=new"), ""}, "error code new"},
		"code in a query": {answer{"GET", "/things/first", "", "", 302, to("https://a.test/?error=new"), ""}, "error code new"},
		"a parameter":     {answer{"POST", "/things?size=1", "application/json", `{"name": ""}`, 204, nil, ""}, "query parameter size"},
		"a value":         {answer{"POST", "/things?page=x", "application/json", `{"name": ""}`, 204, nil, ""}, `query parameter page="x"`},
		"another value":   {answer{"GET", "/rest/a?how=not", "", "", 204, nil, ""}, "query parameter how"},
		"no parameter":    {answer{"GET", "/rest/a", "", "", 204, nil, ""}, "without the query parameter how"},
		"a request":       {answer{"POST", "/things", "application/json", `{}`, 204, nil, ""}, "missing property 'name'"},
		"another form":    {answer{"POST", "/things", form, `name=a`, 204, nil, ""}, "missing property 'title'"},
		"no request":      {answer{"POST", "/things", "", "", 204, nil, ""}, "described as required"},
	} {
		require.ErrorContains(t, checker.Check(test.exchange(t)), test.problem, name)
	}
}

func TestBadDescriptions(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "[]", `{"paths": {"/": {"get": {"parameters": [{"$ref": "#/somewhere"}]}}}}`,
		`{"paths": {"/": {"get": {"parameters": [{"$ref": "#/components/parameters/Missing"}]}}}}`} {
		_, err := check.New([]byte(text))
		require.Error(t, err, text)
	}
}
