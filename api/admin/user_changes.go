package admin

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/models"
)

// emailVerified and phoneVerified mark a confirmed address in identity data;
// the first one in the user's metadata, too.
const (
	emailVerified = "email_verified"
	phoneVerified = "phone_verified"
)

// changes decides which columns of a user to write.
func (u *update) changes(user *models.User) (models.UserChanges, error) {
	changes := models.UserChanges{SetBan: u.ban.set, BannedUntil: u.ban.until}
	if role := strings.TrimSpace(u.Role); role != "" {
		changes.Role = &role
	}
	if u.hash != nil {
		changes.EncryptedPassword = u.hash
		changes.EndSessions, changes.ClearTokens = true, true
	}
	if user.IsAnonymous && (u.confirmsEmail(user) || u.confirmsPhone(user)) {
		permanent := false
		changes.IsAnonymous = &permanent
	}
	if err := u.changeEmail(&changes, user); err != nil {
		return changes, err
	}
	if err := u.changePhone(&changes, user); err != nil {
		return changes, err
	}
	if err := u.changeUserMetadata(&changes, user); err != nil {
		return changes, err
	}
	return changes, u.changeAppMetadata(&changes, user)
}

// confirmsEmail reports whether the user's address, old or new, becomes a
// confirmed one. Without an address there is nothing to confirm.
func (u *update) confirmsEmail(user *models.User) bool {
	return u.EmailConfirm && (u.Email != "" || user.Email != "")
}

func (u *update) confirmsPhone(user *models.User) bool {
	return u.PhoneConfirm && (u.Phone != "" || user.Phone != "")
}

func (u *update) changeEmail(changes *models.UserChanges, user *models.User) error {
	replaced := u.Email != "" && u.Email != user.Email
	if replaced {
		changes.Email = &u.Email
		// What was sent to the old address must not confirm the new one.
		changes.ClearTokens = changes.ClearTokens || user.Email != ""
	}
	if u.confirmsEmail(user) && (replaced || user.EmailConfirmedAt == nil) {
		changes.EmailConfirmedAt = &u.now
	}

	identity := user.Identities.Of(accounts.ProviderEmail)
	switch {
	case u.Email != "" && identity != nil:
		return rewrite(changes, identity, map[string]any{"email": u.Email, emailVerified: u.EmailConfirm})
	case u.Email != "":
		changes.Identities = append(changes.Identities,
			accounts.EmailIdentity(u.ids.New(), user.ID, u.Email, u.EmailConfirm, nil))
	case identity == nil && u.firstPassword(user):
		changes.Identities = append(changes.Identities,
			accounts.EmailIdentity(u.ids.New(), user.ID, user.Email, true, nil))
	}
	return nil
}

// firstPassword reports whether a confirmed user, who signed in by other ways
// so far, can sign in by e-mail address from now on.
func (u *update) firstPassword(user *models.User) bool {
	confirmed := user.EmailConfirmedAt != nil || u.EmailConfirm
	return u.identityOnPassword && u.hash != nil && user.EncryptedPassword == "" && user.Email != "" && confirmed
}

func (u *update) changePhone(changes *models.UserChanges, user *models.User) error {
	replaced := u.Phone != "" && u.Phone != user.Phone
	if replaced {
		changes.Phone = &u.Phone
		changes.ClearTokens = changes.ClearTokens || user.Phone != ""
	}
	if u.confirmsPhone(user) && (replaced || user.PhoneConfirmedAt == nil) {
		changes.PhoneConfirmedAt = &u.now
	}
	if u.Phone == "" {
		return nil
	}
	if identity := user.Identities.Of(accounts.ProviderPhone); identity != nil {
		return rewrite(changes, identity, map[string]any{"phone": u.Phone, phoneVerified: u.PhoneConfirm})
	}
	fresh := accounts.PhoneIdentity(u.ids.New(), user.ID, u.Phone, false)
	fresh.IdentityData[phoneVerified] = u.PhoneConfirm
	changes.Identities = append(changes.Identities, fresh)
	return nil
}

// rewrite replaces members of an identity's data.
func rewrite(changes *models.UserChanges, identity *models.Identity, patch map[string]any) error {
	var data map[string]any
	if err := json.Unmarshal(identity.IdentityData, &data); err != nil {
		return fmt.Errorf("decode data of identity %s: %w", identity.ID, err)
	}
	changes.Identities = append(changes.Identities, models.NewIdentity{
		ID: identity.ID, Provider: identity.Provider, ProviderID: identity.ProviderID,
		IdentityData: accounts.Merge(data, patch),
	})
	return nil
}

func (u *update) changeUserMetadata(changes *models.UserChanges, user *models.User) error {
	if u.UserMetadata == nil && !u.confirmsEmail(user) {
		return nil
	}
	present, err := user.Metadata()
	if err != nil {
		return fmt.Errorf("decode user metadata: %w", err)
	}
	merged := accounts.Merge(present, u.UserMetadata)
	if u.confirmsEmail(user) {
		merged[emailVerified] = true
	}
	raw, err := accounts.Encode(merged)
	changes.UserMetadata = &raw
	return err
}

func (u *update) changeAppMetadata(changes *models.UserChanges, user *models.User) error {
	if u.AppMetadata == nil {
		return nil
	}
	present, err := user.AppData()
	if err != nil {
		return fmt.Errorf("decode app metadata: %w", err)
	}
	raw, err := accounts.Encode(accounts.Merge(present, u.AppMetadata))
	changes.AppMetadata = &raw
	return err
}
