package models

import (
	"encoding/json"
	"io"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// AuditAction is what happened, in GoTrue's words.
type AuditAction string

// The audited actions.
const (
	AuditLogin                   AuditAction = "login"
	AuditLogout                  AuditAction = "logout"
	AuditUserSignedUp            AuditAction = "user_signedup"
	AuditUserInvited             AuditAction = "user_invited"
	AuditUserDeleted             AuditAction = "user_deleted"
	AuditUserModified            AuditAction = "user_modified"
	AuditUserUpdatedPassword     AuditAction = "user_updated_password"
	AuditUserRepeatedSignUp      AuditAction = "user_repeated_signup"
	AuditReauthenticateRequested AuditAction = "user_reauthenticate_requested"
	AuditRecoveryRequested       AuditAction = "user_recovery_requested"
	AuditConfirmationRequested   AuditAction = "user_confirmation_requested"
	AuditIdentityUnlinked        AuditAction = "identity_unlinked"
	AuditTokenRefreshed          AuditAction = "token_refreshed"
	AuditTokenRevoked            AuditAction = "token_revoked"
)

// logType groups actions.
func (a AuditAction) logType() string {
	switch a {
	case AuditLogin, AuditLogout:
		return "account"
	case AuditUserSignedUp, AuditUserInvited, AuditUserDeleted:
		return "team"
	case AuditTokenRefreshed, AuditTokenRevoked:
		return "token"
	case AuditFactorInProgress, AuditFactorUnenrolled, AuditFactorUpdated, AuditFactorDeleted,
		AuditChallengeCreated, AuditVerificationAttempted,
		AuditRecoveryCodesGenerated, AuditRecoveryCodesRegenerated, AuditRecoveryCodesDeleted:
		return "factor"
	}
	return "user"
}

// AuditEntry is a row of audit_log_entries, written by the statement that
// makes the change it tells of.
type AuditEntry struct {
	ID        uuid.UUID    `json:"id"`
	Payload   AuditPayload `json:"payload"`
	IPAddress string       `json:"ip"`
}

// AuditPayload is the JSON of an audit entry, as GoTrue writes it.
type AuditPayload struct {
	Action        AuditAction    `json:"action"`
	ActorID       uuid.UUID      `json:"actor_id"`
	ActorName     string         `json:"actor_name,omitempty"`
	ActorUsername string         `json:"actor_username"`
	ActorViaSSO   bool           `json:"actor_via_sso"`
	LogType       string         `json:"log_type"`
	Traits        map[string]any `json:"traits,omitempty"`
}

// AuditTrail is what one request adds to the audit log; it may be empty.
type AuditTrail []AuditEntry

// Auditor makes audit entries.
type Auditor struct {
	// Disabled makes every trail empty (GOTRUE_AUDIT_LOG_DISABLE_POSTGRES).
	Disabled bool
	Random   io.Reader
}

// By returns the trail of one action of a user.
func (a Auditor) By(u *User, action AuditAction, traits map[string]any) AuditTrail {
	if a.Disabled {
		return nil
	}
	username := u.Phone
	if username == "" {
		username = u.Email
	}
	metadata, _ := u.Metadata() // a broken row must not stop a login
	name, _ := metadata["full_name"].(string)
	return a.entry(AuditPayload{
		Action: action, ActorID: u.ID, ActorName: name, ActorUsername: username,
		ActorViaSSO: u.IsSSOUser, Traits: traits,
	})
}

// ByAdmin returns the trail of one action of a service-role caller, whom the
// role names.
func (a Auditor) ByAdmin(role string, action AuditAction, traits map[string]any) AuditTrail {
	if a.Disabled {
		return nil
	}
	return a.entry(AuditPayload{Action: action, ActorUsername: role, Traits: traits})
}

func (a Auditor) entry(payload AuditPayload) AuditTrail {
	payload.LogType = payload.Action.logType()
	return AuditTrail{{ID: IDs{a.Random}.New(), Payload: payload}}
}

// insertAudit is the common table expression that writes a trail given as
// JSON ($1) at a time ($2), once the expression "changed" has a row.
const insertAudit = `
audit as (
	insert into audit_log_entries (instance_id, id, payload, created_at, ip_address)
	select '` + instanceID + `', e.id, e.payload, $2::timestamptz, e.ip
	  from json_to_recordset($1) as e(id uuid, payload json, ip text)
	 where exists (select from changed))`

// json renders the trail for insertAudit.
func (t AuditTrail) json() string {
	if len(t) == 0 {
		return "[]"
	}
	return mustJSON(t)
}

// mustJSON encodes values of our own types, which cannot fail.
func mustJSON(value any) string {
	raw, err := json.Marshal(value)
	if err != nil {
		panic("models: " + err.Error())
	}
	return string(raw)
}

// RecordAudit writes a trail that belongs to no other change.
func RecordAudit(c *storage.Conn, trail AuditTrail, now time.Time) error {
	if len(trail) == 0 {
		return nil
	}
	_, err := c.Exec(`with changed as (select 1),`+insertAudit+` select 1`, trail.json(), now)
	return err
}
