package sms

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// maxAnswer bounds the header and the body of an answer, each in bytes.
const maxAnswer = 64 << 10

// A request is a form for a provider.
type request struct {
	url           string
	authorization string // the header, if not empty
	form          url.Values
}

// An answer is what a provider said.
type answer struct {
	status int
	body   []byte
}

// decode reads the body; false means that it is not JSON of v's shape.
func (a answer) decode(v any) bool { return json.Unmarshal(a.body, v) == nil }

// succeeded: the status is one of those that mean success.
func (a answer) succeeded() bool {
	return a.status == http.StatusOK || a.status == http.StatusCreated
}

// unexpected is the reason for an answer that makes no sense.
func (a answer) unexpected() string {
	return fmt.Sprintf("unexpected answer with status %d", a.status)
}

// client talks to a provider.
type client struct {
	http    *http.Client
	timeout time.Duration
}

func newClient(timeout time.Duration, transport http.RoundTripper) client {
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: maxAnswer,
		}
	}
	return client{
		timeout: timeout,
		http: &http.Client{
			Transport: transport,
			// The form holds codes and keys; they go to the provider only.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// post sends a form and reads the whole answer, whatever its status. Its errors
// do not name the URL, which holds the account.
func (c client) post(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url, strings.NewReader(r.form.Encode()))
	if err != nil {
		return answer{}, withoutURL(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if r.authorization != "" {
		req.Header.Set("Authorization", r.authorization)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return answer{}, withoutURL(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	if len(body) > maxAnswer {
		return answer{}, fmt.Errorf("answer is larger than %d bytes", maxAnswer)
	}
	return answer{status: resp.StatusCode, body: body}, nil
}

// basic is the header of RFC 7617 §2.
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// withoutURL drops the address from the client's error.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// scalar is a JSON string, number or null, as text: providers are not
// consistent about codes and ids.
type scalar string

// UnmarshalJSON implements [json.Unmarshaler].
func (s *scalar) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		return json.Unmarshal(raw, (*string)(s))
	case 'n':
		return nil
	case '{', '[':
		return errors.New("neither a string nor a number")
	}
	*s = scalar(raw)
	return nil
}
