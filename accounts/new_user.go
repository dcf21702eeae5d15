package accounts

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/models"
)

// Providers that are the user's own address.
const (
	ProviderEmail = "email"
	ProviderPhone = "phone"
)

// emailVerified marks an address as confirmed in metadata.
const emailVerified = "email_verified"

// EmailIdentity is the identity of an e-mail address: its subject is the user.
// extra are claims that the sign-up gave; the standard ones win.
func EmailIdentity(id, user uuid.UUID, email string, verified bool, extra map[string]any) models.NewIdentity {
	data := map[string]any{}
	maps.Copy(data, extra)
	maps.Copy(data, map[string]any{
		"sub": user.String(), "email": email, emailVerified: verified, "phone_verified": false,
	})
	return models.NewIdentity{ID: id, Provider: ProviderEmail, ProviderID: user.String(), IdentityData: data}
}

// PhoneIdentity is the identity of a phone number, as an administrator makes it.
func PhoneIdentity(id, user uuid.UUID, phone string) models.NewIdentity {
	return models.NewIdentity{ID: id, Provider: ProviderPhone, ProviderID: user.String(), IdentityData: map[string]any{
		"sub": user.String(), "phone": phone, emailVerified: false, "phone_verified": false,
	}}
}

// AppMetadata is the project's metadata of a user who signs in by providers,
// the first of them first.
func AppMetadata(providers ...string) map[string]any {
	if len(providers) == 0 {
		return map[string]any{}
	}
	return map[string]any{"provider": providers[0], "providers": providers}
}

// SignUp is a sign-up by e-mail address.
type SignUp struct {
	Email string
	// Data is what the app wants to remember of the user.
	Data map[string]any
	Aud  string
	Role string
	// Confirmed signs the user up without a confirmation mail.
	Confirmed bool
	Now       time.Time
}

// NewUser is the row of a sign-up with its e-mail identity, still without a
// password, whose hash may be sealed for the user's id. Identity data is merged
// into the user's metadata, as it is for every provider.
func (in SignUp) NewUser(ids models.IDs) (models.NewUser, error) {
	id := ids.New()
	// The identity says what the provider verified, and here nobody did: a
	// project that confirms by itself trusts the user, not the address.
	identity := EmailIdentity(ids.New(), id, in.Email, false, in.Data)
	user := models.NewUser{
		ID: id, Aud: in.Aud, Role: in.Role, Email: in.Email,
		Identities: []models.NewIdentity{identity},
	}
	if in.Confirmed {
		user.EmailConfirmedAt = &in.Now
	}
	var err error
	if user.AskedMetadata, err = Encode(Merge(nil, in.Data)); err != nil {
		return user, err
	}
	if user.AppMetadata, err = Encode(AppMetadata(ProviderEmail)); err != nil {
		return user, err
	}
	user.UserMetadata, err = Encode(Merge(identity.IdentityData, map[string]any{emailVerified: in.Confirmed}))
	return user, err
}

// Merge applies a patch to metadata, member by member: null deletes, anything
// else replaces.
func Merge(metadata, patch map[string]any) map[string]any {
	merged := maps.Clone(metadata)
	if merged == nil {
		merged = map[string]any{}
	}
	for name, value := range patch {
		if value == nil {
			delete(merged, name)
			continue
		}
		merged[name] = value
	}
	return merged
}

// Encode renders metadata for its column.
func Encode(metadata map[string]any) (json.RawMessage, error) {
	raw, err := json.Marshal(metadata)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	return raw, nil
}
