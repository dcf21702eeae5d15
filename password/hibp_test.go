package password_test

import (
	"context"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/password"
)

// leaked is known to the service, with the digest after it; sound is not.
const (
	leaked       = "P@ssw0rd"
	leakedPrefix = "21BD1"
	leakedSuffix = "2DC183F740EE76F27B78EB39C8AD972A757"
	sound        = "correct horse battery staple, 77 times"
)

// service is an HTTPS server that plays every host.
type service struct {
	*http.Transport
	mu   sync.Mutex
	seen []*http.Request
}

func (s *service) requests() []*http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

func newService(t *testing.T, answer http.HandlerFunc) *service {
	t.Helper()
	s := new(service)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r)
		s.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	s.Transport = &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		},
	}
	t.Cleanup(s.CloseIdleConnections)
	return s
}

// rangeOf answers like the service, lines of an unknown password around.
func rangeOf(lines ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		all := append([]string{strings.Repeat("0", 35) + ":3"}, lines...)
		all = append(all, strings.Repeat("F", 35)+":0")
		_, _ = io.WriteString(w, strings.Join(all, "\r\n"))
	}
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

func TestPwnedAsksForARange(t *testing.T) {
	t.Parallel()
	s := newService(t, rangeOf(leakedSuffix+":52579"))
	h := password.NewHIBP(password.HIBPConfig{UserAgent: "truegrant-test", Transport: s})
	pwned, err := h.Pwned(t.Context(), leaked)
	require.NoError(t, err)
	require.True(t, pwned)

	require.Len(t, s.requests(), 1)
	r := s.requests()[0]
	require.Equal(t, http.MethodGet, r.Method)
	require.Equal(t, "api.pwnedpasswords.com", r.Host)
	require.Equal(t, "/range/"+leakedPrefix, r.URL.Path)
	require.Equal(t, "truegrant-test", r.Header.Get("User-Agent"))
	require.Equal(t, "true", r.Header.Get("Add-Padding"))
}

func TestPwned(t *testing.T) {
	t.Parallel()
	lower := strings.ToLower(leakedSuffix)
	long := strings.Repeat(strings.Repeat("0", 35)+":1\r\n", (1<<20)/39+1)
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   bool
		err    string
	}{
		{"known", rangeOf(leakedSuffix + ":1"), true, ""},
		{"known, lower case", rangeOf(lower + ":10"), true, ""},
		{"padding", rangeOf(leakedSuffix + ":0"), false, ""},
		{"not known", rangeOf(), false, ""},
		{"status", status(429, leakedSuffix+":1"), false, "status 429"},
		{"redirect without a target", status(302, ""), false, "status 302"},
		{"empty", status(200, ""), false, "answer is empty"},
		{"a page", status(200, "<html>welcome to our hotel</html>"), false, "answer is not a range"},
		{"known, then a page", rangeOf(leakedSuffix+":1", "<html>"), false, "answer is not a range"},
		{"count is not a number", rangeOf(leakedSuffix + ":-1"), false, "answer is not a range"},
		{"no count", rangeOf(leakedSuffix + ":"), false, "answer is not a range"},
		{"endless line", status(200, strings.Repeat("0", 1<<17)), false, "token too long"},
		{"oversized", status(200, long), false, "answer is larger than 1048576 bytes"},
		{"cut off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, leakedSuffix+":1\r\n")
		}, false, "unexpected EOF"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := password.NewHIBP(password.HIBPConfig{Transport: newService(t, test.answer)})
			pwned, err := h.Pwned(t.Context(), leaked)
			require.Equal(t, test.want, pwned)
			if test.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, password.ErrHIBP)
			require.ErrorContains(t, err, test.err)
			require.NotContains(t, err.Error(), leakedPrefix)
		})
	}
}

func TestPwnedEndsWithItsContext(t *testing.T) {
	t.Parallel()
	arrived, hold := make(chan struct{}), make(chan struct{})
	s := newService(t, func(http.ResponseWriter, *http.Request) {
		close(arrived)
		<-hold
	})
	t.Cleanup(func() { close(hold) }) // before the server waits for its handler
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := password.NewHIBP(password.HIBPConfig{Transport: s}).Pwned(ctx, leaked)
	require.ErrorIs(t, err, password.ErrHIBP)
	require.ErrorIs(t, err, context.Canceled)
}

