package api_test

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/truegrant/truegrant/api/apitest"
)

const passwordHash = `select encrypted_password from users where id = $1`

// importUser makes a user whose password was hashed elsewhere.
func importUser(app *apitest.App, hash string) (id, email string) {
	email = apitest.NewEmail()
	body := app.Do(http.MethodPost, "/admin/users", map[string]any{
		"email": email, "email_confirm": true, "password_hash": hash,
	}, apitest.Bearer(app.ServiceKey())).OK()
	return body["id"].(string), email
}

// A sign-in replaces a weak hash by one of today's, once.
func TestSignInRenewsWeakHashes(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	weak, err := bcrypt.GenerateFromPassword([]byte(apitest.Password), bcrypt.MinCost)
	require.NoError(t, err)
	id, email := importUser(app, string(weak))

	login(app, map[string]any{"email": email, "password": "wrong"}).Refused(http.StatusBadRequest, "invalid_credentials")
	require.Equal(t, string(weak), app.Text(passwordHash, id))

	app.SignIn(t, email)
	renewed := app.Text(passwordHash, id)
	require.True(t, strings.HasPrefix(renewed, "$2a$10$"), renewed)
	app.SignIn(t, email)
	require.Equal(t, renewed, app.Text(passwordHash, id))
}

// Where columns are encrypted, a sign-in seals a bare hash.
func TestSignInSealsBareHashes(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, sealed)
	user := app.User(t)
	bare := app.Text(passwordHash, user.ID)
	require.True(t, strings.HasPrefix(bare, "$2a$10$"), bare)
	app.SignIn(t, user.Email)
	require.Contains(t, app.Text(passwordHash, user.ID), `"key_id"`)
	app.SignIn(t, user.Email)
}

// bcrypt would cut off a password of more than 72 bytes, so its hash stays.
func TestSignInKeepsHashesOfLongPasswords(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	const salt = "some salt for it"
	long, b64 := strings.Repeat("long password ", 8), base64.RawStdEncoding
	hash := "$argon2id$v=19$m=64,t=1,p=1$" + b64.EncodeToString([]byte(salt)) + "$" +
		b64.EncodeToString(argon2.IDKey([]byte(long), []byte(salt), 1, 64, 1, 32))
	id, email := importUser(app, hash)
	login(app, map[string]any{"email": email, "password": long}).OK()
	require.Equal(t, hash, app.Text(passwordHash, id))
}
