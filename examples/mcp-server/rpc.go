package mcpserver

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
)

// maxBody is the largest message that is read, in bytes.
const maxBody = 1 << 20

// Error codes of JSON-RPC 2.0 §5.1.
const (
	parseError     = -32700
	invalidRequest = -32600
	methodNotFound = -32601
	invalidParams  = -32602
)

// message is a JSON-RPC request, notification or response.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// response is the answer to a request; one of Result and Error is set.
type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// protocolVersions are the versions of MCP that are spoken, the newest first.
func protocolVersions() []string {
	return []string{"2025-11-25", "2025-06-18"}
}

// receive handles one POST of the Streamable HTTP transport.
func (s *server) receive(w http.ResponseWriter, r *http.Request, who caller) {
	if r.Method != http.MethodPost {
		// GET would open an event stream, DELETE end a session: there are none.
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		http.Error(w, "the body must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	if v := r.Header.Get("MCP-Protocol-Version"); v != "" && !slices.Contains(protocolVersions(), v) {
		http.Error(w, "unsupported MCP-Protocol-Version", http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the message is too large", http.StatusRequestEntityTooLarge)
		return
	}
	status, answer := handle(body, who)
	if answer == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

// handle answers a message: the HTTP status and the body, nil for none.
func handle(body []byte, who caller) (int, *response) {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		// A batch ends here too; MCP has had none since 2025-06-18.
		code := parseError
		if json.Valid(body) {
			code = invalidRequest
		}
		return http.StatusBadRequest, failure(nil, code, "the body is not one JSON-RPC message")
	}
	switch {
	case m.Version != "2.0" || !validID(m.ID):
		return http.StatusBadRequest, failure(nil, invalidRequest, "the message is not JSON-RPC 2.0")
	case m.ID == nil || m.Method == "": // a notification or a response
		return http.StatusAccepted, nil
	}
	result, problem := call(m, who)
	if problem != nil {
		return http.StatusOK, &response{Version: "2.0", ID: m.ID, Error: problem}
	}
	return http.StatusOK, &response{Version: "2.0", ID: m.ID, Result: result}
}

// validID tells whether an id is absent, a string or a number; MCP excludes null.
func validID(id json.RawMessage) bool {
	return id == nil || bytes.ContainsAny(id[:1], `"-0123456789`)
}

func failure(id json.RawMessage, code int, text string) *response {
	if id == nil {
		id = json.RawMessage("null")
	}
	return &response{Version: "2.0", ID: id, Error: &rpcError{code, text}}
}
