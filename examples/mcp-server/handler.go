package mcpserver

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// metadataPath is registered by RFC 9728 §3.
const metadataPath = "/.well-known/oauth-protected-resource"

// Config describes the resource and who issues tokens for it.
type Config struct {
	// Issuer is the issuer identifier of the authorization server. Its
	// metadata is read at the first request that carries a token.
	Issuer string
	// Resource is the resource identifier: the absolute URL of the MCP
	// endpoint as clients reach it, such as "http://localhost:8087/mcp".
	Resource string
	// Audience is the audience that access tokens must have; set it to
	// Resource if the issuer binds tokens to the resource that was asked for
	// (RFC 8707 §2). Empty means that the audience is not checked: then a
	// token which any client got for any resource of the issuer works here.
	Audience string
	// Scopes is what clients are told to ask for; nil means openid and email.
	Scopes []string
	// HTTPClient makes the requests to the issuer; nil means a client with a
	// time limit of ten seconds.
	HTTPClient *http.Client
	// Now is the clock that tokens are checked against; nil means go-oidc's.
	Now func() time.Time
}

// server is the running resource server.
type server struct {
	tokens    *tokenVerifier
	origin    string // the only Origin that browsers may send
	challenge string // the resource_metadata parameter
	metadata  []byte
}

// New returns the server. It has the routes, at the host of Config.Resource:
//
//	POST <path of Resource>                                      MCP
//	GET  /.well-known/oauth-protected-resource                   RFC 9728 §3
//	GET  /.well-known/oauth-protected-resource<path of Resource>
//
// With a resource that is not an absolute URL without fragment (RFC 9728 §1.2)
// it answers 500.
func New(config Config) http.Handler {
	resource, err := url.Parse(config.Resource)
	if err != nil || resource.Scheme == "" || resource.Host == "" || resource.Fragment != "" {
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "the resource must be an absolute URL without fragment", http.StatusInternalServerError)
		})
	}
	if config.HTTPClient == nil {
		config.HTTPClient = &http.Client{Timeout: 10 * time.Second}
	}
	if config.Scopes == nil {
		config.Scopes = []string{"openid", "email"}
	}
	origin := resource.Scheme + "://" + resource.Host
	inserted := metadataPath + strings.TrimSuffix(resource.Path, "/")
	s := &server{
		tokens:    &tokenVerifier{config: config},
		origin:    origin,
		challenge: `resource_metadata="` + origin + inserted + `"`,
		metadata:  protectedResource(config),
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET "+metadataPath, s.serveMetadata)
	if inserted != metadataPath {
		mux.HandleFunc("GET "+inserted, s.serveMetadata)
	}
	endpoint := resource.Path
	if strings.HasSuffix("/"+endpoint, "/") {
		endpoint = "/" + strings.TrimPrefix(endpoint, "/") + "{$}"
	}
	mux.HandleFunc(endpoint, s.guard(s.receive))
	return mux
}

// protectedResource renders the metadata of RFC 9728 §2.
func protectedResource(config Config) []byte {
	body, _ := json.Marshal(struct { // strings always encode
		Resource             string   `json:"resource"`
		AuthorizationServers []string `json:"authorization_servers"`
		Scopes               []string `json:"scopes_supported"`
		BearerMethods        []string `json:"bearer_methods_supported"`
		Name                 string   `json:"resource_name"`
	}{config.Resource, []string{config.Issuer}, config.Scopes, []string{"header"}, "Truegrant example MCP server"})
	return body
}

// serveMetadata is open to every origin: the document is public, and clients
// that run in a browser read it.
func (s *server) serveMetadata(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.metadata) // the client may be gone
}

// guard lets requests through that carry an access token, and gives the handler
// the caller whom the token names.
func (s *server) guard(next func(http.ResponseWriter, *http.Request, caller)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// The transport asks for this against DNS rebinding.
		if origin := r.Header.Get("Origin"); origin != "" && origin != s.origin {
			http.Error(w, "origin not allowed", http.StatusForbidden)
			return
		}
		raw, ok := bearer(r.Header)
		if !ok {
			s.refuse(w, "") // no error code without a token (RFC 6750 §3.1)
			return
		}
		who, err := s.tokens.verify(r.Context(), raw)
		var unusable tokenError
		switch {
		case errors.As(err, &unusable):
			s.refuse(w, `error="invalid_token", error_description="`+string(unusable)+`", `)
		case err != nil:
			http.Error(w, "the authorization server can not be reached", http.StatusServiceUnavailable)
		default:
			next(w, r, who)
		}
	}
}

// refuse answers 401 and says where to learn how to get a token.
func (s *server) refuse(w http.ResponseWriter, reason string) {
	w.Header().Set("WWW-Authenticate", "Bearer "+reason+s.challenge)
	http.Error(w, "a valid access token is required", http.StatusUnauthorized)
}

// bearer returns the token of the only Authorization header (RFC 6750 §2.1);
// the scheme's case does not matter (RFC 9110 §11.1).
func bearer(header http.Header) (string, bool) {
	values := header.Values("Authorization")
	if len(values) != 1 {
		return "", false
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	return token, strings.EqualFold(scheme, "Bearer") && token != "" && !strings.ContainsAny(token, " \t")
}
