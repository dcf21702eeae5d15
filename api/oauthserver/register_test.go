package oauthserver_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/secret"
)

const registerPath = "/oauth/clients/register"

// RFC 7591 §3.2.1: the client learns all that was registered, and its secret
// this once.
func TestRegistration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	for name, body := range map[string]string{
		"confidential": `{"redirect_uris":["https://client.test/callback","http://localhost/cb"],"client_name":"Registered",
			"client_uri":"https://client.test","logo_uri":"https://client.test/logo.png","scope":"openid email",
			"token_endpoint_auth_method":"client_secret_post","grant_types":["authorization_code"],"response_types":["code"]}`,
		"public":  `{"redirect_uris":["https://client.test/callback"],"token_endpoint_auth_method":"none"}`,
		"minimal": `{"redirect_uris":["https://client.test/callback"]}`,
	} {
		b.run(name, func(b *bundle) {
			answer := b.Do(http.MethodPost, registerPath, body)
			require.Equal(b.t, http.StatusCreated, answer.Status, "%s", answer.Body)
			b.noStore(answer)
			made := answer.JSON()
			id, _ := made["client_id"].(string)
			clientSecret, _ := made["client_secret"].(string)
			require.InDelta(b.t, b.UnixIn(0), made["client_id_issued_at"], 5)
			for _, member := range []string{"client_id_issued_at", "created_at", "updated_at"} {
				require.NotEmpty(b.t, made[member])
				made[member] = "SOME"
			}
			names := []string{id, "CLIENT"}
			if clientSecret != "" {
				require.Regexp(b.t, `^[\w-]{43}$`, clientSecret)
				names = append(names, clientSecret, "SECRET")
				require.Equal(b.t, secret.Digest(clientSecret), b.Text(`select client_secret_hash from oauth_clients where id = $1`, id))
			}
			golden(b.t, "registration_"+name, made, names...)
			require.Equal(b.t, "dynamic", b.Text(`select registration_type::text from oauth_clients where id = $1`, id))
			if name != "confidential" {
				b.grant(&apitest.Client{ID: id, Secret: clientSecret, RedirectURI: apitest.RedirectURI}, u)
			}
		})
	}
}

// RFC 7591 §2: what the server does not know it ignores. A caller cannot
// choose what is the server's to give.
func TestRegistrationIgnoresUnknownMembers(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.Do(http.MethodPost, registerPath, `{"redirect_uris":["https://client.test/callback"],"contacts":["a@client.test"],
		"application_type":"native","jwks":{"keys":[]},"software_statement":"eyJ","x":{"y":[1]},
		"client_id":"7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b","client_secret":"chosen","registration_type":"manual",
		"client_id_issued_at":1,"created_at":"2001-01-01T00:00:00Z"}`)
	require.Equal(t, http.StatusCreated, made.Status)
	body := made.JSON()
	require.NotEqual(t, "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b", body["client_id"])
	require.NotEqual(t, "chosen", body["client_secret"])
	require.Equal(t, "dynamic", body["registration_type"])
	for _, name := range []string{"contacts", "jwks", "software_statement", "x", "application_type"} {
		require.NotContains(t, body, name)
	}
}

// RFC 7591 §3.2.2: the two codes that a refusal can have.
func TestRegistrationErrors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const good = `"redirect_uris":["https://client.test/callback"]`
	uris := func(list string) string { return `{"redirect_uris":[` + list + `]}` }
	b.writesNothing(func() {
		for code, bodies := range map[string][]string{
			"invalid_redirect_uri": {
				`{}`, `null`, `{"redirect_uris":null}`, uris(``), uris(`""`), uris(`"/relative"`), uris(`"https://client.test/#x"`),
				uris(`"http://client.test/"`), uris(`"javascript:alert(1)"`), uris(`"https://client.test/a,b"`),
				uris(`"https://u:p@client.test/"`), uris(`"https://*.client.test/"`), uris(`"https://client.test/\u0000"`),
				uris(`"https://é.test/"`), uris(`"https://client.test/` + strings.Repeat("x", 2048) + `"`),
				uris(strings.TrimSuffix(strings.Repeat(`"https://client.test/",`, 11), ",")),
				uris(`"https://client.test/","http://client.test/"`),
			},
			"invalid_client_metadata": {
				``, `{`, `[]`, `"x"`, `{"redirect_uris":"https://client.test/"}`, `{"redirect_uris":[1]}`,
				`{` + good + `,"grant_types":["implicit"]}`, `{` + good + `,"response_types":["token"]}`,
				`{` + good + `,"client_name":"` + strings.Repeat("x", 1025) + `"}`, `{` + good + `,"client_name":"a\u0000b"}`,
				`{` + good + `,"client_name":"a\u202eb"}`, `{` + good + `,"client_uri":"javascript:alert(1)"}`,
				`{` + good + `,"logo_uri":"data:image/png;base64,x"}`, `{` + good + `,"client_type":"secret"}`,
				`{` + good + `,"token_endpoint_auth_method":"private_key_jwt"}`,
				`{` + good + `,"client_type":"public","token_endpoint_auth_method":"client_secret_basic"}`,
				`{` + good + `,"scope":"a\"b"}`,
			},
		} {
			for _, body := range bodies {
				b.run(body[:min(60, len(body))], func(b *bundle) {
					answer := b.Do(http.MethodPost, registerPath, body)
					require.NotEmpty(b.t, answer.RefusedOAuth(http.StatusBadRequest, code))
					require.NotContains(b.t, string(answer.Body), "400: ")
				})
			}
		}
	})
}

// RFC 7591 §3: registration is open only where the operator opens it.
func TestRegistrationOff(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.OAuthServer.AllowDynamicRegistration = false })
	b.writesNothing(func() {
		b.Do(http.MethodPost, registerPath, `{"redirect_uris":["https://client.test/callback"]}`).
			Refused(http.StatusForbidden, "oauth_dynamic_client_registration_disabled")
	})
}

// Where a header tells clients apart, each may register so many.
func TestRegistrationRateLimit(t *testing.T) {
	t.Parallel()
	const body = `{"redirect_uris":["https://client.test/callback"]}`
	b := setup(t, func(cfg *conf.Config) { cfg.RateLimit.Header = "X-Real-IP" })
	from := func(address string) *apitest.Response {
		return b.Do(http.MethodPost, registerPath, body, apitest.Header("X-Real-IP", address))
	}
	for range 30 { // the burst
		require.Equal(t, http.StatusCreated, from("192.0.2.1").Status)
	}
	b.writesNothing(func() { from("192.0.2.1").Refused(http.StatusTooManyRequests, "over_request_rate_limit") })
	require.Equal(t, http.StatusCreated, from("192.0.2.2").Status)
	b.Clock.Advance(30 * time.Second) // 10 in five minutes
	require.Equal(t, http.StatusCreated, from("192.0.2.1").Status)
	from("192.0.2.1").Refused(http.StatusTooManyRequests, "over_request_rate_limit")

	unlimited := setup(t)
	for range 40 {
		require.Equal(t, http.StatusCreated, unlimited.Do(http.MethodPost, registerPath, body).Status)
	}
}
