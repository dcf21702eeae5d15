package hooks

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
)

func TestHTTPAnswers(t *testing.T) {
	t.Parallel()
	const json = "application/json"
	long := `{"padding":"` + strings.Repeat("x", maxReply-14) + `"}` // exactly maxReply bytes
	require.Len(t, long, maxReply)

	tests := []struct {
		name    string
		handler http.HandlerFunc
		kind    Failure // "" is success
		message string
	}{
		{"200", answer(200, json, `{"ok":true}`), "", ""},
		{"202", answer(202, json, `{}`), "", ""},
		{"204", answer(204, "", ""), "", ""},
		{"parameters", answer(200, "Application/JSON; charset=utf-8", `{}`), "", ""},
		{"largest", answer(200, json, long), "", ""},
		{"too large", answer(200, json, long+" "), ErrTooLarge, "Payload size exceeded size limit of 204800 bytes"},
		{"no content type", answer(200, "", `{}`), ErrContentType, "Invalid Content-Type: Missing Content-Type header"},
		{"text", answer(200, "text/plain", `{}`), ErrContentType, "Invalid JSON response. Received content-type: text/plain"},
		{"malformed content type", answer(200, "a/b/c", `{}`), ErrContentType, "Invalid Content-Type header: mime: unexpected content after media subtype"},
		{"empty body", answer(200, json, ""), ErrBadReply, "Error unmarshaling JSON output."},
		{"no JSON", answer(200, json, "not json"), ErrBadReply, "Error unmarshaling JSON output."},
		{"two documents", answer(200, json, "{} {}"), ErrBadReply, "Error unmarshaling JSON output."},
		{"list", answer(200, json, "[]"), ErrBadReply, "Error unmarshaling JSON output."},
		{"400", answer(400, json, `{}`), ErrPayloadRefused, "Invalid payload sent to hook"},
		{"401", answer(401, json, `{}`), ErrUnauthorized, "Hook requires authorization token"},
		{"429", answer(429, json, `{}`), ErrUnavailable, "Service currently unavailable due to hook"},
		{"503", answer(503, json, `{}`), ErrUnavailable, "Service currently unavailable due to hook"},
		{"403", answer(403, json, `{}`), ErrUnexpectedStatus, "Unexpected status code returned from hook: 403"},
		{"500", answer(500, json, `{}`), ErrUnexpectedStatus, "Unexpected status code returned from hook: 500"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				tt.handler(w, r)
			})
			h, waited := newHooks(t, PointSendEmail, Target{URI: uri})

			err := h.Invoke(t.Context(), PointSendEmail, map[string]any{}, nil)
			if tt.kind == "" {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.kind)
				require.EqualError(t, err, tt.message)
			}
			require.EqualValues(t, 1, calls.Load(), "nothing here is tried again")
			require.Empty(t, waited.all())
		})
	}
}

// Two secrets give two signatures; a receiver that knows either verifies.
func TestHTTPSignatures(t *testing.T) {
	t.Parallel()
	const oldSecret = "whsec_" + "b2xkLXNlY3JldC1vbGQtc2VjcmV0LW9sZC1zZWNyZXQ="
	const newSecret = "whsec_" + "bmV3LXNlY3JldC1uZXctc2VjcmV0LW5ldy1zZWNyZXQ="

	var header http.Header
	var body []byte
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Clone()
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(http.StatusNoContent)
	})
	h, _ := newHooks(t, PointSendSMS, Target{URI: uri, Secrets: []string{"v1," + newSecret, "v1," + oldSecret}})
	require.NoError(t, h.Invoke(t.Context(), PointSendSMS, map[string]any{"otp": "123456"}, nil))

	require.JSONEq(t, `{"otp":"123456"}`, string(body))
	require.Equal(t, "application/json", header.Get("Content-Type"))
	require.Equal(t, "identity", header.Get("Accept-Encoding"))
	require.Equal(t, "1893553445", header.Get("webhook-timestamp"))
	require.Len(t, header.Get("webhook-id"), 36)

	signatures := strings.Split(header.Get("webhook-signature"), ", ")
	require.Len(t, signatures, 2)
	for i, secret := range []string{newSecret, oldSecret} {
		receiver, err := standardwebhooks.NewWebhook(secret)
		require.NoError(t, err)
		header.Set("webhook-signature", signatures[i])
		require.NoError(t, receiver.VerifyIgnoringTimestamp(body, header))
		require.Error(t, receiver.VerifyIgnoringTimestamp(append(body, ' '), header))
	}
}

