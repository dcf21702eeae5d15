package api_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// A redemption brings the code of a mail back as a code of some type.
type redemption func(t *testing.T, app *apitest.App, letter apitest.Letter, kind string) *apitest.Response

// ways are the ways in which a code comes back.
func ways() map[string]redemption {
	return map[string]redemption{
		"typed": func(_ *testing.T, app *apitest.App, letter apitest.Letter, kind string) *apitest.Response {
			return app.Do(http.MethodPost, "/verify", map[string]any{"type": kind, "email": letter.To, "token": letter.Subject})
		},
		"hash": func(t *testing.T, app *apitest.App, letter apitest.Letter, kind string) *apitest.Response {
			t.Helper()
			return app.Do(http.MethodPost, "/verify", map[string]any{"type": kind, "token_hash": letter.Link(t).Query().Get("token")})
		},
		"link": func(t *testing.T, app *apitest.App, letter apitest.Letter, kind string) *apitest.Response {
			t.Helper()
			return app.Do(http.MethodGet, "/verify?"+url.Values{
				"type": {kind}, "token": {letter.Link(t).Query().Get("token")},
			}.Encode(), nil)
		},
	}
}

// outcome is "session", "code" or the code of an error.
func outcome(got *apitest.Response) string {
	if got.Status == http.StatusSeeOther {
		fragment := got.Fragment()
		switch {
		case fragment.Has("access_token"):
			return "session"
		case got.Location().Query().Has("code"):
			return "code"
		}
		return fragment.Get("error_code")
	}
	body := got.JSON()
	if body["access_token"] != nil {
		return "session"
	}
	code, _ := body["error_code"].(string)
	return code
}

// mails ask for a mail of each kind, in the PKCE flow of a verifier unless it
// is empty, for a user of their own.
func mails() map[string]func(t *testing.T, app *apitest.App, verifier string) (email string) {
	request := func(t *testing.T, app *apitest.App, path, email, verifier string) string {
		t.Helper()
		body := map[string]any{"email": email}
		if verifier != "" {
			inFlow(body, verifier)
		}
		sent(t, app.Do(http.MethodPost, path, body))
		return email
	}
	return map[string]func(t *testing.T, app *apitest.App, verifier string) string{
		"confirmation": func(t *testing.T, app *apitest.App, verifier string) string {
			t.Helper()
			return request(t, app, "/otp", apitest.NewEmail(), verifier)
		},
		"magic link": func(t *testing.T, app *apitest.App, verifier string) string {
			t.Helper()
			return request(t, app, "/otp", app.User(t).Email, verifier)
		},
		"recovery": func(t *testing.T, app *apitest.App, verifier string) string {
			t.Helper()
			return request(t, app, "/recover", app.User(t).Email, verifier)
		},
	}
}

// redeemable are the types that a mail's code may come back as.
func redeemable() map[string][]string {
	return map[string][]string{
		"confirmation": {"signup", "invite", "email"},
		"magic link":   {"recovery", "magiclink", "email"},
		"recovery":     {"recovery", "magiclink", "email"},
	}
}

func TestVerifyTypes(t *testing.T) {
	t.Parallel()
	for mailed, ask := range mails() {
		for way, redeem := range ways() {
			t.Run(mailed+" "+way, func(t *testing.T) {
				t.Parallel()
				app, mail := mailing(t)
				email := ask(t, app, "")
				before := app.Snapshot()
				for _, kind := range []string{"signup", "invite", "recovery", "magiclink", "email", "sms", "phone_change", "nothing"} {
					if slices.Contains(redeemable()[mailed], kind) {
						continue
					}
					want := "otp_expired"
					if way != "typed" && slices.Contains([]string{"sms", "phone_change", "nothing"}, kind) {
						want = "validation_failed"
					}
					require.Equal(t, want, outcome(redeem(t, app, mail.Last(email), kind)), kind)
				}
				require.Equal(t, before, app.Snapshot(), "a code of another kind is not spent")
				for _, kind := range redeemable()[mailed] {
					letter := mail.Last(ask(t, app, ""))
					got := redeem(t, app, letter, kind)
					require.Equal(t, "session", outcome(got), kind)
					if way == "link" {
						require.Equal(t, kind, got.Fragment().Get("type"))
					}
					require.Equal(t, "otp_expired", outcome(redeem(t, app, letter, kind)), "spent")
					require.Equal(t, 1, app.Count(`select count(*) from sessions s join mfa_amr_claims m on m.session_id = s.id
						join users u on u.id = s.user_id where u.email = $1 and m.authentication_method = 'otp'`, letter.To))
				}
			})
		}
	}
}

