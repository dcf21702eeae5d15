package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/truegrant/truegrant/api/apierror"
)

// What SCIM calls its messages (RFC 7643 §5, RFC 7644 §3.4.2 and §3.12).
const (
	scimConfigSchema = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
	scimListSchema   = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
	scimErrorSchema  = "urn:ietf:params:scim:api:messages:2.0:Error"
)

// scimRoutes serve what a SCIM client asks first: that nothing is supported, and
// that there are no resources (RFC 7644 §4). GoTrue has no more of it either.
func (s *Server) scimRoutes(r chi.Router) {
	if !s.Config.Experimental.SCIMEnabled {
		r.HandleFunc("/*", s.kit.Open(absent(http.StatusNotFound, apierror.FeatureDisabled, "SCIM server is disabled")))
		return
	}
	r.Get("/ServiceProviderConfig", func(w http.ResponseWriter, _ *http.Request) {
		writeSCIM(w, http.StatusOK, s.scimConfig())
	})
	r.Get("/ResourceTypes", listNothing)
	r.Get("/Schemas", listNothing)
	r.NotFound(func(w http.ResponseWriter, _ *http.Request) {
		failSCIM(w, http.StatusNotFound, "Endpoint or resource does not exist")
	})
	r.MethodNotAllowed(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodGet)
		failSCIM(w, http.StatusMethodNotAllowed, "Method not allowed")
	})
}

func (s *Server) scimConfig() map[string]any {
	unsupported := map[string]any{"supported": false}
	return map[string]any{
		"schemas": []string{scimConfigSchema},
		"patch":   unsupported, "changePassword": unsupported, "sort": unsupported, "etag": unsupported,
		"bulk":   map[string]any{"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
		"filter": map[string]any{"supported": false, "maxResults": 0},
		"authenticationSchemes": []map[string]any{{
			"type": "oauthbearertoken", "name": "OAuth Bearer Token", "primary": true,
			"description": "Authentication scheme using the OAuth Bearer Token Standard",
			"specUri":     "http://www.rfc-editor.org/info/rfc6750",
		}},
		"meta": map[string]any{
			"resourceType": "ServiceProviderConfig", "location": s.Config.API.ExternalURL + "/scim/v2/ServiceProviderConfig",
		},
	}
}

// listNothing answers with an empty list. Filters are refused rather than
// ignored (RFC 7644 §4).
func listNothing(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("filter") {
		failSCIM(w, http.StatusForbidden, "Filtering is not supported on this endpoint")
		return
	}
	writeSCIM(w, http.StatusOK, map[string]any{
		"schemas": []string{scimListSchema}, "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": []any{},
	})
}

func failSCIM(w http.ResponseWriter, status int, detail string) {
	writeSCIM(w, status, map[string]any{
		"schemas": []string{scimErrorSchema}, "detail": detail, "status": strconv.Itoa(status),
	})
}

func writeSCIM(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/scim+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the client is gone
}
