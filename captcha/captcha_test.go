package captcha_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/captcha"
	"github.com/truegrant/truegrant/conf"
)

const (
	token   = "the-token"
	address = "203.0.113.7"
)

// request is what the provider saw.
type request struct {
	method, host, path string
	form               url.Values
}

// provider is an HTTPS server that plays every host.
type provider struct {
	client *http.Client
	seen   chan request
}

func newProvider(t *testing.T, answer http.HandlerFunc) provider {
	t.Helper()
	p := provider{seen: make(chan request, 10)}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(raw))
		p.seen <- request{r.Method, r.Host, r.URL.Path, form}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	p.client = &http.Client{Transport: transport}
	return p
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func setup(t *testing.T, name string, timeout time.Duration, p provider) *captcha.Verifier {
	t.Helper()
	v, err := captcha.New(conf.Captcha{Provider: name, Secret: " hush ", Timeout: timeout}, p.client)
	require.NoError(t, err)
	return v
}

func TestRequests(t *testing.T) {
	t.Parallel()
	tests := []struct{ provider, remoteIP, host, path string }{
		{"hcaptcha", address, "hcaptcha.com", "/siteverify"},
		{"turnstile", address, "challenges.cloudflare.com", "/turnstile/v0/siteverify"},
		{"hcaptcha", "", "hcaptcha.com", "/siteverify"},
	}
	for _, test := range tests {
		t.Run(test.provider+" "+test.remoteIP, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, says(200, `{"success":true,"hostname":"app.example"}`))
			require.NoError(t, setup(t, test.provider, time.Minute, p).Verify(t.Context(), " "+token+"\n", test.remoteIP))
			form := url.Values{"secret": {"hush"}, "response": {token}}
			if test.remoteIP != "" {
				form.Set("remoteip", test.remoteIP)
			}
			require.Equal(t, request{http.MethodPost, test.host, test.path, form}, <-p.seen)
		})
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	p := newProvider(t, says(200, `{"success":true}`))
	for _, token := range []string{"", " \t"} {
		require.Equal(t, captcha.ErrMissing, setup(t, "hcaptcha", time.Minute, p).Verify(t.Context(), token, address))
	}
	require.Empty(t, p.seen)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		answer string
		want   []string
		text   string
	}{
		{"codes", 200, `{"success":false,"error-codes":["invalid-input-response","other-code"]}`,
			[]string{"invalid-input-response", "other-code"}, "captcha refused (invalid-input-response, other-code)"},
		{"status says so too", 400, `{"success":false,"error-codes":["bad-request"]}`, []string{"bad-request"}, "captcha refused (bad-request)"},
		{"no codes", 200, `{"success":false}`, nil, "captcha refused ()"},
		{"control characters", 200, `{"success":false,"error-codes":["a\r\nb"]}`, []string{"ab"}, "captcha refused (ab)"},
		{"long code", 200, `{"success":false,"error-codes":["x` + strings.Repeat("é", 80) + `"]}`,
			[]string{"x" + strings.Repeat("é", 49)}, "captcha refused (x" + strings.Repeat("é", 49) + ")"},
		{"many codes", 200, `{"success":false,"error-codes":["a","a","a","a","a","a","a","a","a","a","a"]}`,
			strings.Split("aaaaaaaaaa", ""), "captcha refused (a, a, a, a, a, a, a, a, a, a)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, says(test.status, test.answer))
			err := setup(t, "turnstile", time.Minute, p).Verify(t.Context(), token, address)
			var refused *captcha.Refused
			require.ErrorAs(t, err, &refused)
			require.Equal(t, test.want, refused.Codes)
			require.EqualError(t, err, test.text)
		})
	}
}

func TestUnavailable(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	silent := newProvider(t, func(http.ResponseWriter, *http.Request) { <-hold })
	t.Cleanup(func() { close(hold) }) // before the server waits for its handler
	const failed = "captcha verification process failed: "
	tests := []struct {
		name     string
		provider provider
		timeout  time.Duration
		cause    error
		text     string
	}{
		{"slow", silent, 50 * time.Millisecond, context.DeadlineExceeded, ""},
		{"cut off", newProvider(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "{")
		}), time.Minute, io.ErrUnexpectedEOF, ""},
		{"garbage", newProvider(t, says(500, "<html>oops</html>")), time.Minute, nil, failed + "answer with status 500 is not a verdict"},
		{"no verdict", newProvider(t, says(200, "{}")), time.Minute, nil, failed + "answer with status 200 is not a verdict"},
		{"not a verdict", newProvider(t, says(200, `{"success":"true"}`)), time.Minute, nil, failed + "answer with status 200 is not a verdict"},
		{"success and failure", newProvider(t, says(502, `{"success":true}`)), time.Minute, nil, failed + "success with status 502"},
		{"oversized", newProvider(t, says(200, strings.Repeat(" ", 64<<10)+`{"success":true}`)), time.Minute, nil,
			failed + "answer is larger than 65536 bytes"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := setup(t, "hcaptcha", test.timeout, test.provider).Verify(t.Context(), token, address)
			require.ErrorIs(t, err, captcha.ErrUnavailable)
			if test.cause != nil {
				require.ErrorIs(t, err, test.cause)
			} else {
				require.EqualError(t, err, test.text)
			}
			for _, secret := range []string{token, address, "hush"} {
				require.NotContains(t, err.Error(), secret)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	tests := []struct {
		conf conf.Captcha
		want string
	}{
		{conf.Captcha{Provider: "hcaptcha", Secret: "s", Timeout: time.Second}, ""},
		{conf.Captcha{Provider: "turnstile", Secret: "s", Timeout: time.Second}, ""},
		{conf.Captcha{Provider: "recaptcha", Secret: "s", Timeout: time.Second}, `captcha: provider "recaptcha" is not supported`},
		{conf.Captcha{Provider: "hcaptcha", Secret: " ", Timeout: time.Second}, "captcha: the secret is missing"},
		{conf.Captcha{Provider: "hcaptcha", Secret: "s"}, "captcha: the timeout is missing"},
	}
	for _, test := range tests {
		v, err := captcha.New(test.conf, nil)
		if test.want == "" {
			require.NoError(t, err)
			require.NotNil(t, v)
			continue
		}
		require.Nil(t, v)
		require.EqualError(t, err, test.want)
	}
}

// A provider that redirects does not learn the secret of another.
func TestNoRedirect(t *testing.T) {
	t.Parallel()
	p := newProvider(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://elsewhere.example/", http.StatusTemporaryRedirect)
	})
	require.ErrorIs(t, setup(t, "hcaptcha", time.Minute, p).Verify(t.Context(), token, address), captcha.ErrUnavailable)
	require.Len(t, p.seen, 1)
}