func TestHTTPWithoutSecretsIsUnsigned(t *testing.T) {
	t.Parallel()
	var signature []string
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		signature = r.Header.Values("webhook-signature")
		w.WriteHeader(http.StatusNoContent)
	})
	h, _ := newHooks(t, PointSendSMS, Target{URI: uri})
	require.NoError(t, h.Invoke(t.Context(), PointSendSMS, 1, nil))
	require.Equal(t, []string{""}, signature)
}

func TestHTTPAsymmetricSecretFailsTheCall(t *testing.T) {
	t.Parallel()
	uri := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("called without a signature") })
	h, _ := newHooks(t, PointSendSMS, Target{URI: uri, Secrets: []string{"v1a,whpk_AAAA:whsk_BBBB"}})
	err := h.Invoke(t.Context(), PointSendSMS, 1, nil)
	require.ErrorIs(t, err, ErrSignature)
	require.EqualError(t, err, "Error generating signatures: invalid signature format")
}

// hangUp is a hook that closes the connection instead of answering.
func hangUp(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err == nil {
		_ = conn.Close()
	}
}

func TestHTTPRetries(t *testing.T) {
	t.Parallel()
	busy := func(w http.ResponseWriter) {
		w.Header().Set("Retry-After", "120")
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	vague := func(w http.ResponseWriter) {
		w.Header()["Retry-After"] = []string{""}
		w.WriteHeader(http.StatusTooManyRequests)
	}
	fine := func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) }
	type step = func(http.ResponseWriter)

	tests := []struct {
		name   string
		steps  []step
		want   Failure
		pauses []time.Duration
	}{
		{"connection lost once", []step{hangUp, fine}, "", []time.Duration{2 * time.Second}},
		{"connection lost twice", []step{hangUp, hangUp, fine}, "", []time.Duration{2 * time.Second, 2 * time.Second}},
		{"connection lost always", []step{hangUp, hangUp, hangUp}, ErrUnreachable, []time.Duration{2 * time.Second, 2 * time.Second}},
		{"busy, at once again", []step{busy, busy, fine}, "", nil},
		{"busy always", []step{busy, busy, busy}, ErrUnavailable, nil},
		{"empty header", []step{vague, fine}, "", nil},
		{"attempts are shared", []step{busy, hangUp, busy}, ErrUnavailable, []time.Duration{2 * time.Second}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			ids := make(chan string, 10)
			uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
				ids <- r.Header.Get("webhook-id")
				tt.steps[calls.Add(1)-1](w)
			})
			h, waited := newHooks(t, PointSendSMS, Target{URI: uri})

			err := h.Invoke(t.Context(), PointSendSMS, 1, nil)
			if tt.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.want)
				require.EqualError(t, err, string(tt.want))
			}
			require.EqualValues(t, len(tt.steps), calls.Load())
			require.Equal(t, tt.pauses, waited.all())

			close(ids)
			seen := map[string]bool{}
			for id := range ids {
				require.False(t, seen[id], "every attempt has its own id")
				seen[id] = true
			}
		})
	}
}

func TestHTTPNobodyListens(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	uri := "http://" + listener.Addr().String() + "/?key=hidden"
	require.NoError(t, listener.Close())

	h, waited := newHooks(t, PointSendSMS, Target{URI: uri})
	err = h.Invoke(t.Context(), PointSendSMS, 1, nil)
	require.ErrorIs(t, err, ErrUnreachable)
	require.Len(t, waited.all(), 2)

	var failed *Error
	require.ErrorAs(t, err, &failed)
	require.Error(t, failed.Cause)
	require.NotContains(t, failed.Cause.Error(), "hidden")
}

