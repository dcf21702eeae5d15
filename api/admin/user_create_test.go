package admin_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apierror"
)

func TestCreateUserMinimal(t *testing.T) {
	t.Parallel()
	a := setup(t)
	user := a.call(http.MethodPost, "/admin/users", `{"email":"Ada@Example.com"}`).ok()
	id := user["id"].(string)
	require.Equal(t, "ada@example.com", user["email"])
	require.Empty(t, user["phone"])
	require.Equal(t, "authenticated", user["aud"])
	require.Equal(t, "member", user["role"])
	require.Equal(t, map[string]any{}, user["user_metadata"])
	require.Equal(t, map[string]any{"provider": "email", "providers": []any{"email"}}, user["app_metadata"])
	require.NotContains(t, user, "email_confirmed_at")
	require.NotContains(t, user, "factors")

	identity := user["identities"].([]any)[0].(map[string]any)
	require.Equal(t, id, identity["id"])
	require.Equal(t, "email", identity["provider"])
	require.Equal(t, map[string]any{"sub": id, "email": "ada@example.com", "email_verified": false, "phone_verified": false},
		identity["identity_data"])

	require.Regexp(t, `^\$2a\$10\$.{53}$`, a.password(id), "a hash that nobody knows the password of")
	require.JSONEq(t, `{"action":"user_signedup","actor_id":"00000000-0000-0000-0000-000000000000",
		"actor_username":"service_role","actor_via_sso":false,"log_type":"team",
		"traits":{"provider":"email","user_email":"ada@example.com","user_id":"`+id+`","user_phone":""}}`,
		a.value(`select payload::text from audit_log_entries`))
	require.Equal(t, user, a.call(http.MethodGet, "/admin/users/"+id, "").ok())
}

func TestCreateUserFull(t *testing.T) {
	t.Parallel()
	a := setup(t)
	user := a.call(http.MethodPost, "/admin/users/", `{"email":"a@example.com","phone":"+44 7700 900123","password":"x",
		"id":"7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b","aud":"elsewhere","role":" editor ","email_confirm":true,"phone_confirm":true,
		"user_metadata":{"n":1,"gone":null},"app_metadata":{"plan":"pro","provider":null},"ban_duration":"1h"}`).ok()
	require.Equal(t, "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b", user["id"])
	require.Equal(t, "447700900123", user["phone"])
	require.Equal(t, "elsewhere", user["aud"])
	require.Equal(t, "editor", user["role"])
	require.Equal(t, map[string]any{"n": 1.0, "gone": nil, "email_verified": true}, user["user_metadata"])
	require.Equal(t, map[string]any{"plan": "pro", "providers": []any{"email", "phone"}}, user["app_metadata"])
	require.Contains(t, user, "email_confirmed_at")
	require.Contains(t, user, "phone_confirmed_at")
	require.NotContains(t, user, "confirmed_at", "made by the database, shown by the next read")
	require.Len(t, user["identities"], 2)
	id := user["id"].(string)
	require.NoError(t, a.hasher.Compare(t.Context(), a.password(id), "x"), "any password will do")
	require.Equal(t, "true", a.value(`select (banned_until = created_at + interval '1 hour')::text from users`))
	require.Contains(t, a.call(http.MethodGet, "/admin/users/"+id, "").ok(), "confirmed_at")
}

func TestCreateUserByPhone(t *testing.T) {
	t.Parallel()
	a := setup(t)
	user := a.call(http.MethodPost, "/admin/users", `{"phone":"447700900123","email_confirm":true,"ban_duration":"none"}`).ok()
	require.Equal(t, map[string]any{"provider": "phone", "providers": []any{"phone"}}, user["app_metadata"])
	require.NotContains(t, user, "email_confirmed_at", "there is no address to confirm")
	require.NotContains(t, user, "banned_until")
	require.Equal(t, "(null)", a.value(`select email from users`))
	require.Equal(t, "phone", a.value(`select payload->'traits'->>'provider' from audit_log_entries`))
}

func TestCreateUserWithHash(t *testing.T) {
	t.Parallel()
	a := setup(t)
	const hash = "$2y$10$SXEz2HeT8PUIGQXo9yeUIem8KzNxgG0d7o/.eGj2rj8KbRgAuRVlq"
	id := a.user(`{"email":"a@example.com","password":"","password_hash":"` + hash + `"}`)
	require.Equal(t, hash, a.password(id))
}

