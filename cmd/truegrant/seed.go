package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// seed creates the demo user and the demo client through the admin API, as a
// dashboard would. Both stay from run to run.
func (p *project) seed(ctx context.Context, handler http.Handler) error {
	user := map[string]any{
		"email": demoEmail, "password": demoPassword, "email_confirm": true,
		"user_metadata": map[string]string{"name": "Demo User"},
	}
	status, body, err := p.admin(ctx, handler, http.MethodPost, "/admin/users", user)
	if err != nil {
		return err
	}
	if status != http.StatusOK && status != http.StatusUnprocessableEntity { // 422: exists already
		return fmt.Errorf("create demo user: status %d: %s", status, body)
	}
	return p.seedClient(ctx, handler)
}

func (p *project) seedClient(ctx context.Context, handler http.Handler) error {
	redirectURI := p.origin() + demoCallback
	if p.keys.ClientID != "" {
		// The port may be another one this time.
		status, _, err := p.admin(ctx, handler, http.MethodPut, "/admin/oauth/clients/"+p.keys.ClientID,
			map[string]any{"redirect_uris": []string{redirectURI}})
		if err != nil || status == http.StatusOK {
			return err
		}
	}
	status, body, err := p.admin(ctx, handler, http.MethodPost, "/admin/oauth/clients", map[string]any{
		"client_name": "Demo client", "redirect_uris": []string{redirectURI},
	})
	if err != nil {
		return err
	}
	if status != http.StatusCreated {
		return fmt.Errorf("create demo client: status %d: %s", status, body)
	}
	var created struct {
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
	}
	if err := json.Unmarshal(body, &created); err != nil {
		return fmt.Errorf("create demo client: %w", err)
	}
	p.keys.ClientID, p.keys.ClientSecret = created.ClientID, created.ClientSecret
	return p.save()
}

// admin calls the API as the service role, without a network.
func (p *project) admin(ctx context.Context, handler http.Handler, method, path string, in any) (int, []byte, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return 0, nil, err
	}
	client := &http.Client{Transport: inProcess{handler}}
	request, err := http.NewRequestWithContext(ctx, method, p.origin()+path, bytes.NewReader(raw))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+p.keys.ServiceKey)
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// inProcess is a transport that asks a handler directly.
type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(request *http.Request) (*http.Response, error) {
	answer := &memoryResponse{header: http.Header{}, status: http.StatusOK}
	t.handler.ServeHTTP(answer, request)
	return &http.Response{
		StatusCode: answer.status, Header: answer.header, Request: request,
		Body: io.NopCloser(&answer.body), ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// memoryResponse keeps an answer in memory.
type memoryResponse struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (m *memoryResponse) Header() http.Header { return m.header }

// WriteHeader implements http.ResponseWriter.
func (m *memoryResponse) WriteHeader(status int) { m.status = status }

// Write implements http.ResponseWriter.
func (m *memoryResponse) Write(p []byte) (int, error) { return m.body.Write(p) }
