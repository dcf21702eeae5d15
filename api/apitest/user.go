package apitest

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Password is that of every User.
const Password = "correct horse 1"

// User is a confirmed user with a session.
type User struct {
	ID, Email    string
	AccessToken  string
	RefreshToken string
	SessionID    string
}

// NewEmail returns an address that no user has.
func NewEmail() string { return strings.ToLower(rand.Text()) + "@example.test" }

// User signs a new user up and in. Where sign-ups need a confirmation an
// administrator creates the user instead.
func (a *App) User(t testing.TB) *User {
	t.Helper()
	email := NewEmail()
	body := map[string]any{"email": email, "password": Password}
	if a.Config.Mailer.Autoconfirm && !a.Config.DisableSignup {
		return session(t, a.For(t).Do(http.MethodPost, "/signup", body))
	}
	body["email_confirm"] = true
	a.For(t).Do(http.MethodPost, "/admin/users", body, Bearer(a.ServiceKey())).OK()
	return a.SignIn(t, email)
}

// SignIn signs a User in once more and returns it with the new session.
func (a *App) SignIn(t testing.TB, email string) *User {
	t.Helper()
	return session(t, a.For(t).Do(http.MethodPost, "/token?grant_type=password",
		map[string]any{"email": email, "password": Password}))
}

// Refresh exchanges a refresh token of the project's own apps.
func (a *App) Refresh(refreshToken string) *Response {
	return a.Do(http.MethodPost, "/token?grant_type=refresh_token", map[string]any{"refresh_token": refreshToken})
}

// session reads the answer to a sign-in.
func session(t testing.TB, answer *Response) *User {
	t.Helper()
	require.Equal(t, http.StatusOK, answer.Status, "%s", answer.Body)
	var body struct {
		AccessToken  string `json:"access_token"`
		RefreshToken string `json:"refresh_token"`
		User         struct {
			ID    string `json:"id"`
			Email string `json:"email"`
		} `json:"user"`
	}
	answer.Into(&body)
	return &User{
		ID: body.User.ID, Email: body.User.Email, AccessToken: body.AccessToken, RefreshToken: body.RefreshToken,
		SessionID: answer.Header.Get("Sb-Auth-Session-Id"),
	}
}
