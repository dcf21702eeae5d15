package check

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/url"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// checkRequest compares a request that was granted with the description.
func (c *Checker) checkRequest(r route, x Exchange) error {
	if err := c.checkQuery(r, x); err != nil {
		return err
	}
	body, ok := r.operation["requestBody"].(map[string]any)
	if !ok || len(x.Request) == 0 {
		if required, _ := body["required"].(bool); required {
			return errors.New("was granted without the body that is described as required")
		}
		return nil
	}
	at := r.at.to("requestBody", "content")
	content, _ := body["content"].(map[string]any)
	kind, _, _ := mime.ParseMediaType(x.RequestType)
	if content[kind] == nil {
		return nil // most routes read JSON whatever the request calls it
	}
	value, err := decodeRequest(kind, x.Request)
	if err != nil {
		if ignored, _ := r.operation["x-may-ignore-body"].(bool); ignored {
			return nil
		}
		return err
	}
	return c.schemas.validate(at.to(kind, "schema"), value)
}

// checkQuery compares the query of a request. A redirect may report that a value
// is wrong, so values are compared only where the answer is no redirect.
func (c *Checker) checkQuery(r route, x Exchange) error {
	query := x.URL.Query()
	for name, values := range query {
		described, ok := r.query[name]
		switch {
		case !ok && !r.anyQuery:
			return fmt.Errorf("query parameter %s is not described", name)
		case !ok || isRedirect(x.Status):
			continue
		}
		for _, value := range values {
			if err := c.schemas.validate(described.at.to("schema"), value); err != nil {
				return fmt.Errorf("query parameter %s=%q: %w", name, value, err)
			}
		}
	}
	for name, described := range r.query {
		if described.required && !query.Has(name) && !isRedirect(x.Status) {
			return fmt.Errorf("was granted without the query parameter %s, which is described as required", name)
		}
	}
	return nil
}

func decodeRequest(kind string, raw []byte) (any, error) {
	if kind != "application/x-www-form-urlencoded" {
		return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	}
	form, err := url.ParseQuery(string(raw))
	if err != nil {
		return nil, err
	}
	members := map[string]any{}
	for name, values := range form {
		members[name] = values[0]
	}
	return members, nil
}
