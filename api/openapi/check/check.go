package check

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Exchange is a request with its answer.
type Exchange struct {
	Method string
	URL    *url.URL
	// RequestType is the content type of the request.
	RequestType string
	Request     []byte
	Status      int
	Header      http.Header
	Response    []byte
}

// Checker knows a description. It is safe for concurrent use.
type Checker struct {
	routes  []route
	schemas *schemas
	doc     map[string]any
}

// New reads a description.
func New(document []byte) (*Checker, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return nil, fmt.Errorf("read description: %w", err)
	}
	root, ok := doc.(map[string]any)
	if !ok {
		return nil, errors.New("the description is not an object")
	}
	c := &Checker{doc: root}
	if c.schemas, err = newSchemas(doc); err != nil {
		return nil, err
	}
	c.routes, err = c.readRoutes()
	return c, err
}

// Check reports how an exchange differs from the description.
func (c *Checker) Check(x Exchange) error {
	found, described := c.find(x.URL.EscapedPath(), x.Method)
	if !described {
		return c.checkUndescribed(x)
	}
	if x.Status == http.StatusNotFound && strings.HasSuffix(x.URL.Path, "/") && byRouter(x) {
		return nil // not every route takes a trailing slash
	}
	if err := c.checkResponse(found, x); err != nil {
		return fmt.Errorf("response to %s %s, status %d: %w", x.Method, found.path, x.Status, err)
	}
	if x.Status >= http.StatusBadRequest {
		return nil
	}
	if err := c.checkRequest(found, x); err != nil {
		return fmt.Errorf("request %s %s: %w", x.Method, found.path, err)
	}
	return nil
}

// checkUndescribed lets a path or method that is not described be refused, or
// answer as everything there does, and nothing else.
func (c *Checker) checkUndescribed(x Exchange) error {
	refused := x.Status == http.StatusUnauthorized || x.Status == http.StatusForbidden || x.Status == http.StatusBadRequest
	preflight := x.Method == http.MethodOptions && x.Status == http.StatusNoContent
	if byRouter(x) || refused || preflight {
		return nil
	}
	if above, described := c.findAbove(x.URL.EscapedPath()); described {
		if err := c.checkResponse(above, x); err != nil {
			return fmt.Errorf("response below %s, status %d: %w", above.path, x.Status, err)
		}
		return nil
	}
	return fmt.Errorf("%s %s is not described, and answers %d", x.Method, x.URL.Path, x.Status)
}

// byRouter reports whether the router answered, before any handler.
func byRouter(x Exchange) bool {
	switch x.Status {
	case http.StatusNotFound:
		return string(x.Response) == "404 page not found\n"
	case http.StatusMethodNotAllowed:
		return len(x.Response) == 0
	}
	return false
}

// checkResponse compares an answer with what is described for its status, or
// else for any status.
func (c *Checker) checkResponse(r route, x Exchange) error {
	at, exact := r.response(fmt.Sprint(x.Status))
	other, hasOther := r.response("default")
	switch {
	case exact:
		err := c.compare(at, x)
		if err != nil && hasOther && c.compare(other, x) == nil {
			return nil
		}
		return err
	case hasOther:
		return c.compare(other, x)
	}
	return errors.New("the status is not described")
}

// compare compares an answer with the response described at a place.
func (c *Checker) compare(at pointer, x Exchange) error {
	response, at, err := c.resolve(at)
	if err != nil {
		return err
	}
	if err := compareHeaders(response, x.Header); err != nil {
		return err
	}
	content, _ := response["content"].(map[string]any)
	if len(content) == 0 {
		if len(x.Response) > 0 && !isRedirect(x.Status) {
			return fmt.Errorf("no body is described: %s", x.Response)
		}
		return compareRedirect(response, x)
	}
	kind, _, _ := mime.ParseMediaType(x.Header.Get("Content-Type"))
	if content[kind] == nil {
		return fmt.Errorf("content type %q is not described: %s", kind, x.Response)
	}
	if kind != "application/json" && !strings.HasSuffix(kind, "+json") {
		return nil
	}
	body, err := jsonschema.UnmarshalJSON(bytes.NewReader(x.Response))
	if err != nil {
		return fmt.Errorf("body: %w: %s", err, x.Response)
	}
	if err := c.schemas.validate(at.to("content", kind, "schema"), body); err != nil {
		return fmt.Errorf("%w\nbody: %s", err, x.Response)
	}
	return compareCode(response, body)
}

// compareCode wants the code of an error to be one of those that are described.
func compareCode(response map[string]any, body any) error {
	members, _ := body.(map[string]any)
	if code, ok := members["error"].(string); ok {
		return listed(response, "x-oauth-error-codes", code)
	}
	code, ok := members["error_code"].(string)
	if _, newer := members["message"]; newer && !ok {
		code, ok = members["code"].(string)
	}
	if !ok || isSQLState(code) {
		return nil
	}
	return listed(response, "x-error-codes", code)
}

// isSQLState tells the code of a database error from the API's own, which are
// words.
func isSQLState(code string) bool { return len(code) == 5 && strings.ToUpper(code) == code }

// listed wants a code to be in the list with a name. A response without the
// list is no error.
func listed(response map[string]any, name, code string) error {
	codes, ok := response[name].([]any)
	if !ok {
		return nil
	}
	for _, known := range codes {
		if known == code {
			return nil
		}
	}
	return fmt.Errorf("error code %s is not described", code)
}

func isRedirect(status int) bool { return status/100 == 3 }

// compareRedirect wants the error in a redirect to be described.
func compareRedirect(response map[string]any, x Exchange) error {
	target, err := url.Parse(x.Header.Get("Location"))
	if err != nil || !isRedirect(x.Status) {
		return err
	}
	values := target.Query()
	if fragment, err := url.ParseQuery(target.Fragment); err == nil && values.Get("error_code") == "" {
		values.Set("error_code", fragment.Get("error_code"))
	}
	if code := values.Get("error_code"); code != "" {
		return listed(response, "x-error-codes", code)
	}
	if code := values.Get("error"); code != "" {
		return listed(response, "x-oauth-error-codes", code)
	}
	return nil
}