func TestPwnedRemembers(t *testing.T) {
	t.Parallel()
	// Knows everything but sound.
	s := newService(t, func(w http.ResponseWriter, r *http.Request) {
		lines := []string{strings.Repeat("0", 35) + ":1"}
		for _, plain := range []string{"one", "two", "three"} {
			digest := fmt.Sprintf("%X", sha1.Sum([]byte(plain)))
			if strings.HasSuffix(r.URL.Path, digest[:5]) {
				lines = append(lines, digest[5:]+":1")
			}
		}
		_, _ = io.WriteString(w, strings.Join(lines, "\r\n"))
	})
	h := password.NewHIBP(password.HIBPConfig{BloomItems: 2, BloomFalsePositives: 0.000001, Transport: s})
	ask := func(plain string, want bool) int {
		before := len(s.requests())
		pwned, err := h.Pwned(t.Context(), plain)
		require.NoError(t, err)
		require.Equal(t, want, pwned, plain)
		return len(s.requests()) - before
	}
	require.Equal(t, 1, ask("one", true))
	require.Equal(t, 0, ask("one", true), "remembered")
	require.Equal(t, 1, ask(sound, false))
	require.Equal(t, 1, ask(sound, false), "good answers are not remembered")
	require.Equal(t, 1, ask("two", true))
	require.Equal(t, 0, ask("one", true)+ask("two", true), "full")
	require.Equal(t, 1, ask("three", true))
	require.Equal(t, 0, ask("three", true))
	require.Equal(t, 1, ask("one", true), "forgotten to make room")
}

func TestBloomParametersOutOfRange(t *testing.T) {
	t.Parallel()
	for _, share := range []float64{-1, 0, 1, 2} {
		s := newService(t, rangeOf(leakedSuffix+":1"))
		h := password.NewHIBP(password.HIBPConfig{BloomItems: 10, BloomFalsePositives: share, Transport: s})
		for range 2 {
			pwned, err := h.Pwned(t.Context(), leaked)
			require.NoError(t, err)
			require.True(t, pwned)
		}
		require.Len(t, s.requests(), 1)
	}
}

func TestChecker(t *testing.T) {
	t.Parallel()
	const (
		short = "Password should be at least 10 characters."
		known = "Password is known to be weak and easy to guess, please choose a different one."
	)
	down := status(503, "")
	tests := []struct {
		name       string
		answer     http.HandlerFunc
		plain      string
		failClosed bool
		want       *password.Weakness
		failures   int
		refused    bool
	}{
		{"sound", rangeOf(), sound, true, nil, 0, false},
		{"known", rangeOf(leakedSuffix + ":1"), leaked, false,
			&password.Weakness{Reasons: []string{"length", "pwned"}, Message: short + " " + known}, 0, false},
		{"short", rangeOf(), leaked, false, &password.Weakness{Reasons: []string{"length"}, Message: short}, 0, false},
		{"down", down, sound, false, nil, 1, false},
		{"down, closed", down, sound, true, nil, 1, true},
		{"down, closed, short", down, leaked, true, &password.Weakness{Reasons: []string{"length"}, Message: short}, 1, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			failures := 0
			c := password.Checker{
				Policy:     password.Policy{MinLength: 10},
				HIBP:       password.NewHIBP(password.HIBPConfig{Transport: newService(t, test.answer)}),
				FailClosed: test.failClosed,
				Failed:     func(context.Context, error) { failures++ },
			}
			weak, err := c.Check(t.Context(), test.plain)
			require.Equal(t, test.want, weak)
			require.Equal(t, test.failures, failures)
			if test.refused {
				require.ErrorIs(t, err, password.ErrHIBP)
			} else {
				require.NoError(t, err)
			}
		})
	}

	weak, err := password.Checker{}.Check(t.Context(), "12345")
	require.NoError(t, err)
	require.Equal(t, []string{"length"}, weak.Reasons)

	h := password.NewHIBP(password.HIBPConfig{Transport: newService(t, rangeOf(leakedSuffix+":1"))})
	weak, err = password.Checker{HIBP: h}.Check(t.Context(), leaked)
	require.NoError(t, err)
	require.Equal(t, &password.Weakness{Reasons: []string{"pwned"}, Message: known}, weak)
}
