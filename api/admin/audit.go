package admin

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/models"
)

// auditEntry is an entry of the audit log. Its payload is shown as the row
// holds it, because rows of other versions have other members.
type auditEntry struct {
	ID        uuid.UUID       `json:"id"`
	Payload   json.RawMessage `json:"payload"`
	CreatedAt time.Time       `json:"created_at"`
	IPAddress string          `json:"ip_address"`
}

// GET /admin/audit
func (s *Server) listAudit(w http.ResponseWriter, r *http.Request, _ *web.Admin) error {
	params := r.URL.Query()
	at, err := parsePage(params)
	if err != nil {
		return badPagination(err)
	}
	query, err := parseAuditQuery(params.Get("query"))
	if err != nil {
		return err
	}
	rows, total, err := at.find(r.Context(), s.Lists, query, false)
	if err != nil {
		return apierror.Failure("Error searching for audit logs", err)
	}
	records, err := models.AuditPage(s.DB.Conn(r.Context()), query, rows)
	if err != nil {
		return apierror.Failure("Error searching for audit logs", err)
	}
	shown := make([]auditEntry, 0, len(records))
	for _, record := range cut(at, records) {
		shown = append(shown, auditEntry{
			ID: record.ID, Payload: record.Payload, CreatedAt: record.CreatedAt.UTC(), IPAddress: record.IPAddress,
		})
	}
	at.head(w, r, at.settle(rows, total, len(records)))
	return web.JSON(w, http.StatusOK, shown)
}

// parseAuditQuery reads a scope and a text with a colon between them; empty
// means every entry.
func parseAuditQuery(text string) (models.AuditQuery, error) {
	if text == "" {
		return models.AuditQuery{}, nil
	}
	scope, part, found := strings.Cut(text, ":")
	query := models.AuditQuery{Scope: models.AuditScope(scope), Text: part}
	switch query.Scope {
	case models.AuditScopeAuthor, models.AuditScopeAction, models.AuditScopeType:
		if found {
			return query, nil
		}
	}
	return models.AuditQuery{}, apierror.Validation("Invalid query scope: " + text)
}
