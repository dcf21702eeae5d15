package models

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/storage"
)

// FactorVerified is the status of a factor that was used once with success.
const FactorVerified = "verified"

// Factor is a second factor of a user, without its secret.
type Factor struct {
	ID                        uuid.UUID       `json:"id"`
	CreatedAt                 time.Time       `json:"created_at"`
	UpdatedAt                 time.Time       `json:"updated_at"`
	Status                    string          `json:"status"`
	FriendlyName              string          `json:"friendly_name"`
	FactorType                string          `json:"factor_type"`
	Phone                     string          `json:"phone"`
	LastChallengedAt          *time.Time      `json:"last_challenged_at"`
	WebAuthnAAGUID            *uuid.UUID      `json:"web_authn_aaguid"`
	LastWebAuthnChallengeData json.RawMessage `json:"last_webauthn_challenge_data"`
}

// Factors are the factors of one user, oldest first.
type Factors []Factor

// Scan reads the JSON that factorsOfUser builds.
func (list *Factors) Scan(src any) error { return storage.ScanJSON(src, list) }

// Scan reads the JSON that factorJSON builds.
func (f *Factor) Scan(src any) error { return storage.ScanJSON(src, f) }

// factorJSON builds a Factor for the table alias f.
const factorJSON = `json_build_object('id', f.id, 'created_at', f.created_at, 'updated_at', f.updated_at,
		'status', f.status, 'friendly_name', coalesce(f.friendly_name, ''), 'factor_type', f.factor_type,
		'phone', coalesce(f.phone, ''), 'last_challenged_at', f.last_challenged_at,
		'web_authn_aaguid', f.web_authn_aaguid, 'last_webauthn_challenge_data', f.last_webauthn_challenge_data)`

const factorsOfUser = `
	(select coalesce(json_agg(` + factorJSON + ` order by f.created_at, f.id), '[]')
	   from mfa_factors f where f.user_id = u.id) as factors`
