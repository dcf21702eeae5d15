package api_test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// noticing is a server that tells users of a new password and a new address.
func noticing(t *testing.T, options ...func(*conf.Config)) (*apitest.App, *apitest.Mail, *apitest.User) {
	t.Helper()
	return changing(t, append([]func(*conf.Config){func(c *conf.Config) {
		c.Mailer.Notifications.PasswordChangedEnabled, c.Mailer.Notifications.EmailChangedEnabled = true, true
	}}, options...)...)
}

// notices are the letters to an address that tell of a change.
func notices(mail *apitest.Mail, address string) []apitest.Letter {
	var found []apitest.Letter
	for _, letter := range mail.To(address) {
		if strings.HasSuffix(letter.Subject, "was changed") {
			found = append(found, letter)
		}
	}
	return found
}

func TestPasswordNotice(t *testing.T) {
	t.Parallel()
	app, mail, user := noticing(t)
	putUser(app, user, map[string]any{"data": map[string]any{"a": 1}}).OK()
	putUser(app, user, map[string]any{"password": apitest.Password}).Refused(http.StatusUnprocessableEntity, "same_password")
	require.Empty(t, notices(mail, user.Email), "nothing has changed")

	putUser(app, user, map[string]any{"password": "another password"}).OK()
	putUser(app, user, map[string]any{"password": "yet another one"}).OK()
	told := notices(mail, user.Email)
	require.Len(t, told, 2, "each change is worth telling")
	require.Equal(t, "Your password was changed", told[0].Subject)
	require.Contains(t, told[0].Body, apitest.SiteURL)
	require.NotContains(t, told[0].Body, "/verify")

	app.Do(http.MethodPut, "/admin/users/"+user.ID, map[string]any{"password": "of the admin"}, apitest.Bearer(app.ServiceKey())).OK()
	require.Len(t, notices(mail, user.Email), 2, "what an administrator does is not told")
}

func TestNoticesAreOffByDefault(t *testing.T) {
	t.Parallel()
	app, mail, user := changing(t)
	email := apitest.NewEmail()
	putUser(app, user, map[string]any{"password": "another password"}).OK()
	putUser(app, user, map[string]any{"email": email}).OK()
	typed(app, mail, email).OK()
	typed(app, mail, user.Email).OK()
	require.Empty(t, notices(mail, user.Email))
}

// However a change of address ends, the old one is told, once.
func TestEmailNotice(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(t *testing.T, app *apitest.App, mail *apitest.Mail, email string){
		"typed": func(_ *testing.T, app *apitest.App, mail *apitest.Mail, email string) { typed(app, mail, email).OK() },
		"link": func(t *testing.T, app *apitest.App, mail *apitest.Mail, email string) {
			got := app.Do(http.MethodGet, mail.Last(email).Link(t).RequestURI(), nil)
			require.NotEmpty(t, got.Fragment().Get("access_token"))
		},
		"flow": func(t *testing.T, app *apitest.App, mail *apitest.Mail, email string) {
			got := app.Do(http.MethodGet, mail.Last(email).Link(t).RequestURI(), nil)
			require.NotEmpty(t, got.Location().Query().Get("code"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, mail, user := noticing(t)
			email := apitest.NewEmail()
			body := map[string]any{"email": email}
			if name == "flow" {
				inFlow(body, verifierOf("app"))
			}
			putUser(app, user, body).OK()
			app.Do(http.MethodGet, mail.Last(user.Email).Link(t).RequestURI(), nil)
			require.Empty(t, notices(mail, user.Email), "half of it is no change")
			end(t, app, mail, email)

			told := notices(mail, user.Email)
			require.Len(t, told, 1)
			require.Equal(t, "Your email address was changed", told[0].Subject)
			require.Contains(t, told[0].Body, email)
			require.Contains(t, told[0].Body, user.Email)
			require.Empty(t, notices(mail, email))
			app.Do(http.MethodGet, mail.Last(email).Link(t).RequestURI(), nil)
			require.Len(t, notices(mail, user.Email), 1, "a spent link changes nothing")
		})
	}
}

// Of several confirmations at the same moment, on two servers, one is told of.
func TestEmailNoticeConcurrently(t *testing.T) {
	t.Parallel()
	app, mail, user := noticing(t, confirmOnce)
	servers, email := []*apitest.App{app, app.Replica(t)}, apitest.NewEmail()
	putUser(app, user, map[string]any{"email": email}).OK()
	code := mail.Last(email).Subject
	answers := concurrently(6, func(i int) *apitest.Response { return typedCode(servers[i%2], email, code) })
	require.Equal(t, []int{200, 403, 403, 403, 403, 403}, statuses(answers))
	require.Len(t, notices(mail, user.Email), 1)
}

// A user without an address has no old one to tell. The first one is a new way
// to sign in.
func TestEmailNoticeOfFirstAddress(t *testing.T) {
	t.Parallel()
	app, mail, _ := noticing(t, func(c *conf.Config) { c.Mailer.Notifications.IdentityLinkedEnabled = true })
	email := apitest.NewEmail()
	token := app.Do(http.MethodPost, "/signup", map[string]any{"data": map[string]any{}}).OK()["access_token"].(string)
	app.Do(http.MethodPut, "/user", map[string]any{"email": email}, apitest.Bearer(token)).OK()
	typed(app, mail, email).OK()
	require.Len(t, mail.To(email), 2)
	require.Equal(t, "A new sign-in method was linked to your account", mail.Last(email).Subject)
	require.NotContains(t, app.Log.String(), "notice")
}

// The first number is a new way to sign in, every other one a change, whether or
// not it is confirmed by a text.
func TestPhoneNotice(t *testing.T) {
	t.Parallel()
	for name, autoconfirm := range map[string]bool{"confirmed": false, "at once": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mail := apitest.NewMail(t)
			app, hook := texting(t, mail.Configure, func(c *conf.Config) {
				c.SMS.Autoconfirm = autoconfirm
				c.Mailer.Notifications.PhoneChangedEnabled, c.Mailer.Notifications.IdentityLinkedEnabled = true, true
			})
			user, phones := app.User(t), []string{newPhone(), newPhone()}
			for i, phone := range phones {
				putUser(app, user, map[string]any{"phone": phone}).OK()
				if !autoconfirm {
					require.Len(t, mail.To(user.Email), i, "nothing has changed yet")
					verifyPhone(app, "phone_change", phone, textedTo(hook, phone)).OK()
				}
				app.Clock.Advance(2 * time.Minute)
			}
			putUser(app, user, map[string]any{"phone": phones[1]}).OK()
			told := mail.To(user.Email)
			require.Len(t, told, 2)
			require.Equal(t, "A new sign-in method was linked to your account", told[0].Subject)
			require.Contains(t, told[0].Body, "phone")
			require.Equal(t, "Your phone number was changed", told[1].Subject)
			require.Contains(t, told[1].Body, "from "+phones[0]+" to "+phones[1])
		})
	}
}

