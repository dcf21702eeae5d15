package accounts_test

import (
	"encoding/json"
	"testing"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/models"
)

func identity(provider, email string, verified bool) models.Identity {
	data, _ := json.Marshal(map[string]any{"email": email, "email_verified": verified})
	return models.Identity{ID: uuid.Must(uuid.NewV4()), Provider: provider, Email: email, IdentityData: data}
}

func TestUnlink(t *testing.T) {
	t.Parallel()
	own := identity("email", "me@example.test", true)
	same := identity("github", "me@example.test", true)
	verified, unverified := identity("google", "v@example.test", true), identity("spotify", "u@example.test", false)
	later, phone := identity("gitlab", "w@example.test", true), identity("phone", "", false)
	second := identity("google", "x@example.test", true)
	for name, test := range map[string]struct {
		identities  models.Identities // the first is unlinked
		taken       []string
		autoconfirm bool
		want        models.Unlinking
		err         error
	}{
		"the last one": {identities: models.Identities{own}, err: accounts.ErrLastIdentity},
		"the address stays": {
			identities: models.Identities{own, same},
			want:       models.Unlinking{AppData: accounts.AppMetadata("github")},
		},
		"a phone": {
			identities: models.Identities{phone, verified, second},
			want:       models.Unlinking{DropPhone: true, AppData: accounts.AppMetadata("google")},
		},
		"a verified address first, the oldest": {
			identities: models.Identities{own, phone, unverified, verified, later},
			want: models.Unlinking{
				MoveEmail: true, Email: "v@example.test", AppData: accounts.AppMetadata("phone", "spotify", "google", "gitlab"),
			},
		},
		"addresses of others are skipped": {
			identities: models.Identities{own, verified, later}, taken: []string{"v@example.test"},
			want: models.Unlinking{MoveEmail: true, Email: "w@example.test", AppData: accounts.AppMetadata("google", "gitlab")},
		},
		"an unverified address": {
			identities: models.Identities{own, phone, unverified},
			want: models.Unlinking{
				MoveEmail: true, Email: "u@example.test", Unconfirm: true, AppData: accounts.AppMetadata("phone", "spotify"),
			},
		},
		"an unverified address that the project confirms": {
			identities: models.Identities{own, unverified}, autoconfirm: true,
			want: models.Unlinking{MoveEmail: true, Email: "u@example.test", AppData: accounts.AppMetadata("spotify")},
		},
		"no address is left": {
			identities: models.Identities{own, phone, verified}, taken: []string{"v@example.test"}, autoconfirm: true,
			want: models.Unlinking{MoveEmail: true, Unconfirm: true, AppData: accounts.AppMetadata("phone", "google")},
		},
		"every address is another's": {
			identities: models.Identities{own, verified}, taken: []string{"v@example.test"}, err: accounts.ErrEmailConflict,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user := &models.LinkedUser{User: models.User{Email: "Me@example.test", Identities: test.identities}, Taken: test.taken}
			got, err := accounts.Unlink(user, test.identities[0].ID, test.autoconfirm)
			require.ErrorIs(t, err, test.err)
			if test.err == nil {
				test.want.Identity = test.identities[0]
				require.Equal(t, test.want, got)
			}
		})
	}
	_, err := accounts.Unlink(&models.LinkedUser{User: models.User{Identities: models.Identities{own, same}}}, uuid.Nil, false)
	require.ErrorIs(t, err, accounts.ErrNoSuchIdentity)
}
