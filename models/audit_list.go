package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// AuditRecord is a row of audit_log_entries as it is read back.
type AuditRecord struct {
	ID uuid.UUID `db:"id"`
	// Payload is JSON, null if there is none. An AuditPayload, but for rows of
	// older servers.
	Payload   json.RawMessage `db:"payload"`
	CreatedAt time.Time       `db:"created_at"`
	IPAddress string          `db:"ip_address"`
}

// AuditScope is the part of audit entries that a search looks at.
type AuditScope string

// The scopes of a search.
const (
	// AuditScopeAuthor is the address or the name of the actor.
	AuditScopeAuthor AuditScope = "author"
	AuditScopeAction AuditScope = "action"
	// AuditScopeType is the group of the action, log_type.
	AuditScopeType AuditScope = "type"
)

// AuditQuery says which entries a list holds. No Scope means all.
type AuditQuery struct {
	Scope AuditScope
	// Text is part of what the scope holds, in any case; the wildcards of LIKE
	// keep their meaning.
	Text string
}

// AuditPage returns the entries in a range.
func AuditPage(c *storage.Conn, q AuditQuery, r Range) ([]AuditRecord, error) {
	entries := []AuditRecord{}
	err := q.selection().page(c, &entries, `a.id, coalesce(a.payload, 'null') as payload,
		coalesce(a.created_at, 'epoch') as created_at, a.ip_address`, r)
	return entries, err
}

// Filtered implements [List].
func (q AuditQuery) Filtered() bool { return q.Scope != "" }

func (q AuditQuery) selection() selection {
	s := selection{table: "audit_log_entries a", alias: "a", where: `a.instance_id = '` + instanceID + `'`}
	switch q.Scope {
	case AuditScopeAuthor:
		s.where += ` and (a.payload->>'actor_username' ilike $1 or a.payload->>'actor_name' ilike $1)`
	case AuditScopeAction:
		s.where += ` and a.payload->>'action' ilike $1`
	case AuditScopeType:
		s.where += ` and a.payload->>'log_type' ilike $1`
	default:
		return s
	}
	s.args = []any{"%" + q.Text + "%"}
	return s
}
