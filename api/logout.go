package api

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
)

// POST /logout?scope=global|local|others
func (s *Server) logout(w http.ResponseWriter, r *http.Request, caller *web.Caller) error {
	scope := models.LogoutScope(r.URL.Query().Get("scope"))
	switch scope {
	case "":
		scope = models.LogoutGlobal
	case models.LogoutGlobal, models.LogoutLocal, models.LogoutOthers:
	default:
		return apierror.Validation("Unsupported logout scope " + strconv.Quote(string(scope)))
	}
	trail := s.audit.By(&caller.User, models.AuditLogout, nil)
	err := models.EndSessions(s.DB.Conn(r.Context()), caller.ID, caller.SessionID(), scope, trail, s.kit.Time(r))
	if err != nil {
		return fmt.Errorf("log out: %w", err)
	}
	return web.NoContent(w)
}