// An invitation is redeemed like a confirmation, by whichever of its types.
func TestVerifyInvitation(t *testing.T) {
	t.Parallel()
	for way, redeem := range ways() {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t, func(c *conf.Config) { c.Mailer.Subjects.Invite = "{{ .Token }}" })
			for _, kind := range []string{"invite", "signup", "email"} {
				email := apitest.NewEmail()
				app.Do(http.MethodPost, "/invite", map[string]any{"email": email}, apitest.Bearer(app.ServiceKey())).OK()
				require.Equal(t, "invite", linkType(t, mail, email))
				for _, foreign := range []string{"recovery", "magiclink"} {
					require.Equal(t, "otp_expired", outcome(redeem(t, app, mail.Last(email), foreign)))
				}
				require.Equal(t, "session", outcome(redeem(t, app, mail.Last(email), kind)), kind)
				require.Equal(t, "otp_expired", outcome(redeem(t, app, mail.Last(email), kind)), "spent")
				require.Equal(t, "true true", app.Text(`select concat_ws(' ', raw_user_meta_data->>'email_verified', i.identity_data->>'email_verified')
					from users u join identities i on i.user_id = u.id where u.email = $1 and email_confirmed_at is not null`, email))
			}
			require.Equal(t, `{"provider": "email"}`, traits(app, "user_signedup"))
		})
	}
}

// A link of a flow leads to the flow of the type it names, or nowhere: then it
// is not spent.
func TestPKCEVerifyTypes(t *testing.T) {
	t.Parallel()
	methods := map[string]string{"confirmation": "email/signup", "magic link": "magiclink", "recovery": "recovery"}
	foreign := map[string][]string{"magic link": {"recovery"}, "recovery": {"magiclink", "email"}}
	for mailed, ask := range mails() {
		t.Run(mailed, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			link, verifier := ways()["link"], verifierOf("app")
			for _, kind := range redeemable()[mailed] {
				letter := mail.Last(ask(t, app, verifier))
				before := app.Snapshot()
				got := link(t, app, letter, kind)
				if slices.Contains(foreign[mailed], kind) {
					require.Equal(t, "flow_state_not_found", outcome(got), kind)
					require.Equal(t, "flow_state_not_found", got.Location().Query().Get("error_code"))
					require.Equal(t, before, app.Snapshot(), "not spent")
					continue
				}
				require.Equal(t, "code", outcome(got), kind)
				require.Empty(t, got.Location().Fragment)
				require.Equal(t, "otp_expired", link(t, app, letter, kind).Location().Query().Get("error_code"))
				session := exchange(app, got.Location().Query().Get("code"), verifier).OK()
				require.Equal(t, methods[mailed], apitest.Claims(t, session["access_token"].(string))["amr"].([]any)[0].(map[string]any)["method"])
			}
		})
	}
}

// Outside the browser a code of a flow gives a session at once, typed or not.
func TestPKCEVerifiedByPost(t *testing.T) {
	t.Parallel()
	for mailed, ask := range mails() {
		for _, way := range []string{"typed", "hash"} {
			t.Run(mailed+" "+way, func(t *testing.T) {
				t.Parallel()
				app, mail := mailing(t)
				for _, kind := range redeemable()[mailed] {
					letter := mail.Last(ask(t, app, verifierOf("app")))
					require.Contains(t, letter.Link(t).Query().Get("token"), "pkce_")
					require.Equal(t, "session", outcome(ways()[way](t, app, letter, kind)), kind)
					require.Equal(t, "otp_expired", outcome(ways()["link"](t, app, letter, kind)), "spent")
				}
			})
		}
	}
}

