package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

func withLinking(cfg *conf.Config) { cfg.Security.ManualLinkingEnabled = true }

// link gives a user an identity of a provider and returns its id.
func link(app *apitest.App, user, provider, email string, verified bool) string {
	return app.Text(`insert into identities (id, user_id, provider, provider_id, identity_data, created_at, updated_at)
		values (gen_random_uuid(), $1::text::uuid, $2::text, gen_random_uuid()::text, jsonb_strip_nulls(jsonb_build_object(
			'email', nullif($3::text, ''), 'email_verified', $4::bool)), clock_timestamp(), now()) returning id::text`,
		user, provider, email, verified)
}

func emailIdentity(app *apitest.App, user string) string {
	return app.Text(`select id::text from identities where provider = 'email' and user_id = $1`, user)
}

func unlink(app *apitest.App, user *apitest.User, identity string, options ...apitest.Option) *apitest.Response {
	return app.Do(http.MethodDelete, "/user/identities/"+identity, nil,
		append([]apitest.Option{apitest.Bearer(user.AccessToken)}, options...)...)
}

func TestUnlinkIdentity(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withLinking)
	user := app.User(t)
	github := link(app, user.ID, "github", "elsewhere@example.test", true)
	app.Exec(`update users set raw_app_meta_data = '{"provider": "email", "providers": ["email", "github"], "tenant": 7}'`)
	app.Exec(`update users set recovery_token = 'pending', recovery_sent_at = now()`)
	var response *apitest.Response
	require.Equal(t, 4, app.Statements(func() { response = unlink(app, user, github) }))
	require.Empty(t, response.OK())

	shown := app.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	require.Equal(t, user.Email, shown["email"])
	require.NotEmpty(t, shown["email_confirmed_at"])
	require.Len(t, shown["identities"], 1)
	require.Equal(t, map[string]any{"provider": "email", "providers": []any{"email"}, "tenant": 7.0}, shown["app_metadata"])
	require.Equal(t, "pending", app.Text(`select recovery_token from users`), "what is for the address stays")
	require.Equal(t, "user|github|192.0.2.1|"+github, app.Text(`select (payload->>'log_type') || '|' || (payload->'traits'->>'provider')
		|| '|' || ip_address || '|' || (payload->'traits'->>'identity_id') from audit_log_entries
		where payload->>'action' = 'identity_unlinked' and payload->'traits'->>'provider_id' <> ''`))
	app.SignIn(t, user.Email) // the password is kept
}

// The address of the identity goes with it, and what was sent to it is void.
func TestUnlinkIdentityMovesTheAddress(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		verified bool
		email    string
		wanted   string
	}{
		"verified":   {true, "next@example.test", "next@example.test|true|true"},
		"unverified": {false, "next@example.test", "next@example.test|false|false"},
		"none":       {false, "", "|false|false"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := apitest.New(t, withLinking, func(cfg *conf.Config) { cfg.Mailer.Autoconfirm = false })
			user := app.User(t)
			link(app, user.ID, "github", test.email, test.verified)
			app.Exec(`update users set recovery_token = 'r', recovery_sent_at = now(), email_change = 'new@example.test', phone_change = '49151',
				email_change_token_new = 'e', email_change_confirm_status = 1, reauthentication_token = 'n'`)
			app.Exec(`insert into one_time_tokens (id, user_id, token_type, token_hash, relates_to)
				values (gen_random_uuid(), $1, 'recovery_token', 'r', 'x')`, user.ID)

			unlink(app, user, emailIdentity(app, user.ID)).OK()
			require.Equal(t, test.wanted, app.Text(`select coalesce(email, '') || '|' || (email_confirmed_at is not null)::text
				|| '|' || (raw_user_meta_data->>'email_verified') from users`))
			require.Equal(t, "0", app.Text(`select recovery_token || email_change || email_change_token_new || reauthentication_token
				|| phone_change || email_change_confirm_status from users where recovery_sent_at is null`))
			require.Zero(t, app.Count(`select count(*) from one_time_tokens`))
			require.Equal(t, `{"provider": "github", "providers": ["github"]}`, app.Text(`select raw_app_meta_data::text from users`))
			require.Empty(t, app.Text(`select email from users where email = ''`), "no address is NULL, as it is unique")
		})
	}
}

