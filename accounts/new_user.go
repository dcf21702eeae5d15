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

// emailVerified and phoneVerified mark an address as confirmed in metadata.
const (
	emailVerified = "email_verified"
	phoneVerified = "phone_verified"
)

// EmailIdentity is the identity of an e-mail address: its subject is the user.
// extra are claims that the sign-up gave; the standard ones win.
func EmailIdentity(id, user uuid.UUID, email string, verified bool, extra map[string]any) models.NewIdentity {
	data := with(extra, map[string]any{
		"sub": user.String(), "email": email, emailVerified: verified, phoneVerified: false,
	})
	return models.NewIdentity{ID: id, Provider: ProviderEmail, ProviderID: user.String(), IdentityData: data}
}

// PhoneIdentity is the identity of a phone number that an administrator sets or
// the user changes to: its subject is the user.
func PhoneIdentity(id, user uuid.UUID, phone string, verified bool) models.NewIdentity {
	return models.NewIdentity{ID: id, Provider: ProviderPhone, ProviderID: user.String(), IdentityData: map[string]any{
		"sub": user.String(), "phone": phone, emailVerified: false, phoneVerified: verified,
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

// SignUp is a sign-up by e-mail address or by phone number.
type SignUp struct {
	// Email is empty for a sign-up by phone.
	Email, Phone string
	// Data is what the app wants to remember of the user.
	Data map[string]any
	Aud  string
	Role string
	// Confirmed signs the user up without a confirmation.
	Confirmed bool
	Now       time.Time
}

// NewUser is the row of a sign-up with its identity, still without a
// password, whose hash may be sealed for the user's id. Identity data is merged
// into the user's metadata, as it is for every provider.
func (in SignUp) NewUser(ids models.IDs) (models.NewUser, error) {
	id := ids.New()
	// The identity says what the provider verified, and here nobody did: a
	// project that confirms by itself trusts the user, not the address.
	identity := EmailIdentity(ids.New(), id, in.Email, false, in.Data)
	metadata := Merge(identity.IdentityData, map[string]any{emailVerified: in.Confirmed})
	if in.Phone != "" {
		identity = in.phoneIdentity(identity.ID, id)
		metadata = with(in.Data, identity.IdentityData)
	}
	user := models.NewUser{
		ID: id, Aud: in.Aud, Role: in.Role, Email: in.Email, Phone: in.Phone,
		Identities: []models.NewIdentity{identity},
	}
	switch {
	case in.Confirmed && in.Phone != "":
		user.PhoneConfirmedAt = &in.Now
	case in.Confirmed:
		user.EmailConfirmedAt = &in.Now
	}
	var err error
	if user.AskedMetadata, err = Encode(Merge(nil, in.Data)); err != nil {
		return user, err
	}
	if user.AppMetadata, err = Encode(AppMetadata(identity.Provider)); err != nil {
		return user, err
	}
	user.UserMetadata, err = Encode(metadata)
	return user, err
}

// phoneIdentity is the identity of a sign-up by phone. It names no address, not
// even one that the app gave: users are found by what their identities name.
func (in SignUp) phoneIdentity(id, user uuid.UUID) models.NewIdentity {
	identity := PhoneIdentity(id, user, in.Phone, false)
	standard := maps.Clone(identity.IdentityData)
	delete(standard, "phone")
	identity.IdentityData = with(in.Data, standard)
	delete(identity.IdentityData, "phone")
	delete(identity.IdentityData, "email")
	return identity
}

// with is data together with what wins over it.
func with(data, winning map[string]any) map[string]any {
	both := map[string]any{}
	maps.Copy(both, data)
	maps.Copy(both, winning)
	return both
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