// The prefix of a flow is part of the hash: neither adding nor removing it
// turns one kind of link into the other.
func TestPKCEPrefixIsNoChoice(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	for verifier, change := range map[string]func(hash string) string{
		verifierOf("app"): func(hash string) string { return strings.TrimPrefix(hash, "pkce_") },
		"":                func(hash string) string { return "pkce_" + hash },
	} {
		email := mails()["recovery"](t, app, verifier)
		hash := change(mail.Last(email).Link(t).Query().Get("token"))
		before := app.Snapshot()
		require.Equal(t, "otp_expired", outcome(app.Do(http.MethodGet, "/verify?type=recovery&token="+hash, nil)))
		require.Equal(t, "otp_expired", outcome(app.Do(http.MethodPost, "/verify", map[string]any{"type": "recovery", "token_hash": hash})))
		require.Equal(t, before, app.Snapshot())
	}
}

// The time of a magic link's flow starts when the link is opened, however old
// the mail.
func TestPKCEMagicLinkExpires(t *testing.T) {
	t.Parallel()
	for name, expired := range map[string]bool{"in time": false, "too late": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			email, life := mails()["magic link"](t, app, verifierOf("app")), app.Config.External.FlowStateExpiryDuration
			app.Clock.Advance(2 * life)
			code := codeOf(t, app, mail, email)
			sessions := app.Count(`select count(*) from sessions`)
			if !expired {
				app.Clock.Advance(life - 30*time.Second)
				exchange(app, code, verifierOf("app")).OK()
				return
			}
			app.Clock.Advance(life + time.Second)
			exchange(app, code, verifierOf("app")).Refused(http.StatusUnprocessableEntity, "flow_state_expired")
			require.Equal(t, sessions, app.Count(`select count(*) from sessions`))
		})
	}
}

// Every mail begins a flow of its own, and the newest is the one that goes on.
func TestPKCEMagicLinkAskedForAgain(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user := app.User(t)
	for _, name := range []string{"first", "second"} {
		sent(t, app.Do(http.MethodPost, "/otp", inFlow(map[string]any{"email": user.Email}, verifierOf(name))))
		app.Clock.Advance(61 * time.Second)
	}
	letters := mail.To(user.Email)
	require.Equal(t, "otp_expired", outcome(ways()["link"](t, app, letters[0], "magiclink")))
	code := codeOf(t, app, mail, user.Email)
	exchange(app, code, verifierOf("first")).Refused(http.StatusBadRequest, "bad_code_verifier")
	exchange(app, code, verifierOf("second")).OK()
}

// A new code kills the one before, whichever of the two mails it came in.
func TestNewCodeKillsTheOlder(t *testing.T) {
	t.Parallel()
	for first, second := range map[string]string{"/recover": "/otp", "/otp": "/recover", "/magiclink": "/magiclink"} {
		for way, redeem := range ways() {
			t.Run(first+second+" "+way, func(t *testing.T) {
				t.Parallel()
				app, mail := mailing(t)
				user := app.User(t)
				sent(t, ask(app, first, user.Email))
				app.Clock.Advance(61 * time.Second)
				sent(t, ask(app, second, user.Email))
				letters := mail.To(user.Email)
				require.Len(t, letters, 2)
				before := app.Snapshot()
				for _, kind := range []string{"recovery", "magiclink", "email"} {
					require.Equal(t, "otp_expired", outcome(redeem(t, app, letters[0], kind)))
				}
				require.Equal(t, before, app.Snapshot())
				require.Equal(t, "session", outcome(redeem(t, app, letters[1], "email")))
			})
		}
	}
}

// Of two links of different kinds the first that is redeemed kills the other.
func TestRedeemedCodeKillsTheOthers(t *testing.T) {
	t.Parallel()
	for name, flow := range map[string]string{"": "", "flow ": verifierOf("app")} {
		for _, first := range []string{"signup", "recovery"} {
			for way, redeem := range ways() {
				t.Run(name+first+" "+way, func(t *testing.T) {
					t.Parallel()
					app, mail := mailing(t)
					letters := twoCodes(t, app, mail, flow)
					second := map[string]string{"signup": "recovery", "recovery": "signup"}[first]
					require.Contains(t, []string{"session", "code"}, outcome(redeem(t, app, letters[first], first)))
					before := app.Snapshot()
					for _, way := range []string{"hash", "link"} {
						for _, kind := range []string{second, "email"} {
							require.Equal(t, "otp_expired", outcome(ways()[way](t, app, letters[second], kind)), "%s %s", way, kind)
						}
					}
					require.Equal(t, before, app.Snapshot())
				})
			}
		}
	}
}

