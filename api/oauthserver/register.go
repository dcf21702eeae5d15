package oauthserver

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
)

// registrationView is a client as it learns of its own registration (RFC 7591
// §3.2.1).
type registrationView struct {
	clientView
	ClientIDIssuedAt int64 `json:"client_id_issued_at"`
	// ClientSecretExpiresAt is required beside a secret; 0 means never.
	ClientSecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"`
}

// POST /oauth/clients/register (RFC 7591 §3)
func (s *Server) register(w http.ResponseWriter, r *http.Request) error {
	if !s.cfg.AllowDynamicRegistration {
		return apierror.New(http.StatusForbidden, apierror.OAuthDynamicRegistrationDisabled,
			"Dynamic client registration is not enabled")
	}
	key := s.ClientIP.Key(r, s.Config.RateLimit.Header)
	if err := web.Admit(r, s.RegisterLimit, key, s.Kit.Time(r)); err != nil {
		return err
	}
	web.NoStore(w) // RFC 7591 §3.2.1: the answer holds the secret
	metadata, err := readMetadata(r)
	if err != nil {
		return s.fail(w, r, err)
	}
	client, clientSecret, err := s.newClient(metadata, models.RegistrationDynamic, s.Kit.Time(r))
	if err != nil {
		return s.fail(w, r, err)
	}
	if err := models.InsertOAuthClient(s.DB.Conn(r.Context()), client); err != nil {
		return s.fail(w, r, fmt.Errorf("insert client: %w", err))
	}
	view := registrationView{clientView: newClientView(client, clientSecret), ClientIDIssuedAt: client.CreatedAt.Unix()}
	if clientSecret != "" {
		never := int64(0)
		view.ClientSecretExpiresAt = &never
	}
	return web.JSON(w, http.StatusCreated, view)
}

// readMetadata reads and completes the metadata of a registration.
func readMetadata(r *http.Request) (oauth.ClientMetadata, error) {
	var metadata oauth.ClientMetadata
	body, err := web.Body(r)
	if err != nil {
		return metadata, err
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return metadata, oauth.InvalidClientMetadata("the request body is not a JSON object of client metadata")
	}
	normalized, problem := metadata.Normalize()
	switch {
	case problem == nil:
		return normalized, nil
	case problem.Field == "redirect_uris": // RFC 7591 §3.2.2
		return metadata, oauth.InvalidRedirectURI(problem.Message)
	}
	return metadata, oauth.InvalidClientMetadata(problem.Message)
}