func TestUnlinkIdentityWithPhone(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withLinking)
	user := app.User(t)
	app.Do(http.MethodPut, "/admin/users/"+user.ID, map[string]any{"phone": "4915112345678", "phone_confirm": true},
		apitest.Bearer(app.ServiceKey())).OK()
	phone := app.Text(`select id::text from identities where provider = 'phone'`)
	unlink(app, user, phone).OK()
	require.Equal(t, user.Email, app.Text(`select email from users where phone is null and phone_confirmed_at is null and email_confirmed_at is not null`))
	require.Equal(t, `{"provider": "email", "providers": ["email"]}`, app.Text(`select raw_app_meta_data::text from users`))
}

// The address that the user had until now is told.
func TestUnlinkIdentityIsMailed(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	app := apitest.New(t, mail.Configure, withLinking, func(cfg *conf.Config) {
		cfg.Mailer.Notifications.IdentityUnlinkedEnabled = true
	})
	user := app.User(t)
	github := link(app, user.ID, "github", "next@example.test", true)
	unlink(app, user, emailIdentity(app, user.ID)).OK()
	require.Contains(t, mail.Last(user.Email).Body, "email")
	require.Empty(t, mail.To("next@example.test"))
	unlink(app, user, github).Refused(http.StatusUnprocessableEntity, "single_identity_not_deletable")
	require.Len(t, mail.All(), 1, "what is refused is no news")
}

func TestUnlinkIdentityIsRefused(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withLinking)
	user, other := app.User(t), app.User(t)
	foreign := emailIdentity(app, other.ID)
	unlink(app, user, "no-uuid", apitest.Header("X-JWT-AUD", "other")).Refused(http.StatusNotFound, "validation_failed")
	unlink(app, user, foreign, apitest.Header("X-JWT-AUD", "other")).Refused(http.StatusForbidden, "unexpected_audience")
	unlink(app, user, foreign).Refused(http.StatusUnprocessableEntity, "single_identity_not_deletable")
	link(app, user.ID, "github", other.Email, true)
	before := app.Snapshot()
	unlink(app, user, foreign).Refused(http.StatusUnprocessableEntity, "identity_not_found")
	unlink(app, user, emailIdentity(app, user.ID)).Refused(http.StatusUnprocessableEntity, "email_conflict_identity_not_deletable")
	client := app.Client(t)
	granted := app.Grant(t, other, client)
	app.Do(http.MethodDelete, "/user/identities/"+foreign, nil, apitest.Bearer(granted.AccessToken)).
		Refused(http.StatusForbidden, "no_authorization")
	require.Equal(t, before["identities"], app.Snapshot()["identities"])
	require.Equal(t, before["users"], app.Snapshot()["users"])

	// Of another audience, so that only the table's key knows.
	app.Exec(`update users set aud = 'elsewhere' where id = $1`, other.ID)
	unlink(app, user, emailIdentity(app, user.ID)).Refused(http.StatusUnprocessableEntity, "email_conflict_identity_not_deletable")

	off := apitest.New(t)
	owner := off.User(t)
	unlink(off, owner, "no-uuid").Refused(http.StatusNotFound, "manual_linking_disabled")
	off.Do(http.MethodDelete, "/user/identities/no-uuid", nil).Refused(http.StatusUnauthorized, "no_authorization")
	off.Do(http.MethodGet, "/user/identities/authorize?provider=github", nil, apitest.Bearer(owner.AccessToken)).
		Refused(http.StatusNotFound, "manual_linking_disabled")
	app.Do(http.MethodGet, "/user/identities/authorize?provider=github", nil, apitest.Bearer(user.AccessToken)).
		Refused(http.StatusBadRequest, "validation_failed")
}

// However many are unlinked at once, one identity stays.
func TestUnlinkIdentitiesAtOnce(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withLinking)
	replica := app.Replica(t)
	for range 3 {
		user := app.User(t)
		identities := []string{emailIdentity(app, user.ID), link(app, user.ID, "github", "", false), link(app, user.ID, "google", "", false)}
		targets := append(identities, identities...)
		statuses := make([]int, len(targets))
		race(len(targets), func(i int) {
			statuses[i] = unlink([]*apitest.App{app, replica}[i%2], user, targets[i]).Status
		})
		require.Equal(t, 2, countOf(statuses, http.StatusOK), "%v", statuses)
		require.Equal(t, 4, countOf(statuses, http.StatusUnprocessableEntity), "%v", statuses)
		require.Equal(t, 1, app.Count(`select count(*) from identities where user_id = $1`, user.ID))
		require.Equal(t, 2, app.Count(`select count(*) from audit_log_entries where payload->>'action' = 'identity_unlinked'
			and payload->>'actor_id' = $1`, user.ID))
	}
}