// twoCodes are the letters of a new user with two codes pending, by type.
func twoCodes(t *testing.T, app *apitest.App, mail *apitest.Mail, verifier string) map[string]apitest.Letter {
	t.Helper()
	email := mails()["confirmation"](t, app, verifier)
	confirmation := mail.Last(email)
	body := map[string]any{"email": email}
	if verifier != "" {
		inFlow(body, verifier)
	}
	sent(t, app.Do(http.MethodPost, "/recover", body))
	return map[string]apitest.Letter{"signup": confirmation, "recovery": mail.Last(email)}
}

func TestCodesExpire(t *testing.T) {
	t.Parallel()
	for mailed, ask := range mails() {
		for way, redeem := range ways() {
			t.Run(mailed+" "+way, func(t *testing.T) {
				t.Parallel()
				app, mail := mailing(t)
				late, early, life := ask(t, app, ""), ask(t, app, ""), app.Config.Mailer.OTPExp
				app.Clock.Advance(life - 30*time.Second)
				require.Equal(t, "session", outcome(redeem(t, app, mail.Last(early), "email")))
				app.Clock.Advance(31 * time.Second)
				before := app.Snapshot()
				for _, kind := range redeemable()[mailed] {
					require.Equal(t, "otp_expired", outcome(redeem(t, app, mail.Last(late), kind)))
				}
				require.Equal(t, before, app.Snapshot())
			})
		}
	}
}

// Whoever the project has shut out stays out, and no code is spent on it.
func TestCodesOfUsersMeanwhile(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(app *apitest.App, email string)
		want   string
	}{
		"banned": {func(app *apitest.App, email string) {
			app.Exec(`update users set banned_until = now() + interval '1 day' where email = $1`, email)
		}, "user_banned"},
		"banned, and too late": {func(app *apitest.App, email string) {
			app.Clock.Advance(25 * time.Hour)
			app.Exec(`update users set banned_until = now() + interval '9 days' where email = $1`, email)
		}, "user_banned"},
		"deleted": {func(app *apitest.App, email string) {
			app.Exec(`delete from users where email = $1`, email)
		}, "otp_expired"},
		"soft-deleted": {func(app *apitest.App, email string) {
			app.Do(http.MethodDelete, "/admin/users/"+app.Text(`select id::text from users where email = $1`, email),
				map[string]any{"should_soft_delete": true}, apitest.Bearer(app.ServiceKey())).OK()
		}, "otp_expired"},
	} {
		for way, redeem := range ways() {
			t.Run(name+" "+way, func(t *testing.T) {
				t.Parallel()
				app, mail := mailing(t)
				email := mails()["recovery"](t, app, "")
				inFlow := mails()["magic link"](t, app, verifierOf("app"))
				test.change(app, email)
				test.change(app, inFlow)
				before := app.Snapshot()
				require.Equal(t, test.want, outcome(redeem(t, app, mail.Last(email), "recovery")))
				require.Equal(t, test.want, outcome(redeem(t, app, mail.Last(inFlow), "magiclink")))
				require.Equal(t, before, app.Snapshot())
			})
		}
	}
}

// A new password ends what an attacker may have asked for before.
func TestPasswordKillsCodes(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	user := app.User(t)
	sent(t, ask(app, "/recover", user.Email))
	app.Do(http.MethodPut, "/user", map[string]any{"password": "another password"}, apitest.Bearer(user.AccessToken)).OK()
	for way, redeem := range ways() {
		require.Equal(t, "otp_expired", outcome(redeem(t, app, mail.Last(user.Email), "recovery")), way)
	}
}

