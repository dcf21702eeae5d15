package models

import (
	"context"
	"database/sql/driver"

	"github.com/gofrs/uuid"
)

// noAudit is an empty trail as an argument.
const noAudit = "[]"

// AuditEvent is what the log tells of an audit entry: everything but names and
// addresses of people.
type AuditEvent struct {
	ID      uuid.UUID      `json:"audit_log_id"`
	Action  AuditAction    `json:"action"`
	ActorID uuid.UUID      `json:"actor_id"`
	LogType string         `json:"log_type"`
	Traits  map[string]any `json:"traits,omitempty"`
}

type auditLogKey struct{}

// WithAuditLog returns a context whose statements tell their audit trails when
// these are kept out of the table.
func WithAuditLog(ctx context.Context, tell func(AuditEvent)) context.Context {
	return context.WithValue(ctx, auditLogKey{}, tell)
}

// loggedAudit is a trail that writes no row.
type loggedAudit struct{ trail AuditTrail }

// Value implements driver.Valuer.
func (loggedAudit) Value() (driver.Value, error) { return noAudit, nil }

// Ran implements storage.Watcher.
func (l loggedAudit) Ran(ctx context.Context) {
	tell, _ := ctx.Value(auditLogKey{}).(func(AuditEvent))
	if tell == nil {
		return
	}
	for _, entry := range l.trail {
		tell(AuditEvent{
			ID: entry.ID, Action: entry.Payload.Action, ActorID: entry.Payload.ActorID, LogType: entry.Payload.LogType,
			Traits: impersonal(entry.Payload.Traits),
		})
	}
}

// impersonal keeps the traits that are words of ours, ids of rows and clients:
// what is not known to be harmless stays out of the log.
func impersonal(traits map[string]any) map[string]any {
	kept := make(map[string]any, len(traits))
	for name, value := range traits {
		switch name {
		case "action", "chain", "challenge_id", "channel", "client_id", "factor_id", "factor_status", "factor_type",
			"identity_id", "network", "oauth_client_id", "passkey_id", "provider", "provider_type", "session_id", "user_id":
			kept[name] = value
		}
	}
	return kept
}
