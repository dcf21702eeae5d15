package oauthserver

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
)

// grantView is a client that the user gave access to.
type grantView struct {
	Client    clientSummary `json:"client"`
	Scopes    []string      `json:"scopes"`
	GrantedAt time.Time     `json:"granted_at"`
}

// GET /user/oauth/grants
func (s *Server) listGrants(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	grants, err := models.ListOAuthGrants(s.DB.Conn(r.Context()), caller.ID)
	if err != nil {
		return fmt.Errorf("list grants: %w", err)
	}
	shown := make([]grantView, 0, len(grants))
	for _, g := range grants {
		shown = append(shown, grantView{
			Client: clientSummary{ID: g.ClientID, Name: g.ClientName, URI: g.ClientURI, LogoURI: g.ClientLogoURI},
			Scopes: strings.Fields(g.Scopes), GrantedAt: g.GrantedAt.UTC(),
		})
	}
	return web.JSON(w, http.StatusOK, shown)
}

// DELETE /user/oauth/grants?client_id=… ends what a client may do for the user.
func (s *Server) revokeGrant(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	given := r.URL.Query().Get("client_id")
	if given == "" {
		return apierror.Validation("client_id query parameter is required")
	}
	client, err := uuid.FromString(given)
	if err != nil {
		return apierror.Validation("invalid client_id format")
	}
	trail := s.Audit.By(&caller.User, models.AuditTokenRevoked, map[string]any{
		"oauth_client_id": client.String(), "action": "revoke_oauth_grant",
	})
	err = s.DB.Tx(r.Context(), func(tx *storage.Conn) error {
		return models.RevokeOAuthGrant(tx, caller.ID, client, trail, s.Kit.Time(r))
	})
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return apierror.New(http.StatusNotFound, apierror.OAuthConsentNotFound, "No active grant found for this client")
	case err != nil:
		return fmt.Errorf("revoke grant: %w", err)
	}
	return web.NoContent(w)
}
