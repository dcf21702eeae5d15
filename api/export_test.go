package api

import "github.com/go-chi/chi/v5"

// RoutesOf is the route table of a server, for the test of its description.
func RoutesOf(s *Server) chi.Routes { return s.handler.(chi.Routes) }
