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

// AuditPage returns up to limit entries behind the first offset ones, newest
// first, ids telling equal times apart, and the number of all entries that the
// query selects. The order is one that an index on created_at can serve.
func AuditPage(c *storage.Conn, q AuditQuery, limit, offset int64) (entries []AuditRecord, total int64, err error) {
	where, args := q.condition()
	if err := c.Get(&total, `select count(*) from audit_log_entries a where `+where, args...); err != nil {
		return nil, 0, err
	}
	entries = []AuditRecord{}
	err = c.Select(&entries, `select a.id, coalesce(a.payload, 'null') as payload,
		coalesce(a.created_at, 'epoch') as created_at, a.ip_address
		from audit_log_entries a where `+where+` order by a.created_at desc, a.id
		limit `+placeholder(len(args)+1)+` offset `+placeholder(len(args)+2), append(args, limit, offset)...)
	return entries, total, err
}

// condition is the WHERE clause of the query with its arguments.
func (q AuditQuery) condition() (where string, args []any) {
	where, args = `a.instance_id = '`+instanceID+`'`, []any{"%" + q.Text + "%"}
	switch q.Scope {
	case AuditScopeAuthor:
		return where + ` and (a.payload->>'actor_username' ilike $1 or a.payload->>'actor_name' ilike $1)`, args
	case AuditScopeAction:
		return where + ` and a.payload->>'action' ilike $1`, args
	case AuditScopeType:
		return where + ` and a.payload->>'log_type' ilike $1`, args
	}
	return where, nil
}
