package mailer

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"
)

// maxVerdict bounds the answer of a validation service, in bytes.
const maxVerdict = 32

// validationService is an HTTP service of the operator's that judges addresses.
type validationService struct {
	client  *http.Client
	url     string
	headers map[string][]string
}

// newValidationService returns nil without a URL.
func newValidationService(url string, headers map[string][]string, transport http.RoundTripper) *validationService {
	if url == "" {
		return nil
	}
	if transport == nil {
		transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &validationService{url: url, headers: headers, client: &http.Client{
		Transport: transport,
		// The headers hold the service's key.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// refuses posts {"email"} and reports whether the answer is {"valid":false}.
// No other answer, and no failure, refuses an address.
func (s *validationService) refuses(ctx context.Context, address string) bool {
	if s == nil {
		return false
	}
	body, err := json.Marshal(map[string]string{"email": address})
	if err != nil {
		return false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	for name, values := range s.headers {
		for _, value := range values { // the last one wins
			req.Header.Set(name, value)
		}
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxVerdict+1))
	if err != nil || resp.StatusCode != http.StatusOK || len(answer) > maxVerdict {
		return false
	}
	var verdict struct {
		Valid *bool `json:"valid"`
	}
	return json.Unmarshal(answer, &verdict) == nil && verdict.Valid != nil && !*verdict.Valid
}
