package sms_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/sms"
)

// call is a request as the provider sees it.
type call struct {
	method, host, path, authorization, contentType string
	form                                           url.Values
}

// provider is an HTTPS server that plays every host.
type provider struct {
	*http.Transport
	mu    sync.Mutex
	calls []call
}

func (p *provider) seen() []call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

func newProvider(t *testing.T, answer http.HandlerFunc) *provider {
	t.Helper()
	p := new(provider)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		p.mu.Lock()
		p.calls = append(p.calls, call{
			r.Method, r.Host, r.URL.EscapedPath(), r.Header.Get("Authorization"), r.Header.Get("Content-Type"), form,
		})
		p.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	p.Transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	t.Cleanup(p.CloseIdleConnections)
	return p
}

// says answers with a status and a body.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// account is complete for every provider.
func account(provider string) conf.SMS {
	return conf.SMS{
		Provider:     provider,
		Twilio:       conf.Twilio{AccountSID: "AC/1", AuthToken: "token", MessageServiceSID: "MG1"},
		TwilioVerify: conf.TwilioVerify{AccountSID: "AC2", AuthToken: "token", MessageServiceSID: "VA1"},
		Messagebird:  conf.Messagebird{AccessKey: "key", Originator: "Ada"},
		Textlocal:    conf.Textlocal{APIKey: "key", Sender: "Ada"},
		Vonage:       conf.Vonage{APIKey: "key", APISecret: "secret", From: "Ada"},
	}
}

// setup makes a sender that talks to p.
func setup(t *testing.T, c conf.SMS, p *provider) sms.Sender {
	t.Helper()
	s, err := sms.New(c, 10*time.Second, p)
	require.NoError(t, err)
	return s
}

const (
	phone = "15551234567"
	code  = "424242"
)

func message(channel string) sms.Message {
	return sms.Message{Phone: phone, Code: code, Text: "Your code is " + code, Channel: channel}
}
