package oauthserver

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
)

// metadata describes the server to clients (RFC 8414 §2, OpenID Connect
// Discovery §3). What it promises is what the handlers do.
type metadata struct {
	Issuer                            string   `json:"issuer"`
	AuthorizationEndpoint             string   `json:"authorization_endpoint"`
	TokenEndpoint                     string   `json:"token_endpoint"`
	RevocationEndpoint                string   `json:"revocation_endpoint,omitempty"`    // RFC 7009
	IntrospectionEndpoint             string   `json:"introspection_endpoint,omitempty"` // RFC 7662
	JWKSURI                           string   `json:"jwks_uri"`
	UserInfoEndpoint                  string   `json:"userinfo_endpoint"`
	RegistrationEndpoint              string   `json:"registration_endpoint,omitempty"`
	ScopesSupported                   []string `json:"scopes_supported"`
	ResponseTypesSupported            []string `json:"response_types_supported"`
	ResponseModesSupported            []string `json:"response_modes_supported"`
	GrantTypesSupported               []string `json:"grant_types_supported"`
	SubjectTypesSupported             []string `json:"subject_types_supported"`
	IDTokenSigningAlgValuesSupported  []string `json:"id_token_signing_alg_values_supported"`
	TokenEndpointAuthMethodsSupported []string `json:"token_endpoint_auth_methods_supported"`
	RevocationAuthMethodsSupported    []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	IntrospectionAuthMethodsSupported []string `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	ClaimsSupported                   []string `json:"claims_supported"`
	ACRValuesSupported                []string `json:"acr_values_supported"`
	PromptValuesSupported             []string `json:"prompt_values_supported"`
	CodeChallengeMethodsSupported     []string `json:"code_challenge_methods_supported"`
	IssParameterSupported             bool     `json:"authorization_response_iss_parameter_supported"` // RFC 9207 §3
	RequestParameterSupported         bool     `json:"request_parameter_supported"`
	RequestURIParameterSupported      bool     `json:"request_uri_parameter_supported"`
	ClaimsParameterSupported          bool     `json:"claims_parameter_supported"`
}

// renderMetadata renders the document once for the configuration.
func (s *Server) renderMetadata() ([]byte, error) {
	base := strings.TrimRight(s.issuer, "/")
	m := metadata{
		Issuer:                s.issuer,
		AuthorizationEndpoint: base + AuthorizePath,
		TokenEndpoint:         base + "/oauth/token",
		JWKSURI:               base + "/.well-known/jwks.json",
		UserInfoEndpoint:      base + "/oauth/userinfo",
		ScopesSupported:       s.supportedScopes(),

		ResponseTypesSupported: []string{oauth.ResponseTypeCode},
		ResponseModesSupported: []string{"query"},
		GrantTypesSupported:    []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken},
		SubjectTypesSupported:  []string{"public"},

		IDTokenSigningAlgValuesSupported:  append([]string{}, s.Keys.PublicAlgs()...),
		TokenEndpointAuthMethodsSupported: []string{oauth.AuthBasic, oauth.AuthPost, oauth.AuthNone},
		ClaimsSupported: []string{
			"sub", "aud", "iss", "exp", "iat", "auth_time", "acr", "amr", "nonce", "email", "email_verified", "phone_number",
			"phone_number_verified", "name", "given_name", "family_name", "nickname", "preferred_username",
			"picture", "profile", "website", "locale", "zoneinfo", "updated_at",
		},
		ACRValuesSupported:            []string{models.AAL1, models.AAL2},
		PromptValuesSupported:         oauth.Prompts(),
		CodeChallengeMethodsSupported: []string{"S256"},
		IssParameterSupported:         true,
	}
	if s.cfg.Enabled {
		m.RevocationEndpoint, m.IntrospectionEndpoint = base+"/oauth/revoke", base+"/oauth/introspect"
		m.RevocationAuthMethodsSupported = m.TokenEndpointAuthMethodsSupported
		m.IntrospectionAuthMethodsSupported = []string{oauth.AuthBasic, oauth.AuthPost}
	}
	if s.cfg.Enabled && s.cfg.AllowDynamicRegistration {
		m.RegistrationEndpoint = base + "/oauth/clients/register"
	}
	if s.cfg.AllowPlainPKCE {
		m.CodeChallengeMethodsSupported = append(m.CodeChallengeMethodsSupported, "plain")
	}
	return json.Marshal(m)
}

// supportedScopes are the scopes that a request can be granted. Without a key
// that clients can verify with there are no ID tokens, and so no openid.
func (s *Server) supportedScopes() oauth.Scope {
	scopes := oauth.SupportedScopes()
	if !s.Tokens.CanSignIDTokens() {
		scopes = scopes.Without(oauth.Scope{oauth.ScopeOpenID})
	}
	return scopes
}

// GET /.well-known/openid-configuration, /.well-known/oauth-authorization-server
func (s *Server) discovery(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=600")
	_, _ = w.Write(s.metadata)
	return nil
}

// discoveryAtPath serves the well-known URI with the issuer's path behind it
// (RFC 8414 §3.1), for issuers such as https://project.example/auth/v1.
func (s *Server) discoveryAtPath(w http.ResponseWriter, r *http.Request) error {
	issuer, err := url.Parse(s.issuer)
	if err != nil || strings.Trim(issuer.Path, "/") == "" || strings.Trim(chi.URLParam(r, "*"), "/") != strings.Trim(issuer.Path, "/") {
		http.NotFound(w, r)
		return nil
	}
	return s.discovery(w, r)
}
