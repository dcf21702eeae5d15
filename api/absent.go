package api

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/conf"
)

// Codes of features that this server does not have.
const (
	codePasskeyDisabled  apierror.Code = "passkey_disabled"
	codeProviderDisabled apierror.Code = "provider_disabled"
	codeSAMLDisabled     apierror.Code = "saml_provider_disabled"
	codeWeb3Disabled     apierror.Code = "web3_provider_disabled"
)

// absentRoutes answer for features that this server does not have as GoTrue
// does where they are off, so that SDKs see an error they know.
func (s *Server) absentRoutes(r chi.Router) {
	for path, method := range map[string]string{
		"/sso": http.MethodPost, "/sso/saml/metadata": http.MethodGet, "/sso/saml/acs": http.MethodPost,
	} {
		s.both(r, method, path, s.kit.Open(absent(http.StatusNotFound, codeSAMLDisabled, "SAML 2.0 is disabled")))
	}
	passkeys := s.kit.Open(absent(http.StatusNotFound, codePasskeyDisabled, "Passkeys are disabled"))
	r.HandleFunc("/passkeys", passkeys)
	r.HandleFunc("/passkeys/*", passkeys)
	s.both(r, http.MethodGet, "/authorize", s.kit.Open(s.authorizeAtProvider))
}

func absent(status int, code apierror.Code, message string) web.Handler {
	return func(http.ResponseWriter, *http.Request) error { return apierror.New(status, code, message) }
}

// GET /authorize would send the user to an external provider.
func (s *Server) authorizeAtProvider(_ http.ResponseWriter, r *http.Request) error {
	name := strings.ToLower(r.URL.Query().Get("provider"))
	if !slices.Contains(conf.ProviderNames(), name) {
		return apierror.Validation("Unsupported provider: Provider " + name + " could not be found")
	}
	return apierror.Validation("Unsupported provider: provider is not enabled")
}

// grantWeb3 would sign a wallet's owner in.
func (s *Server) grantWeb3(http.ResponseWriter, *http.Request) error {
	return apierror.New(http.StatusUnprocessableEntity, codeWeb3Disabled, "Web3 provider is disabled")
}

type idTokenGrant struct {
	IDToken  string `json:"id_token"`
	Provider string `json:"provider"`
	ClientID string `json:"client_id"`
	Issuer   string `json:"issuer"`
}

// grantIDToken would sign in with the ID token of an external provider.
func (s *Server) grantIDToken(w http.ResponseWriter, r *http.Request) error {
	in, err := web.Decode[idTokenGrant](r)
	switch {
	case err != nil:
		return err
	case in.IDToken == "":
		return oauthStyle(w, r, "invalid request", "id_token required")
	case in.Provider == "" && (in.ClientID == "" || in.Issuer == ""):
		return oauthStyle(w, r, "invalid request", "provider or client_id and issuer required")
	case !slices.Contains(conf.ProviderNames(), in.Provider):
		return apierror.Validation(fmt.Sprintf("Custom OIDC provider %q not allowed", in.Provider))
	}
	return apierror.New(http.StatusBadRequest, codeProviderDisabled, fmt.Sprintf("Provider %q is not enabled", in.Provider))
}

// oauthStyle writes an error of the grants that GoTrue answers in OAuth's form,
// whatever version of the API is asked for.
func oauthStyle(w http.ResponseWriter, r *http.Request, code, description string) error {
	apierror.Versioned(w, r)
	return web.JSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": description})
}
