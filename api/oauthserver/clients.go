package oauthserver

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
)

// clientSecretBytes is the entropy of a client secret.
const clientSecretBytes = 32

// clientView is a registered client as its administrator sees it.
type clientView struct {
	ClientID                uuid.UUID `json:"client_id"`
	ClientSecret            string    `json:"client_secret,omitempty"`
	ClientType              string    `json:"client_type"`
	RedirectURIs            []string  `json:"redirect_uris,omitempty"`
	TokenEndpointAuthMethod string    `json:"token_endpoint_auth_method"`
	GrantTypes              []string  `json:"grant_types,omitempty"`
	ResponseTypes           []string  `json:"response_types"`
	ClientName              string    `json:"client_name,omitempty"`
	ClientURI               string    `json:"client_uri,omitempty"`
	LogoURI                 string    `json:"logo_uri,omitempty"`
	RegistrationType        string    `json:"registration_type"`
	CreatedAt               time.Time `json:"created_at"`
	UpdatedAt               time.Time `json:"updated_at"`
}

func newClientView(c *models.OAuthClient, clientSecret string) clientView {
	return clientView{
		ClientID: c.ID, ClientSecret: clientSecret, ClientType: c.ClientType,
		RedirectURIs: c.RedirectURIs, TokenEndpointAuthMethod: c.TokenEndpointAuthMethod,
		GrantTypes: c.GrantTypes, ResponseTypes: []string{oauth.ResponseTypeCode},
		ClientName: c.Name, ClientURI: c.URI, LogoURI: c.LogoURI, RegistrationType: c.RegistrationType,
		CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(),
	}
}

// newClient makes a client from normalized metadata; its secret is returned
// once and kept as a digest only.
func (s *Server) newClient(m oauth.ClientMetadata, registration string, now time.Time) (*models.OAuthClient, string, error) {
	client := &models.OAuthClient{
		ID: s.IDs.New(), RegistrationType: registration, ClientType: m.ClientType,
		TokenEndpointAuthMethod: m.TokenEndpointAuthMethod, RedirectURIs: m.RedirectURIs, GrantTypes: m.GrantTypes,
		Name: m.ClientName, URI: m.ClientURI, LogoURI: m.LogoURI, CreatedAt: now, UpdatedAt: now,
	}
	if client.ClientType == models.ClientPublic {
		return client, "", nil
	}
	clientSecret, err := secret.Token(s.Random, clientSecretBytes)
	if err != nil {
		return nil, "", err
	}
	client.SecretHash = secret.Digest(clientSecret)
	return client, clientSecret, nil
}

// GET /admin/oauth/clients
func (s *Server) listClients(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	clients, err := models.ListOAuthClients(s.DB.Conn(r.Context()))
	if err != nil {
		return fmt.Errorf("list clients: %w", err)
	}
	shown := make([]clientView, 0, len(clients))
	for i := range clients {
		shown = append(shown, newClientView(&clients[i], ""))
	}
	return web.JSON(w, http.StatusOK, map[string][]clientView{"clients": shown})
}

// POST /admin/oauth/clients
func (s *Server) createClient(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	in, err := decodeClient[oauth.ClientMetadata](r)
	if err != nil {
		return err
	}
	normalized, problem := in.Normalize()
	if problem != nil {
		// GoTrue's own words, the stray status included: dashboards show them.
		return apierror.Validation("400: " + problem.Message)
	}
	client, clientSecret, err := s.newClient(normalized, models.RegistrationManual, s.Kit.Time(r))
	if err != nil {
		return err
	}
	if err := models.InsertOAuthClient(s.DB.Conn(r.Context()), client); err != nil {
		return fmt.Errorf("insert client: %w", err)
	}
	return web.JSON(w, http.StatusCreated, newClientView(client, clientSecret))
}

// GET /admin/oauth/clients/{client_id}
func (s *Server) getClient(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	client, err := s.pathClient(r)
	if err != nil {
		return err
	}
	return web.JSON(w, http.StatusOK, newClientView(client, ""))
}