// Sixteen requests with one code, by every way and over two replicas: one of
// them gets a session.
func TestCodesConcurrently(t *testing.T) {
	t.Parallel()
	for mailed, ask := range mails() {
		t.Run(mailed, func(t *testing.T) {
			t.Parallel()
			app, mail := mailing(t)
			servers, redemptions := []*apitest.App{app, app.Replica(t)}, slices.Collect(maps.Values(ways()))
			letter := mail.Last(ask(t, app, ""))
			app.Exec(`delete from sessions`)
			app.Exec(`delete from audit_log_entries`)
			answers := concurrently(16, func(i int) *apitest.Response {
				return redemptions[i%3](t, servers[i%2], letter, "email")
			})
			require.Equal(t, 1, won(t, answers))
			require.Equal(t, 1, app.Count(`select count(*) from sessions`))
			require.Equal(t, 1, app.Count(`select count(*) from audit_log_entries`))
			require.Equal(t, 0, app.Count(`select count(*) from one_time_tokens`))
		})
	}
}

// won counts the sessions; all other requests must have come too late.
func won(t *testing.T, answers []*apitest.Response) int {
	t.Helper()
	n := 0
	for _, answer := range answers {
		if outcome(answer) == "session" {
			n++
			continue
		}
		require.Equal(t, "otp_expired", outcome(answer), "%d %s", answer.Status, answer.Body)
	}
	return n
}

// Guesses at links and codes are refused as such and write nothing.
func TestVerifyBadInput(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	letter := mail.Last(mails()["recovery"](t, app, ""))
	before := app.Snapshot()
	hostile := []string{
		"", "0", "pkce_", "%", "' or 1=1 --", "\x00", "pkce_\x00", "\xff", "a\r\nb", strings.Repeat("a", 10_000), "{}", "null",
		strings.ToUpper(letter.Link(t).Query().Get("token")), letter.Link(t).Query().Get("token") + " ",
	}
	for _, kind := range []string{"recovery", "magiclink", "email", "invite", "signup", "\x00", "RECOVERY"} {
		for _, text := range hostile {
			got := app.Do(http.MethodGet, "/verify?"+url.Values{"type": {kind}, "token": {text}, "redirect_to": {text}}.Encode(), nil)
			if got.Status == http.StatusSeeOther {
				require.Contains(t, []string{"access_denied", "invalid_request"}, got.Fragment().Get("error"), "%q %q", kind, text)
				require.Equal(t, "app.test", got.Location().Host)
			} else {
				refusedSomehow(t, got, kind+" "+text)
			}
			for _, body := range []map[string]any{
				{"type": kind, "token_hash": text}, {"type": kind, "token": text, "email": letter.To},
				{"type": kind, "token": letter.Subject, "email": text},
			} {
				refusedSomehow(t, app.Do(http.MethodPost, "/verify", body), kind+" "+text)
			}
		}
	}
	for _, body := range []string{
		`{"type": ["email"]}`, `{"type": "email", "token": 123456, "email": "a@b"}`, `{"type": "email", "token_hash": {}}`, "null",
	} {
		refusedSomehow(t, app.Do(http.MethodPost, "/verify", body), body)
	}
	require.Equal(t, before, app.Snapshot())
	require.Equal(t, "session", outcome(ways()["typed"](t, app, letter, "recovery")), "no guess has spent the code")
}

// What a redemption costs the database, BEGIN and COMMIT not counted.
func TestVerifyStatements(t *testing.T) {
	t.Parallel()
	app, mail := mailing(t)
	budgets := map[string]int{"typed": 3, "hash": 2, "link": 2}
	for mailed, ask := range mails() {
		for way, redeem := range ways() {
			letter := mail.Last(ask(t, app, ""))
			spent := app.Statements(func() { require.Equal(t, "session", outcome(redeem(t, app, letter, "email"))) })
			require.LessOrEqual(t, spent, budgets[way], "%s %s", mailed, way)
			spent = app.Statements(func() { require.Equal(t, "otp_expired", outcome(redeem(t, app, letter, "email"))) })
			require.LessOrEqual(t, spent, 2, "%s %s, refused", mailed, way)
		}
	}
}
