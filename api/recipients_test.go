package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// mailingRoutes are the requests that send a code to an address of nobody's.
func mailingRoutes(app *apitest.App, email string) map[string]func() *apitest.Response {
	post := func(path string, options ...apitest.Option) func() *apitest.Response {
		return func() *apitest.Response {
			return app.Do(http.MethodPost, path, map[string]any{"email": email, "password": apitest.Password}, options...)
		}
	}
	return map[string]func() *apitest.Response{
		"signup": post("/signup"), "otp": post("/otp"), "magiclink": post("/magiclink"),
		"invite": post("/invite", apitest.Bearer(app.ServiceKey())),
	}
}

func TestMailOnlyToAuthorizedAddresses(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	app := apitest.New(t, mail.Configure, func(c *conf.Config) {
		c.External.EmailAuthorizedAddresses = []string{"ada@example.com", "Bob@example.com"}
	})
	email := apitest.NewEmail()
	for name, request := range mailingRoutes(app, email) {
		message := request().Refused(http.StatusBadRequest, "email_address_not_authorized")
		require.Equal(t, fmt.Sprintf("Email address %q cannot be used as it is not authorized", email), message, name)
	}
	require.Zero(t, app.Count(`select count(*) from auth.users`))

	// An existing user is told the same when a code is asked for.
	app.Do(http.MethodPost, "/admin/users", map[string]any{"email": email, "password": apitest.Password, "email_confirm": true},
		apitest.Bearer(app.ServiceKey())).OK()
	app.Do(http.MethodPost, "/recover", map[string]any{"email": email}).
		Refused(http.StatusBadRequest, "email_address_not_authorized")
	require.Zero(t, app.Count(`select count(*) from auth.one_time_tokens`))
	require.Empty(t, mail.To(email))

	app.Do(http.MethodPost, "/signup", signUp("ada+news@example.com", nil)).OK()
	require.Len(t, mail.To("ada+news@example.com"), 1)
	app.Do(http.MethodPost, "/signup", signUp("bob@example.com", nil)).OK()
}

// Addresses that are refused leave the budget of mails as it is.
func TestMailToImpossibleAddresses(t *testing.T) {
	t.Parallel()
	mail := apitest.NewMail(t)
	judge := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"valid":false}`)) }
	app := apitest.New(t, mail.Configure, func(c *conf.Config) {
		c.Mailer.EmailValidationServiceURL = "https://judge.example.com/"
		c.RateLimit.EmailSent.Events = 1
	}).Via(t, apitest.Elsewhere(t, judge))
	email := apitest.NewEmail()
	for name, request := range mailingRoutes(app, email) {
		message := request().Refused(http.StatusBadRequest, "email_address_invalid")
		require.Equal(t, fmt.Sprintf("Email address %q is invalid", email), message, name)
	}
	require.Zero(t, app.Count(`select count(*) from auth.users`))
	require.Empty(t, mail.To(email))
}