// Whatever is wrong with a notice, the change stands, the caller does not
// notice, and the log does not name the address.
func TestNoticesFailQuietly(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		prepare func(c *conf.Config)
		log     string
	}{
		"refused by the mail server": {log: "SMTP status 550"},
		"over the budget":            {func(c *conf.Config) { c.RateLimit.EmailSent.Events = 0 }, "over_email_send_rate_limit"},
		"not an authorized address": {func(c *conf.Config) {
			c.External.EmailAuthorizedAddresses = []string{"ada@example.com"}
		}, "email_address_not_authorized"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, mail, user := noticing(t)
			if test.prepare != nil {
				test.prepare(app.Config)
				app = app.Replica(t)
			} else {
				mail.Refuse(true)
			}
			putUser(app, user, map[string]any{"password": "another password"}).OK()
			app.Do(http.MethodPost, "/token?grant_type=password", map[string]any{"email": user.Email, "password": "another password"}).OK()
			require.Empty(t, notices(mail, user.Email))
			require.Contains(t, app.Log.String(), "a notice could not be mailed")
			require.Contains(t, app.Log.String(), test.log)
			require.NotContains(t, app.Log.String(), user.Email)
		})
	}
}

// A thief of a session who hangs up at once does not keep the owner from being
// told.
func TestNoticeOutlivesTheRequest(t *testing.T) {
	t.Parallel()
	app, mail, user := noticing(t)
	ctx, hangUp := context.WithCancel(t.Context())
	mail.Meanwhile(hangUp)
	req := httptest.NewRequestWithContext(ctx, http.MethodPut, "/user", bytes.NewBufferString(`{"password": "another password"}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+user.AccessToken)
	app.Server.Handler.ServeHTTP(httptest.NewRecorder(), req)
	require.ErrorIs(t, ctx.Err(), context.Canceled)
	require.Len(t, notices(mail, user.Email), 1)
}

// In the background a mail is on its way when the request is answered, and out
// when the server has stopped. What goes wrong with it stays in the log.
func TestMailInBackground(t *testing.T) {
	t.Parallel()
	app, mail, user := noticing(t, func(c *conf.Config) { c.Mailer.EmailBackgroundSending = true })
	hold, held := make(chan struct{}), make(chan struct{}, 2)
	release := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(release)
	mail.Meanwhile(func() { held <- struct{}{}; <-hold })
	sent(t, ask(app, "/recover", user.Email))
	putUser(app, user, map[string]any{"password": "another password"}).OK()
	<-held
	<-held
	require.Empty(t, mail.To(user.Email))
	release()
	require.NoError(t, app.Server.Close())
	require.Len(t, mail.To(user.Email), 2)

	refused := app.Replica(t)
	mail.Refuse(true)
	app.Clock.Advance(2 * time.Minute)
	sent(t, ask(refused, "/recover", user.Email))
	require.Eventually(t, func() bool {
		return strings.Contains(app.Log.String(), "mail could not be sent in the background")
	}, 10*time.Second, 5*time.Millisecond)
	require.NotContains(t, app.Log.String(), user.Email)
}

// The language follows the user, of codes and of notices.
func TestMailInTheLanguageOfTheUser(t *testing.T) {
	t.Parallel()
	app, mail, user := noticing(t, func(c *conf.Config) {
		c.Mailer.Translations = []conf.MailTranslation{{
			Language: "de",
			Subjects: conf.MailTexts{Recovery: "Neues Passwort", PasswordChangedNotification: "Passwort geändert"},
		}}
	})
	sent(t, ask(app, "/recover", user.Email))
	require.Equal(t, "Reset your password", mail.Last(user.Email).Subject)
	putUser(app, user, map[string]any{"data": map[string]any{"locale": "de_AT"}}).OK()
	app.Clock.Advance(2 * time.Minute)
	sent(t, ask(app, "/recover", user.Email))
	require.Equal(t, "Neues Passwort", mail.Last(user.Email).Subject)
	putUser(app, user, map[string]any{"password": "another password"}).OK()
	require.Equal(t, "Passwort geändert", mail.Last(user.Email).Subject)
}
