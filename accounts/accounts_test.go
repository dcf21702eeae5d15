package accounts_test

import (
	"crypto/rand"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/models"
)

func TestEmail(t *testing.T) {
	t.Parallel()
	addresses := accounts.NewAddresses()
	for text, want := range map[string]string{
		"ann@example.test": "ann@example.test", "Ann@EXAMPLE.Test": "ann@example.test", "a@b": "a@b",
		"a.b+c!#$%&'*+/=?^_`{|}~-@x-y.test": "a.b+c!#$%&'*+/=?^_`{|}~-@x-y.test", ".@a": ".@a",
		strings.Repeat("a", 253) + "@b": strings.Repeat("a", 253) + "@b",
	} {
		got, err := addresses.Email(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for text, want := range map[string]string{
		"":                              "An email address is required",
		strings.Repeat("a", 254) + "@b": "An email address is too long",
	} {
		requireInput(t, want, text, addresses.Email)
	}
	for _, text := range []string{
		"a", "@", "a@", "@b", "a@@b", "a b@c", "a@b c", "a@-b", "a@b-", "a@b..c", "a@.b", "a@b.", "ä@b", "a@ä", "a@b\n", "\na@b",
		"a@b\x00", "a@[127.0.0.1]", "a@" + strings.Repeat("b", 64), "a,b@c", "Ann <a@b>", "a@b_c", "a@b,c@d", `"a b"@c`,
	} {
		requireInput(t, "Unable to validate email address: invalid format", text, addresses.Email)
	}
}

func TestPhone(t *testing.T) {
	t.Parallel()
	addresses := accounts.NewAddresses()
	for text, want := range map[string]string{
		"12": "12", "+4912345678": "4912345678", "49 123 45678": "4912345678", "+ 49 1": "491", "123456789012345": "123456789012345",
	} {
		got, err := addresses.Phone(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
	}
	for _, text := range []string{
		"", "+", "1", "0123456", "++491", "49-123", "49(1)2", "1234567890123456", "a", "٤٩١٢٣", "491\n", "49\t1", "491+",
	} {
		requireInput(t, "Invalid phone number format (E.164 required)", text, addresses.Phone)
	}
}

func requireInput(t *testing.T, want, text string, check func(string) (string, error)) {
	t.Helper()
	got, err := check(text)
	var input *accounts.InputError
	require.ErrorAs(t, err, &input, "%q gives %q", text, got)
	require.Equal(t, want, input.Message, "%q", text)
}

func FuzzEmail(f *testing.F) {
	for _, seed := range []string{"a@b", "A@B.C", "", "@", "a@b\x00", strings.Repeat("a@", 200)} {
		f.Add(seed)
	}
	addresses := accounts.NewAddresses()
	f.Fuzz(func(t *testing.T, text string) {
		email, err := addresses.Email(text)
		if err != nil {
			return
		}
		again, err := addresses.Email(email)
		require.NoError(t, err)
		require.Equal(t, email, again, "the stored form is stable")
		require.LessOrEqual(t, len(email), 255)
		require.Equal(t, 1, strings.Count(email, "@"))
		require.False(t, strings.ContainsAny(email, " \r\n\t\x00<>,;\"\\"))
	})
}

func TestMerge(t *testing.T) {
	t.Parallel()
	type object = map[string]any
	for _, test := range []struct {
		name                   string
		metadata, patch, wants object
	}{
		{"nothing", nil, nil, object{}},
		{"new", nil, object{"a": 1}, object{"a": 1}},
		{"replaced", object{"a": 1, "b": 2}, object{"a": 3}, object{"a": 3, "b": 2}},
		{"deleted", object{"a": 1, "b": 2}, object{"a": nil}, object{"b": 2}},
		{"deleted what is not there", object{"b": 2}, object{"a": nil}, object{"b": 2}},
		{"not deep", object{"a": object{"x": 1}}, object{"a": object{"y": 2}}, object{"a": object{"y": 2}}},
		{"false and zero stay", object{"a": 1}, object{"a": false, "b": 0, "c": ""}, object{"a": false, "b": 0, "c": ""}},
	} {
		before, err := json.Marshal(test.metadata)
		require.NoError(t, err)
		require.Equal(t, test.wants, accounts.Merge(test.metadata, test.patch), test.name)
		after, err := json.Marshal(test.metadata)
		require.NoError(t, err)
		require.Equal(t, string(before), string(after), "%s: the metadata given stay as they are", test.name)
	}
}

func TestNewUser(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	ids := models.IDs{Random: rand.Reader}
	for _, confirmed := range []bool{false, true} {
		user, err := accounts.SignUp{
			Email: "ann@example.test", Aud: "aud", Role: "role", Confirmed: confirmed, Now: now,
			Data: map[string]any{"name": "Ann", "sub": "forged", "email": "x@y", "email_verified": true, "phone_verified": true},
		}.NewUser(ids)
		require.NoError(t, err)
		require.Equal(t, "ann@example.test", user.Email)
		require.Empty(t, user.EncryptedPassword)
		require.Equal(t, confirmed, user.EmailConfirmedAt != nil)
		require.JSONEq(t, `{"provider":"email","providers":["email"]}`, string(user.AppMetadata))
		require.Len(t, user.Identities, 1)
		identity := user.Identities[0]
		require.Equal(t, user.ID.String(), identity.ProviderID)
		require.Equal(t, map[string]any{
			"name": "Ann", "sub": user.ID.String(), "email": "ann@example.test", "email_verified": false, "phone_verified": false,
		}, identity.IdentityData, "a sign-up cannot verify itself")
		var metadata map[string]any
		require.NoError(t, json.Unmarshal(user.UserMetadata, &metadata))
		require.Equal(t, confirmed, metadata["email_verified"])
		require.Equal(t, user.ID.String(), metadata["sub"])
	}
}
