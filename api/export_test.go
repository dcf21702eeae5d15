package api

import (
	"net/http"

	"github.com/go-chi/chi/v5"
)

// RoutesOf is the route table of a server, for the test of its description.
func RoutesOf(h http.Handler) chi.Routes { return h.(*Server).handler.(chi.Routes) }
