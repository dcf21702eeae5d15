// Package api is GoTrue's REST API: one file per resource. server.go holds
// what the handlers work with, routes.go says who may call what.
package api
