package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
)

// The hook points, as payloads name them.
const (
	beforeUserCreated    = "before-user-created"
	afterUserCreated     = "after-user-created"
	passwordVerification = "password-verification"
	mfaVerification      = "mfa-verification"
	sendEmail            = "send-email"
	sendSMS              = "send-sms"
	accessToken          = "customize-access-token"
)

// pointOf is the hook point that a payload is for.
func pointOf(payload map[string]any) string {
	metadata, _ := payload["metadata"].(map[string]any)
	name, _ := metadata["name"].(string)
	return name
}

// hookPoint is the configuration of a hook point.
func hookPoint(c *conf.Config, point string) *conf.HookPoint {
	return map[string]*conf.HookPoint{
		beforeUserCreated: &c.Hook.BeforeUserCreated, afterUserCreated: &c.Hook.AfterUserCreated,
		passwordVerification: &c.Hook.PasswordVerificationAttempt, mfaVerification: &c.Hook.MFAVerificationAttempt,
		sendEmail: &c.Hook.SendEmail, sendSMS: &c.Hook.SendSMS, accessToken: &c.Hook.CustomAccessToken,
	}[point]
}

// at is an option of apitest.New: the hook serves these points.
func (h *httpHook) at(points ...string) func(*conf.Config) {
	return func(c *conf.Config) {
		for _, point := range points {
			*hookPoint(c, point) = conf.HookPoint{Enabled: true, URI: h.url, Secrets: []string{hookSecret}}
		}
	}
}

// functionAt is an option of apitest.New: a function public.hook serves a point.
func functionAt(point string) func(*conf.Config) {
	return func(c *conf.Config) {
		*hookPoint(c, point) = conf.HookPoint{Enabled: true, URI: "pg-functions://postgres/public/hook"}
	}
}

// on sets how the hook replies at a point from now on; nil agrees.
func (h *httpHook) on(point string, reply func(payload map[string]any) (int, any)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.replies == nil {
		h.replies = map[string]func(map[string]any) (int, any){}
	}
	h.replies[point] = reply
}

// says is a reply that is always the same.
func says(status int, body any) func(map[string]any) (int, any) {
	return func(map[string]any) (int, any) { return status, body }
}

// refuses is what a hook says to refuse.
func refuses(status int, message string) func(map[string]any) (int, any) {
	return says(http.StatusOK, map[string]any{"error": map[string]any{"http_code": status, "message": message}})
}

// told are the payloads that a point got.
func (h *httpHook) told(point string) []map[string]any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.payloads), func(p map[string]any) bool { return pointOf(p) != point })
}

// lastAt is what a point was told last.
func (h *httpHook) lastAt(point string) map[string]any {
	payloads := h.told(point)
	require.NotEmpty(h.t, payloads, point)
	return payloads[len(payloads)-1]
}

// goldenPayload compares a payload with a file of testdata. What differs from
// run to run is replaced: ids by their order, times, codes, and the pairs given.
func goldenPayload(t testing.TB, name string, payload map[string]any, replacements ...string) {
	t.Helper()
	raw, err := json.MarshalIndent(payload, "", "  ")
	require.NoError(t, err)
	got := strings.NewReplacer(replacements...).Replace(string(raw))
	ids := map[string]string{}
	got = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`).ReplaceAllStringFunc(got, func(id string) string {
		if ids[id] == "" {
			ids[id] = "ID-" + strconv.Itoa(len(ids)+1)
		}
		return ids[id]
	})
	for pattern, placeholder := range map[string]string{
		`"20\d\d-\d\d-\d\dT[0-9:.]+Z"`: `"TIME"`, `\b1[789]\d{8}\b`: `"UNIX"`,
		`"\d{6}"`: `"OTP"`, `"[0-9a-f]{56}"`: `"HASH"`, `"pkce_[0-9a-f]{56}"`: `"pkce_HASH"`,
	} {
		got = regexp.MustCompile(pattern).ReplaceAllString(got, placeholder)
	}
	path := filepath.Join("testdata", "hook_"+name+".golden.json")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got+"\n"), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "make golden writes it")
	require.Equal(t, string(want), got+"\n")
}
