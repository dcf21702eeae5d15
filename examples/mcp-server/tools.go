package mcpserver

import (
	"encoding/json"
	"slices"
)

type object = map[string]any

// call runs the method of a request.
func call(m message, who caller) (any, *rpcError) {
	switch m.Method {
	case "initialize":
		return initialize(m.Params)
	case "ping":
		return object{}, nil
	case "tools/list":
		return object{"tools": []object{whoamiTool()}}, nil
	case "tools/call":
		return callTool(m.Params, who)
	}
	return nil, &rpcError{methodNotFound, "unknown method"}
}

// initialize agrees on a protocol version: the client's if it is spoken here,
// else the newest one, which the client may decline.
func initialize(params json.RawMessage) (any, *rpcError) {
	var in struct {
		Version string `json:"protocolVersion"`
	}
	if err := json.Unmarshal(params, &in); err != nil || in.Version == "" {
		return nil, &rpcError{invalidParams, "protocolVersion is required"}
	}
	version := protocolVersions()[0]
	if slices.Contains(protocolVersions(), in.Version) {
		version = in.Version
	}
	return object{
		"protocolVersion": version,
		"capabilities":    object{"tools": object{}},
		"serverInfo":      object{"name": "truegrant-example", "version": "1.0.0"},
	}, nil
}

func whoamiTool() object {
	text := object{"type": "string"}
	return object{
		"name":        "whoami",
		"title":       "Who am I?",
		"description": "Tells which user you act for, as which client, and with which scopes.",
		"inputSchema": object{"type": "object", "properties": object{}, "additionalProperties": false},
		"outputSchema": object{
			"type":       "object",
			"properties": object{"sub": text, "client_id": text, "scope": text, "email": text},
			"required":   []string{"sub", "client_id", "scope"},
		},
		"annotations": object{"readOnlyHint": true},
	}
}

func callTool(params json.RawMessage, who caller) (any, *rpcError) {
	var in struct {
		Name string `json:"name"`
	}
	if err := json.Unmarshal(params, &in); err != nil || in.Name != "whoami" {
		return nil, &rpcError{invalidParams, "unknown tool"}
	}
	text, _ := json.Marshal(who) // strings always encode
	return object{
		"content":           []object{{"type": "text", "text": string(text)}},
		"structuredContent": who,
	}, nil
}
