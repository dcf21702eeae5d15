package hooks

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTargets(t *testing.T) {
	t.Parallel()
	secret := "v1,whsec_" + strings.Repeat("A", 32)
	tests := []struct {
		name    string
		target  Target
		problem string
	}{
		{"nothing", Target{}, ""},
		{"https", Target{URI: "https://hooks.example.com/x", Secrets: []string{secret}}, ""},
		{"function with a secret for others", Target{URI: "pg-functions://postgres/public/f", Secrets: []string{"x"}}, ""},
		{"http on this machine", Target{URI: "http://localhost:8080/x"}, ""},
		{"http on ::1", Target{URI: "http://[::1]:8080/x"}, ""},
		{"http from a container", Target{URI: "http://host.docker.internal/x"}, ""},
		{"function", Target{URI: "pg-functions://postgres/public/my_hook_2"}, ""},
		{"http elsewhere", Target{URI: "http://hooks.example.com/x"}, "only localhost, 127.0.0.1, and ::1 are supported with http"},
		{"http to a look-alike", Target{URI: "http://localhost.example.com/x"}, "only localhost, 127.0.0.1, and ::1 are supported with http"},
		{"other scheme", Target{URI: "ftp://localhost/x"}, "only postgres hooks and HTTPS functions are supported at the moment"},
		{"no host", Target{URI: "https:///x"}, "only postgres hooks and HTTPS functions are supported at the moment"},
		{"malformed", Target{URI: "https://%zz"}, "URI is malformed"},
		{"function without schema", Target{URI: "pg-functions://postgres/hook"}, "URI path does not contain enough parts"},
		{"bad schema", Target{URI: "pg-functions://postgres/1auth/hook"}, "invalid schema name: 1auth"},
		{"bad function", Target{URI: "pg-functions://postgres/auth/drop-x"}, "invalid table name: drop-x"},
		{"long function", Target{URI: "pg-functions://postgres/auth/" + strings.Repeat("a", 64)}, "invalid table name: " + strings.Repeat("a", 64)},
		{"secret without version", Target{URI: "https://h.example.com", Secrets: []string{"whsec_AAAA"}}, "invalid secret format"},
		{"secret not base64", Target{URI: "https://h.example.com", Secrets: []string{"v1,whsec_!!!!"}}, "invalid secret format"},
		{"empty secret", Target{URI: "https://h.example.com", Secrets: []string{"v1,whsec_"}}, "invalid secret format"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h, err := New(Config{
				Targets:  map[Point]Target{PointSendSMS: tt.target},
				Database: new(database),
				Now:      testNow,
				Random:   rand.Reader,
			})
			if tt.problem != "" {
				require.EqualError(t, err, "hook send-sms: "+tt.problem)
				return
			}
			require.NoError(t, err)
			require.False(t, h.Enabled(PointSendSMS), "checked, but not switched on")
			require.ErrorIs(t, h.Invoke(t.Context(), PointSendSMS, 1, nil), ErrDisabled)
		})
	}
}

func TestNewReportsAllProblems(t *testing.T) {
	t.Parallel()
	_, err := New(Config{Targets: map[Point]Target{
		PointSendSMS:   {URI: "ftp://x"},
		PointSendEmail: {URI: "pg-functions://x/a/b"},
	}})
	require.ErrorContains(t, err, "hook send-sms: only postgres hooks")
	require.ErrorContains(t, err, "hook send-email: a function needs a database")
}

func TestEnabledWithoutURI(t *testing.T) {
	t.Parallel()
	h, _ := newHooks(t, PointSendSMS, Target{})
	require.True(t, h.Enabled(PointSendSMS))
	require.ErrorIs(t, h.Invoke(t.Context(), PointSendSMS, 1, nil), ErrNoAddress)
}

func TestInputThatIsNoJSON(t *testing.T) {
	t.Parallel()
	h, _ := newHooks(t, PointSendSMS, Target{URI: "https://unused.example.com"})
	err := h.Invoke(t.Context(), PointSendSMS, func() {}, nil)
	require.ErrorIs(t, err, ErrMarshal)
	require.EqualError(t, err, "Error marshaling JSON input.")
}

func TestFunctions(t *testing.T) {
	t.Parallel()
	broken := errors.New("function does not exist")
	type reply struct{ Decision string }
	tests := []struct {
		name  string
		reply string
		isNil bool
		err   error
		want  string
		kind  error
	}{
		{name: "output", reply: `{"decision":"reject"}`, want: "reject"},
		{name: "NULL", isNil: true, want: "untouched"},
		{name: "void", reply: "", want: "untouched"},
		{name: "JSON null", reply: "null", want: "untouched"},
		{name: "no JSON", reply: "(1,2)", kind: ErrBadReply},
		{name: "too large", reply: `"` + strings.Repeat("x", maxReply) + `"`, kind: ErrTooLarge},
		{name: "failure", err: broken, kind: ErrFunction},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			db := &database{reply: []byte(tt.reply), err: tt.err}
			if tt.isNil {
				db.reply = nil
			}
			const uri = "pg-functions://postgres/auth_hooks/check"
			h, _ := newHooks(t, PointPasswordVerification, Target{URI: uri}, func(c *Config) { c.Database = db })

			out := reply{Decision: "untouched"}
			err := h.Invoke(t.Context(), PointPasswordVerification, map[string]any{"valid": true}, &out)
			require.Equal(t, []string{"auth_hooks", "check"}, db.name)
			require.Equal(t, 2*time.Second, db.limit)
			require.JSONEq(t, `{"valid":true}`, string(db.payload))
			if tt.kind != nil {
				require.ErrorIs(t, err, tt.kind)
				if tt.err != nil {
					require.ErrorIs(t, err, tt.err, "the driver's error stays in the chain")
					require.EqualError(t, err, "Error running hook URI: "+uri)
				}
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, out.Decision)
		})
	}
}

