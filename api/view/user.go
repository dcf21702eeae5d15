package view

import (
	"encoding/json"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
)

// User is a user as the API shows it.
type User struct {
	ID                     uuid.UUID       `json:"id"`
	Aud                    string          `json:"aud"`
	Role                   string          `json:"role"`
	Email                  string          `json:"email"`
	EmailConfirmedAt       *time.Time      `json:"email_confirmed_at,omitempty"`
	InvitedAt              *time.Time      `json:"invited_at,omitempty"`
	Phone                  string          `json:"phone"`
	PhoneConfirmedAt       *time.Time      `json:"phone_confirmed_at,omitempty"`
	ConfirmationSentAt     *time.Time      `json:"confirmation_sent_at,omitempty"`
	ConfirmedAt            *time.Time      `json:"confirmed_at,omitempty"`
	RecoverySentAt         *time.Time      `json:"recovery_sent_at,omitempty"`
	NewEmail               string          `json:"new_email,omitempty"`
	EmailChangeSentAt      *time.Time      `json:"email_change_sent_at,omitempty"`
	NewPhone               string          `json:"new_phone,omitempty"`
	PhoneChangeSentAt      *time.Time      `json:"phone_change_sent_at,omitempty"`
	ReauthenticationSentAt *time.Time      `json:"reauthentication_sent_at,omitempty"`
	LastSignInAt           *time.Time      `json:"last_sign_in_at,omitempty"`
	AppMetadata            json.RawMessage `json:"app_metadata"`
	UserMetadata           json.RawMessage `json:"user_metadata"`
	Factors                []Factor        `json:"factors,omitempty"`
	Identities             []Identity      `json:"identities"`
	CreatedAt              time.Time       `json:"created_at"`
	UpdatedAt              time.Time       `json:"updated_at"`
	BannedUntil            *time.Time      `json:"banned_until,omitempty"`
	DeletedAt              *time.Time      `json:"deleted_at,omitempty"`
	IsAnonymous            bool            `json:"is_anonymous"`
}

// Identity is an identity as the API shows it: id is the provider's subject,
// identity_id the row.
type Identity struct {
	IdentityID   uuid.UUID       `json:"identity_id"`
	ID           string          `json:"id"`
	UserID       uuid.UUID       `json:"user_id"`
	IdentityData json.RawMessage `json:"identity_data,omitempty"`
	Provider     string          `json:"provider"`
	LastSignInAt *time.Time      `json:"last_sign_in_at,omitempty"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	Email        string          `json:"email,omitempty"`
}

// Factor is a second factor as the API shows it.
type Factor struct {
	ID                        uuid.UUID       `json:"id"`
	CreatedAt                 time.Time       `json:"created_at"`
	UpdatedAt                 time.Time       `json:"updated_at"`
	Status                    string          `json:"status"`
	FriendlyName              string          `json:"friendly_name,omitempty"`
	FactorType                string          `json:"factor_type"`
	Phone                     string          `json:"phone"`
	LastChallengedAt          *time.Time      `json:"last_challenged_at"`
	WebAuthnAAGUID            *uuid.UUID      `json:"web_authn_aaguid,omitempty"`
	LastWebAuthnChallengeData json.RawMessage `json:"last_webauthn_challenge_data,omitempty"`
}

// NewUser shows a user with identities and factors.
func NewUser(u *models.User) User {
	shown := User{
		ID: u.ID, Aud: u.Aud, Role: u.Role, Email: u.Email, Phone: u.Phone,
		EmailConfirmedAt: utc(u.EmailConfirmedAt), PhoneConfirmedAt: utc(u.PhoneConfirmedAt),
		ConfirmedAt: utc(u.ConfirmedAt), InvitedAt: utc(u.InvitedAt),
		ConfirmationSentAt: utc(u.ConfirmationSentAt), RecoverySentAt: utc(u.RecoverySentAt),
		NewEmail: u.EmailChange, EmailChangeSentAt: utc(u.EmailChangeSentAt),
		NewPhone: u.PhoneChange, PhoneChangeSentAt: utc(u.PhoneChangeSentAt),
		ReauthenticationSentAt: utc(u.ReauthenticationSentAt), LastSignInAt: utc(u.LastSignInAt),
		AppMetadata: u.AppMetadata, UserMetadata: u.UserMetadata,
		CreatedAt: u.CreatedAt.UTC(), UpdatedAt: u.UpdatedAt.UTC(),
		BannedUntil: utc(u.BannedUntil), DeletedAt: utc(u.DeletedAt), IsAnonymous: u.IsAnonymous,
		Identities: make([]Identity, 0, len(u.Identities)),
	}
	for _, identity := range u.Identities {
		shown.Identities = append(shown.Identities, newIdentity(identity))
	}
	for _, factor := range u.Factors {
		shown.Factors = append(shown.Factors, NewFactor(factor))
	}
	return shown
}

func newIdentity(i models.Identity) Identity {
	data := i.IdentityData
	if string(data) == "{}" || string(data) == "null" {
		data = nil
	}
	return Identity{
		IdentityID: i.ID, ID: i.ProviderID, UserID: i.UserID, IdentityData: data, Provider: i.Provider,
		LastSignInAt: utc(i.LastSignInAt), CreatedAt: i.CreatedAt.UTC(), UpdatedAt: i.UpdatedAt.UTC(), Email: i.Email,
	}
}

// NewFactor shows a second factor.
func NewFactor(f models.Factor) Factor {
	data := f.LastWebAuthnChallengeData
	if string(data) == "null" {
		data = nil
	}
	return Factor{
		ID: f.ID, CreatedAt: f.CreatedAt.UTC(), UpdatedAt: f.UpdatedAt.UTC(), Status: f.Status,
		FriendlyName: f.FriendlyName, FactorType: f.FactorType, Phone: f.Phone,
		LastChallengedAt: utc(f.LastChallengedAt), WebAuthnAAGUID: f.WebAuthnAAGUID, LastWebAuthnChallengeData: data,
	}
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	inUTC := t.UTC()
	return &inUTC
}
