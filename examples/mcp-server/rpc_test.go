package mcpserver_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	mcpserver "github.com/truegrant/truegrant/examples/mcp-server"
)

func TestMessages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := mcpserver.New(b.config)
	token := "Bearer " + b.issuer.Sign(t, "at+jwt", b.claims(nil))
	tests := []struct {
		name, body string
		status     int
		answer     string // exact JSON, or a part if it does not start with "{"
	}{
		{"initialize", `{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-06-18"}}`,
			200, `{"jsonrpc":"2.0","id":"a","result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},
			"serverInfo":{"name":"truegrant-example","version":"1.0.0"}}}`},
		{"initialize with an unknown version",
			`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999-01-01"}}`,
			200, `"protocolVersion":"2025-11-25"`},
		{"initialize without version", `{"jsonrpc":"2.0","id":1,"method":"initialize"}`, 200, `-32602`},
		{"ping", `{"jsonrpc":"2.0","id":0,"method":"ping"}`, 200, `{"jsonrpc":"2.0","id":0,"result":{}}`},
		{"tools", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, 200, `"name":"whoami"`},
		{"unknown tool", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm"}}`, 200,
			`{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"unknown tool"}}`},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"x"}`, 200, `-32601`},
		{"notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, 202, ``},
		{"response", `{"jsonrpc":"2.0","id":1,"result":{}}`, 202, ``},
		{"not JSON", `{`, 400, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"the body is not one JSON-RPC message"}}`},
		{"batch", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, 400, `-32600`},
		{"no version", `{"id":1,"method":"ping"}`, 400, `-32600`},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, 400, `-32600`},
		{"id object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, 400, `-32600`},
		{"too large", `"` + strings.Repeat("a", 1<<20) + `"`, 413, `too large`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := post(t, h, tt.body, "Authorization", token)
			require.Equal(t, tt.status, w.Code, w.Body)
			switch {
			case tt.answer == "":
				require.Empty(t, w.Body.String())
			case strings.HasPrefix(tt.answer, "{"):
				require.JSONEq(t, tt.answer, w.Body.String())
			default:
				require.Contains(t, w.Body.String(), tt.answer)
			}
		})
	}
}

func TestTransport(t *testing.T) {
	t.Parallel()
	b := setup(t)
	h := mcpserver.New(b.config)
	token := "Bearer " + b.issuer.Sign(t, "at+jwt", b.claims(nil))
	tests := []struct {
		name, header, value string
		status              int
	}{
		{"own origin", "Origin", "https://mcp.example", 200},
		{"another origin", "Origin", "https://attacker.example", 403},
		{"known version", "MCP-Protocol-Version", "2025-11-25", 200},
		{"unknown version", "MCP-Protocol-Version", "1999-01-01", 400},
		{"charset", "Content-Type", "application/json; charset=utf-8", 200},
		{"form", "Content-Type", "application/x-www-form-urlencoded", 415},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.status, post(t, h, whoami, "Authorization", token, tt.header, tt.value).Code)
		})
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		r := httptest.NewRequestWithContext(t.Context(), method, resource, nil)
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
		require.Equal(t, http.MethodPost, w.Header().Get("Allow"))
	}
}

// FuzzMessage: whatever a client sends, the answer is empty or one JSON-RPC
// response with a result or an error.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{whoami, "", "null", "[]", "{", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		status, answer := mcpserver.Handle(body)
		if answer == nil {
			require.Equal(t, http.StatusAccepted, status)
			return
		}
		encoded, err := json.Marshal(answer)
		require.NoError(t, err)
		var m map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(encoded, &m))
		require.Equal(t, `"2.0"`, string(m["jsonrpc"]))
		require.Contains(t, m, "id")
		require.NotEqual(t, m["result"] == nil, m["error"] == nil)
	})
}