// An answer without end is not read to its end.
func TestHTTPEndlessAnswer(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	uri := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for range 10 << 20 / 1024 {
			n, err := w.Write(make([]byte, 1024))
			sent.Add(int64(n))
			if err != nil {
				return
			}
		}
	})
	h, _ := newHooks(t, PointSendSMS, Target{URI: uri})
	require.ErrorIs(t, h.Invoke(t.Context(), PointSendSMS, 1, nil), ErrTooLarge)
	require.Less(t, sent.Load(), int64(10<<20), "the connection is closed early")
}

// A header without end, no HTTP at all: nobody answered.
func TestHTTPNonsense(t *testing.T) {
	t.Parallel()
	for name, say := range map[string]string{
		"no HTTP":     "SSH-2.0-OpenSSH_9.9\r\n",
		"long header": "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", maxReplyHeader+4096) + "\r\n\r\n",
		"cut off":     "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			uri := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				conn, out, err := http.NewResponseController(w).Hijack()
				if err != nil {
					return
				}
				_, _ = out.WriteString(say)
				_ = out.Flush()
				_ = conn.Close()
			})
			h, _ := newHooks(t, PointSendSMS, Target{URI: uri})
			err := h.Invoke(t.Context(), PointSendSMS, 1, nil)
			if name == "cut off" { // it did answer
				require.ErrorIs(t, err, ErrBadReply)
				require.EqualValues(t, 1, calls.Load())
				return
			}
			require.ErrorIs(t, err, ErrUnreachable)
			require.EqualValues(t, 3, calls.Load())
		})
	}
}

func TestHTTPTimeout(t *testing.T) {
	t.Parallel()
	stall := func(http.ResponseWriter) {}
	half := func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"cla`))
		_ = http.NewResponseController(w).Flush()
	}
	for name, start := range map[string]func(http.ResponseWriter){"no answer": stall, "half an answer": half} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var calls atomic.Int64
			release := make(chan struct{})
			uri := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				calls.Add(1)
				start(w)
				<-release
			})
			t.Cleanup(func() { close(release) }) // before the server closes
			h, _ := newHooks(t, PointSendSMS, Target{URI: uri})
			h.budget = 100 * time.Millisecond

			err := h.Invoke(t.Context(), PointSendSMS, 1, nil)
			require.ErrorIs(t, err, ErrTimeout)
			require.EqualError(t, err, "Failed to reach hook within maximum time of 5.000000 seconds")
			require.EqualValues(t, 1, calls.Load(), "a timeout is final")
		})
	}
}

func TestHTTPTimeoutDuringPause(t *testing.T) {
	t.Parallel()
	uri := serve(t, func(w http.ResponseWriter, _ *http.Request) { hangUp(w) })
	h, _ := newHooks(t, PointSendSMS, Target{URI: uri}, func(c *Config) { c.Pause = nil })
	h.budget = 300 * time.Millisecond // shorter than the real pause
	require.ErrorIs(t, h.Invoke(t.Context(), PointSendSMS, 1, nil), ErrTimeout)
}

func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	uri := serve(t, func(http.ResponseWriter, *http.Request) {
		cancel()
		<-release
	})
	t.Cleanup(func() { close(release) })
	h, _ := newHooks(t, PointSendSMS, Target{URI: uri})
	err := h.Invoke(ctx, PointSendSMS, 1, nil)
	require.ErrorIs(t, err, context.Canceled)
	require.NotErrorIs(t, err, ErrTimeout)
}

func TestHTTPRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the payload went elsewhere") })
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
	})
	h, _ := newHooks(t, PointSendSMS, Target{URI: uri})
	err := h.Invoke(t.Context(), PointSendSMS, 1, nil)
	require.EqualError(t, err, "Unexpected status code returned from hook: 307")
}
