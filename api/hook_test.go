package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

const hookSecret = "v1,whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr"

// httpHook serves all hooks. It verifies signatures and answers as the test
// says: with the claims as they came, until reply is set.
type httpHook struct {
	t      *testing.T
	url    string
	verify *standardwebhooks.Webhook

	mu       sync.Mutex
	payloads []map[string]any
	reply    func(claims map[string]any) (status int, body any)
	// replies are those of single points, by the name in the metadata.
	replies map[string]func(payload map[string]any) (status int, body any)
}

func newHTTPHook(t *testing.T) *httpHook {
	t.Helper()
	verify, err := standardwebhooks.NewWebhook(strings.TrimPrefix(hookSecret, "v1,"))
	require.NoError(t, err)
	h := &httpHook{t: t, verify: verify}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// configure is an option of apitest.New.
func (h *httpHook) configure(c *conf.Config) {
	c.Hook.CustomAccessToken = conf.HookPoint{Enabled: true, URI: h.url, Secrets: []string{hookSecret}}
}

func (h *httpHook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	if err := h.verify.Verify(raw, r.Header); err != nil {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var payload map[string]any
	_ = json.Unmarshal(raw, &payload)
	h.mu.Lock()
	h.payloads = append(h.payloads, payload)
	reply, replyHere := h.reply, h.replies[pointOf(payload)]
	h.mu.Unlock()
	claims, _ := payload["claims"].(map[string]any)
	status, body := http.StatusOK, any(map[string]any{"claims": claims})
	switch {
	case replyHere != nil:
		status, body = replyHere(payload)
	case reply != nil:
		status, body = reply(claims)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// answer sets how the hook replies from now on.
func (h *httpHook) answer(reply func(claims map[string]any) (int, any)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reply = reply
}

// change lets the hook agree, with changed claims.
func (h *httpHook) change(edit func(claims map[string]any)) {
	h.answer(func(claims map[string]any) (int, any) {
		edit(claims)
		return http.StatusOK, map[string]any{"claims": claims}
	})
}

// last is what the hook was told last.
func (h *httpHook) last() map[string]any {
	h.mu.Lock()
	defer h.mu.Unlock()
	require.NotEmpty(h.t, h.payloads)
	return h.payloads[len(h.payloads)-1]
}

func TestAccessTokenHook(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, hook.configure)
	hook.change(func(claims map[string]any) {
		claims["role"], claims["tenant"] = "tenant_admin", map[string]any{"id": 9007199254740993.0}
		delete(claims, "amr")
	})
	user := app.User(t)
	seen := hook.last()
	require.Equal(t, user.ID, seen["user_id"])
	require.Equal(t, "password", seen["authentication_method"])
	require.NotContains(t, seen, "oauth", "a token of the project's own app")
	require.Equal(t, "customize-access-token", seen["metadata"].(map[string]any)["name"])
	claims := apitest.Claims(t, user.AccessToken)
	require.Equal(t, "tenant_admin", claims["role"])
	require.Equal(t, user.ID, claims["sub"])
	require.NotContains(t, claims, "amr")
	require.Contains(t, claims, "tenant")
	app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()

	app.Refresh(user.RefreshToken).OK()
	require.Equal(t, "token_refresh", hook.last()["authentication_method"])
	app.SignIn(t, user.Email)
	require.Equal(t, "password", hook.last()["authentication_method"])
}

// A hook sees which client gets what by which grant, and cannot take from a
// client's token what ties it to its grant.
func TestAccessTokenHookForClients(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, hook.configure)
	user, stranger, client := app.User(t), app.User(t), app.Client(t)
	hook.change(func(claims map[string]any) {
		delete(claims, "client_id")
		claims["session_id"], claims["sub"], claims["scope"] = stranger.SessionID, stranger.ID, "everything"
		claims["aud"] = []any{"https://api.test"}
	})
	grant := app.Grant(t, user, client)
	check := func(token, grantType string) {
		require.Equal(t, map[string]any{
			"client_id": client.ID, "scopes": []any{"openid", "email"}, "grant_type": grantType,
		}, hook.last()["oauth"])
		claims := apitest.Claims(t, token)
		require.Equal(t, client.ID, claims["client_id"])
		require.Equal(t, user.ID, claims["sub"])
		require.Equal(t, grant.SessionID, claims["session_id"])
		require.Equal(t, []any{"https://api.test"}, claims["aud"])
		app.Do(http.MethodPost, "/logout", nil, apitest.Bearer(token)).Refused(http.StatusForbidden, "no_authorization")
	}
	check(grant.AccessToken, "authorization_code")
	check(app.RefreshGrant(client, grant.RefreshToken).OK()["access_token"].(string), "refresh_token")
}

// hookRefusals are answers of a hook with what callers of both faces get.
func hookRefusals() []struct {
	name           string
	reply          func(map[string]any) (int, any)
	status         int
	code, message  string
	oauth          int
	oauthErrorCode string
} {
	text := func(status int, body any) func(map[string]any) (int, any) {
		return func(map[string]any) (int, any) { return status, body }
	}
	rejection := func(status int, message string) any {
		return map[string]any{"error": map[string]any{"http_code": status, "message": message}}
	}
	without := func(name string) func(map[string]any) (int, any) {
		return func(claims map[string]any) (int, any) {
			delete(claims, name)
			return http.StatusOK, map[string]any{"claims": claims}
		}
	}
	const schema = "output claims do not conform to the expected schema: "
	type row = struct {
		name           string
		reply          func(map[string]any) (int, any)
		status         int
		code, message  string
		oauth          int
		oauthErrorCode string
	}
	return []row{
		{"rejects", text(200, rejection(403, "not you")), 403, "unknown", "not you", 400, "invalid_grant"},
		{"rejects without status", text(200, rejection(0, "not you")), 500, "unexpected_failure", "not you", 500, "server_error"},
		{"rejects oddly", text(200, rejection(200, "not you")), 500, "unexpected_failure", "not you", 500, "server_error"},
		{"no claims", text(200, map[string]any{}), 500, "unexpected_failure", "output claims field is missing", 500, "server_error"},
		{"claims missing", without("exp"), 500, "unexpected_failure", schema, 500, "server_error"},
		{"400", text(400, nil), 500, "unexpected_failure", "Invalid payload sent to hook", 500, "server_error"},
		{"401", text(401, nil), 500, "unexpected_failure", "Hook requires authorization token", 500, "server_error"},
		{"500", text(500, nil), 500, "unexpected_failure", "Unexpected status code returned from hook: 500", 500, "server_error"},
		{"503", text(503, nil), 500, "unexpected_failure", "Service currently unavailable due to hook", 500, "server_error"},
		{
			"too large", text(200, strings.Repeat("x", 201*1024)), 422, "hook_payload_over_size_limit",
			"Payload size exceeded size limit of 204800 bytes", 500, "server_error",
		},
	}
}

// A hook that refuses, or fails, leaves nothing behind: no session, no spent
// code, no new generation. Only who signed up has an account, as with GoTrue.
func TestAccessTokenHookRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range hookRefusals() {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			hook := newHTTPHook(t)
			app := apitest.New(t, hook.configure, func(c *conf.Config) { c.External.AnonymousUsersEnabled = true })
			user, client := app.User(t), app.Client(t)
			grant := app.Grant(t, user, client)
			request := app.Authorize(t, client)
			code := app.Approve(t, user, request)
			before := app.Snapshot()
			hook.answer(test.reply)
			require.Equal(t, "Database error creating anonymous user", app.Do(http.MethodPost, "/signup", "{}").
				Refused(http.StatusInternalServerError, "unexpected_failure"))
			for _, got := range []*apitest.Response{
				login(app, signUp(user.Email, nil)),
				app.Refresh(user.RefreshToken),
			} {
				require.Contains(t, got.Refused(test.status, test.code), test.message)
			}
			app.RefreshGrant(client, grant.RefreshToken).RefusedOAuth(test.oauth, test.oauthErrorCode)
			app.Redeem(request, code).RefusedOAuth(test.oauth, test.oauthErrorCode)
			require.Equal(t, before, app.Snapshot())

			email := apitest.NewEmail()
			got := app.Do(http.MethodPost, "/signup", signUp(email, nil))
			require.Contains(t, got.Refused(test.status, test.code), test.message)
			require.Equal(t, before["sessions"], app.Snapshot()["sessions"])
			require.Empty(t, got.Header.Get("Sb-Auth-User-Id"))

			hook.answer(nil)
			login(app, signUp(email, nil)).OK()
			app.Redeem(request, code).OK()
			app.RefreshGrant(client, grant.RefreshToken).OK()
			refreshed(t, app, user.RefreshToken)
		})
	}
}

