package apitest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Option changes a request before it is sent.
type Option func(*http.Request)

// Bearer authenticates with an access token or API key.
func Bearer(token string) Option { return Header("Authorization", "Bearer "+token) }

// Header sets a request header.
func Header(name, value string) Option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Basic authenticates a client (RFC 6749 §2.3.1).
func Basic(id, secret string) Option {
	return func(r *http.Request) { r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret)) }
}

// Do sends a request through the whole router and returns the answer. A body
// of type string or []byte is sent as it is, url.Values as a form, nil not at
// all, and anything else as JSON.
func (a *App) Do(method, path string, body any, options ...Option) *Response {
	a.t.Helper()
	raw, contentType := encode(a.t, body)
	r := httptest.NewRequestWithContext(a.t.Context(), method, path, bytes.NewReader(raw))
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	for _, option := range options {
		option(r)
	}
	w := httptest.NewRecorder()
	a.Server.Handler.ServeHTTP(w, r)
	Described(a.t, r, raw, w)
	answer := &Response{t: a.t, Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
	a.secrets.rememberExchange(r, raw, answer)
	return answer
}

func encode(t testing.TB, body any) (raw []byte, contentType string) {
	t.Helper()
	switch body := body.(type) {
	case nil:
		return nil, ""
	case string:
		return []byte(body), "application/json"
	case []byte:
		return body, "application/json"
	case url.Values:
		return []byte(body.Encode()), "application/x-www-form-urlencoded"
	}
	raw, err := json.Marshal(body)
	require.NoError(t, err)
	return raw, "application/json"
}

// Response is an answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	t testing.TB
}

// JSON decodes a body that is an object.
func (r *Response) JSON() map[string]any {
	r.t.Helper()
	var body map[string]any
	r.Into(&body)
	return body
}

// Into decodes the body.
func (r *Response) Into(v any) {
	r.t.Helper()
	require.NoError(r.t, json.Unmarshal(r.Body, v), "status %d: %s", r.Status, r.Body)
}

// OK demands a 2xx status and decodes the body.
func (r *Response) OK() map[string]any {
	r.t.Helper()
	require.Equal(r.t, 2, r.Status/100, "status %d: %s", r.Status, r.Body)
	if len(r.Body) == 0 {
		return nil
	}
	return r.JSON()
}

// Refused demands an error in GoTrue's shape and returns its sentence.
func (r *Response) Refused(status int, code string) string {
	r.t.Helper()
	require.Equal(r.t, status, r.Status, "%s", r.Body)
	body := r.JSON()
	require.Equal(r.t, code, body["error_code"], "%s", r.Body)
	message, _ := body["msg"].(string)
	return message
}

// RefusedOAuth demands an error in RFC 6749's shape and returns its
// description.
func (r *Response) RefusedOAuth(status int, code string) string {
	r.t.Helper()
	require.Equal(r.t, status, r.Status, "%s", r.Body)
	body := r.JSON()
	require.Equal(r.t, code, body["error"], "%s", r.Body)
	description, _ := body["error_description"].(string)
	return description
}

// Location is the URL that a redirect leads to.
func (r *Response) Location() *url.URL {
	r.t.Helper()
	require.Equal(r.t, 3, r.Status/100, "status %d: %s", r.Status, r.Body)
	target, err := url.Parse(r.Header.Get("Location"))
	require.NoError(r.t, err)
	return target
}

// Fragment are the parameters in the fragment of a redirect.
func (r *Response) Fragment() url.Values {
	r.t.Helper()
	_, fragment, _ := strings.Cut(r.Header.Get("Location"), "#")
	values, err := url.ParseQuery(fragment)
	require.NoError(r.t, err)
	return values
}