func TestCreateUserRefuses(t *testing.T) {
	t.Parallel()
	a := setup(t)
	const email = `"email":"a@example.com"`
	const durationError = `invalid format for ban duration: time: invalid duration "soon"`
	tests := map[string]struct {
		body    string
		code    apierror.Code
		message string
	}{
		"no address":       {`{}`, apierror.ValidationFailed, "Cannot create a user without either an email or phone"},
		"null":             {`null`, apierror.ValidationFailed, "Cannot create a user without either an email or phone"},
		"bad email":        {`{"email":"bad"}`, apierror.ValidationFailed, "Unable to validate email address: invalid format"},
		"long email":       {`{"email":"` + strings.Repeat("a", 250) + `@x.com"}`, apierror.ValidationFailed, "An email address is too long"},
		"bad phone":        {`{"phone":"bad"}`, apierror.ValidationFailed, "Invalid phone number format (E.164 required)"},
		"both passwords":   {`{` + email + `,"password":"x","password_hash":"x"}`, apierror.ValidationFailed, "Only a password or a password hash should be provided"},
		"73 bytes":         {`{` + email + `,"password":"` + strings.Repeat("b", 73) + `"}`, apierror.ValidationFailed, "Password cannot be longer than 72 characters"},
		"id of other form": {`{` + email + `,"id":"not-a-uuid"}`, apierror.ValidationFailed, "ID must conform to the uuid v4 format"},
		"nil id":           {`{` + email + `,"id":"00000000-0000-0000-0000-000000000000"}`, apierror.ValidationFailed, "ID cannot be a nil uuid"},
		"ban":              {`{` + email + `,"ban_duration":"soon"}`, apierror.ValidationFailed, durationError},
		"no body":          {``, apierror.BadJSON, "Could not parse request body as JSON: unexpected end of JSON input"},
		"role too long":    {`{` + email + `,"role":"` + strings.Repeat("r", 256) + `"}`, apierror.ValidationFailed, "invalid text"},
	}
	for name, test := range tests { //nolint:paralleltest // the rows are looked at afterwards
		t.Run(name, func(t *testing.T) {
			a.call(http.MethodPost, "/admin/users", test.body).refused(http.StatusBadRequest, test.code, test.message)
		})
	}
	a.call(http.MethodPost, "/admin/users", `{`+email+`,"password_hash":"md5"}`).
		refused(http.StatusInternalServerError, apierror.UnexpectedFailure, "Error creating user")
	require.Equal(t, "0", a.value(`select count(*)::text from users`))
}

func TestCreateUserTaken(t *testing.T) {
	t.Parallel()
	a := setup(t)
	id := a.user(`{"email":"a@example.com","phone":"447700900123"}`)
	emailTaken := func(an answer) {
		t.Helper()
		an.refused(http.StatusUnprocessableEntity, apierror.EmailExists, "A user with this email address has already been registered")
	}
	emailTaken(a.call(http.MethodPost, "/admin/users", `{"email":"A@example.com","phone":"447700900123"}`))
	a.call(http.MethodPost, "/admin/users", `{"phone":"+447700900123"}`).
		refused(http.StatusUnprocessableEntity, apierror.PhoneExists, "Phone number already registered by another user")

	// In another audience the address is free to look at, but not to take.
	other := a.call(http.MethodPost, "/admin/users", `{"email":"a@example.com","aud":"elsewhere"}`)
	require.Equal(t, http.StatusInternalServerError, other.status)
	require.Equal(t, "23505", other.header.Get("Public-Error"))

	sameID := a.call(http.MethodPost, "/admin/users", `{"email":"b@example.com","id":"`+id+`"}`)
	sameID.refused(http.StatusInternalServerError, apierror.UnexpectedFailure, "Database error creating new user")
	require.Equal(t, "23505", sameID.header.Get("Public-Error"))

	// An identity holds its address, whatever its user's is; an SSO user's does not.
	a.exec(`update identities set identity_data = '{"sub":"x","email":"Work@example.com"}' where user_id = $1`, id)
	emailTaken(a.call(http.MethodPost, "/admin/users", `{"email":"work@example.com"}`))
	a.exec(`update users set is_sso_user = true`)
	a.user(`{"email":"work@example.com"}`)
	a.user(`{"email":"a@example.com"}`)
}

// Of many requests for one address one gets it; the others learn why not.
func TestCreateUserRace(t *testing.T) {
	t.Parallel()
	a := setup(t)
	var wg sync.WaitGroup
	answers := make([]answer, 8)
	for i := range answers {
		wg.Go(func() {
			answers[i] = a.call(http.MethodPost, "/admin/users", `{"email":"a@example.com"}`)
		})
	}
	wg.Wait()
	won := 0
	for _, an := range answers {
		if an.status == http.StatusOK {
			won++
			continue
		}
		an.refused(http.StatusUnprocessableEntity, apierror.EmailExists, "A user with this email address has already been registered")
	}
	require.Equal(t, 1, won)
	require.Equal(t, "1 1 1", a.value(`select (select count(*) from users) || ' ' || (select count(*) from identities) || ' ' ||
		(select count(*) from audit_log_entries)`))
}