// PUT /admin/oauth/clients/{client_id}
func (s *Server) updateClient(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	client, err := s.pathClient(r)
	if err != nil {
		return err
	}
	in, err := decodeClient[oauth.MetadataUpdate](r)
	if err != nil {
		return err
	}
	if problem := oauth.ValidateUpdate(*in, client.ClientType); problem != nil {
		return apierror.Validation(problem.Message)
	}
	applyUpdate(client, in)
	now := s.Kit.Time(r)
	if err := models.UpdateOAuthClient(s.DB.Conn(r.Context()), client, now); err != nil {
		return clientFailure("update client", err)
	}
	client.UpdatedAt = now
	return web.JSON(w, http.StatusOK, newClientView(client, ""))
}

func applyUpdate(client *models.OAuthClient, in *oauth.MetadataUpdate) {
	if in.RedirectURIs != nil {
		client.RedirectURIs = *in.RedirectURIs
	}
	if in.GrantTypes != nil {
		client.GrantTypes = *in.GrantTypes
	}
	for _, member := range []struct {
		into *string
		from *string
	}{
		{&client.Name, in.ClientName},
		{&client.URI, in.ClientURI},
		{&client.LogoURI, in.LogoURI},
		{&client.TokenEndpointAuthMethod, in.TokenEndpointAuthMethod},
	} {
		if member.from != nil {
			*member.into = *member.from
		}
	}
}

// DELETE /admin/oauth/clients/{client_id} ends every grant of the client.
func (s *Server) deleteClient(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	id, err := pathClientID(r)
	if err != nil {
		return err
	}
	if err := models.DeleteOAuthClient(s.DB.Conn(r.Context()), id, s.Kit.Time(r)); err != nil {
		return clientFailure("delete client", err)
	}
	return web.NoContent(w)
}

// POST /admin/oauth/clients/{client_id}/regenerate_secret
func (s *Server) regenerateSecret(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	client, err := s.pathClient(r)
	if err != nil {
		return err
	}
	if client.ClientType == models.ClientPublic {
		return apierror.Validation("Cannot regenerate secret for public client")
	}
	clientSecret, err := secret.Token(s.Random, clientSecretBytes)
	if err != nil {
		return err
	}
	now := s.Kit.Time(r)
	if err := models.SetOAuthClientSecret(s.DB.Conn(r.Context()), client.ID, secret.Digest(clientSecret), now); err != nil {
		return clientFailure("replace client secret", err)
	}
	client.UpdatedAt = now
	return web.JSON(w, http.StatusOK, newClientView(client, clientSecret))
}

// pathClient finds the client that the path names.
func (s *Server) pathClient(r *http.Request) (*models.OAuthClient, error) {
	id, err := pathClientID(r)
	if err != nil {
		return nil, err
	}
	client, err := models.FindOAuthClient(s.DB.Conn(r.Context()), id)
	if err != nil {
		return nil, clientFailure("find client", err)
	}
	return client, nil
}

func pathClientID(r *http.Request) (uuid.UUID, error) {
	id, err := uuid.FromString(chi.URLParam(r, "client_id"))
	if err != nil {
		return uuid.Nil, apierror.Validation("invalid client_id format")
	}
	return id, nil
}

func clientFailure(doing string, err error) error {
	if errors.Is(err, storage.ErrNotFound) {
		return apierror.New(http.StatusNotFound, apierror.OAuthClientNotFound, "OAuth client not found")
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// decodeClient reads client metadata, whatever the content type says.
func decodeClient[T any](r *http.Request) (*T, error) {
	body, err := web.Body(r)
	if err != nil {
		return nil, err
	}
	into := new(T)
	if err := json.Unmarshal(body, into); err != nil {
		return nil, apierror.New(http.StatusBadRequest, apierror.BadJSON, "Invalid JSON body")
	}
	return into, nil
}
