// Package admin answers /admin/*: what a project's own servers, with a
// service-role token, may do to its users.
package admin
