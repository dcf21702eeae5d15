// Package mcpserver is a small server of the Model Context Protocol (MCP) whose
// users log in with Truegrant. It has one tool, whoami.
//
// It shows what a protected resource has to do: say who may issue tokens for it
// (RFC 9728), point to that document when it refuses a request (RFC 9728 §5.1,
// RFC 6750 §3), and accept access tokens only, from that issuer only, by the
// issuer's published keys.
//
// The transport is MCP's Streamable HTTP in its stateless form: each POST gets
// one JSON answer, there are no sessions and no event streams.
package mcpserver