// GoTrue lets these functions run as long as the request: five seconds, here.
func TestFunctionLimits(t *testing.T) {
	t.Parallel()
	for point, want := range map[Point]time.Duration{
		PointMFAVerification: 2 * time.Second, PointPasswordVerification: 2 * time.Second,
		PointCustomAccessToken: 2 * time.Second, PointSendEmail: 2 * time.Second,
		PointBeforeUserCreated: 5 * time.Second, PointAfterUserCreated: 5 * time.Second, PointSendSMS: 5 * time.Second,
	} {
		db := &database{reply: []byte(`{}`)}
		h, _ := newHooks(t, point, Target{URI: "pg-functions://x/a/b"}, func(c *Config) { c.Database = db })
		require.NoError(t, h.Invoke(t.Context(), point, 1, nil))
		require.Equal(t, want, db.limit, point)
	}
}

// A database that does not end a call is left alone; the caller's own deadline
// stays the caller's.
func TestFunctionThatHangs(t *testing.T) {
	t.Parallel()
	h, _ := newHooks(t, PointSendSMS, Target{URI: "pg-functions://x/a/b"}, func(c *Config) { c.Database = hangs{} })
	e := h.endpoints[PointSendSMS]

	_, err := h.callFunction(t.Context(), e, nil, -functionGrace)
	require.ErrorIs(t, err, ErrFunction)
	require.NotErrorIs(t, err, context.DeadlineExceeded)

	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = h.callFunction(ctx, e, nil, time.Minute)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorIs(t, err, ErrFunction)
}

// hangs is a database that answers when it is told to stop.
type hangs struct{}

func (hangs) CallFunction(ctx context.Context, _ []string, _ []byte, _ time.Duration) ([]byte, error) {
	<-ctx.Done()
	return nil, fmt.Errorf("call: %w", ctx.Err())
}

func TestRejections(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, reply string
		code        int // 0: not a rejection
		message     string
		bad         bool
	}{
		{name: "status and text", reply: `{"error":{"http_code":403,"message":"Domain not allowed"}}`, code: 403, message: "Domain not allowed"},
		{name: "no status", reply: `{"error":{"message":"no"}}`, code: 500, message: "no"},
		{name: "success is no refusal", reply: `{"error":{"http_code":200,"message":"no"}}`, code: 500, message: "no"},
		{name: "impossible status", reply: `{"error":{"http_code":99999,"message":"no"}}`, code: 500, message: "no"},
		{name: "with other members", reply: `{"decision":"continue","error":{"http_code":429,"message":"slow"}}`, code: 429, message: "slow"},
		{name: "no text", reply: `{"error":{"http_code":403}}`},
		{name: "empty text", reply: `{"error":{"http_code":403,"message":""}}`},
		{name: "null", reply: `{"error":null}`},
		{name: "a string", reply: `{"error":"denied"}`, bad: true},
		{name: "status as text", reply: `{"error":{"http_code":"403","message":"no"}}`, bad: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			uri := serve(t, answer(200, "application/json", tt.reply))
			h, _ := newHooks(t, PointBeforeUserCreated, Target{URI: uri})
			err := h.BeforeUserCreated(t.Context(), map[string]any{}, "")
			switch {
			case tt.bad:
				require.ErrorIs(t, err, ErrBadReply)
			case tt.code == 0:
				require.NoError(t, err)
			default:
				var rejection *Rejection
				require.ErrorAs(t, err, &rejection)
				require.Equal(t, Rejection{HTTPCode: tt.code, Message: tt.message}, *rejection)
				// The message is for the user, and not for logs.
				require.EqualError(t, err, "the hook refused with status "+strconv.Itoa(tt.code))
			}
		})
	}
}

func TestUserCreatedPayload(t *testing.T) {
	t.Parallel()
	bodies := make(chan []byte, 1)
	uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies <- body
		w.WriteHeader(http.StatusNoContent)
	})
	h, _ := newHooks(t, PointAfterUserCreated, Target{URI: uri})
	user := map[string]any{"id": "u1"}
	require.NoError(t, h.BeforeUserCreated(t.Context(), user, ""), "disabled: nothing happens")
	require.NoError(t, h.AfterUserCreated(t.Context(), user, "192.0.2.7"))

	var got struct {
		Metadata map[string]string
		User     map[string]any
	}
	require.NoError(t, json.Unmarshal(<-bodies, &got))
	require.Equal(t, user, got.User)
	require.Len(t, got.Metadata["uuid"], 36)
	delete(got.Metadata, "uuid")
	require.Equal(t, map[string]string{
		"name": "after-user-created", "time": "2030-01-02T03:04:05Z", "ip_address": "192.0.2.7",
	}, got.Metadata)
}