// The hook runs once a token, before anything is written, and never while a
// transaction is open: 16 callers share a pool of two connections.
func TestAccessTokenHookHoldsNoConnection(t *testing.T) {
	t.Parallel()
	hook := newHTTPHook(t)
	app := apitest.New(t, hook.configure, func(c *conf.Config) { c.DB.MaxPoolSize = 2 })
	user := app.User(t)
	gate := make(chan struct{})
	hook.answer(nil)
	blocking := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		<-gate
		hook.ServeHTTP(w, r)
	}))
	t.Cleanup(blocking.Close)
	app.Config.Hook.CustomAccessToken.URI = blocking.URL
	slow := app.Replica(t)
	waiting := make(chan *apitest.Response, 8)
	for range 8 {
		go func() { waiting <- slow.Refresh(user.RefreshToken) }()
	}
	for range 8 {
		slow.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	}
	close(gate)
	for range 8 {
		(<-waiting).OK()
	}
}

func TestAccessTokenHookFunction(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, func(c *conf.Config) {
		c.Hook.CustomAccessToken = conf.HookPoint{Enabled: true, URI: "pg-functions://postgres/public/token_hook"}
	})
	function := func(body string) {
		app.Exec(`create or replace function public.token_hook(event jsonb) returns jsonb language plpgsql as $$ ` + body + ` $$`)
	}
	function(`begin return jsonb_set(event, '{claims,client}', coalesce(event->'oauth', '"none"')) - 'oauth'; end`)
	user, client := app.User(t), app.Client(t)
	require.Equal(t, "none", apitest.Claims(t, user.AccessToken)["client"])
	grant := app.Grant(t, user, client, func(p url.Values) { p.Set("scope", "email") })
	require.Equal(t, map[string]any{"client_id": client.ID, "scopes": []any{"email"}, "grant_type": "authorization_code"},
		apitest.Claims(t, grant.AccessToken)["client"])

	before := app.Snapshot()
	refused := func(status int, code, message string, oauthStatus int, oauthCode string) {
		t.Helper()
		require.Contains(t, app.Refresh(user.RefreshToken).Refused(status, code), message)
		app.RefreshGrant(client, grant.RefreshToken).RefusedOAuth(oauthStatus, oauthCode)
	}
	function(`begin return jsonb_build_object('error', jsonb_build_object('http_code', 429, 'message', 'slow down')); end`)
	refused(429, "unknown", "slow down", 400, "invalid_grant")
	function(`begin perform 1/0; return event; end`)
	refused(500, "unexpected_failure", "Error running hook URI: pg-functions://postgres/public/token_hook", 500, "server_error")
	function(`begin perform pg_sleep(60); return event; end`)
	refused(500, "unexpected_failure", "Error running hook URI", 500, "server_error")
	function(`begin return null; end`)
	refused(500, "unexpected_failure", "output claims field is missing", 500, "server_error")

	function(`begin raise exception 'not on sundays' using errcode = 'PT444'; end`)
	got := app.Refresh(user.RefreshToken)
	require.Equal(t, 444, got.Status)
	require.Equal(t, "not on sundays", got.JSON()["message"])
	app.RefreshGrant(client, grant.RefreshToken).RefusedOAuth(http.StatusInternalServerError, "server_error")
	require.Equal(t, before, app.Snapshot())
}
