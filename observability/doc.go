// Package observability tells operators what the server does: the logger, the
// event of each request, and the tracer that counts statements.
package observability
