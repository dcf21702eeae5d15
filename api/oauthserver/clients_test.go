package oauthserver_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/secret"
)

const clientsPath = "/admin/oauth/clients"

// manage sends a request as an administrator.
func (b *bundle) manage(method, path string, body any) *apitest.Response {
	b.t.Helper()
	return b.Do(method, path, body, apitest.Bearer(b.ServiceKey()))
}

// GoTrue's client object, as SDKs read it.
func TestAdminCreatesClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	answer := b.manage(http.MethodPost, clientsPath, `{"redirect_uris":["https://client.test/callback","com.example.app:/cb"],
		"client_name":"Example","client_uri":"https://client.test","logo_uri":"https://client.test/logo.png","grant_types":["refresh_token","authorization_code","refresh_token"]}`)
	require.Equal(t, http.StatusCreated, answer.Status, "%s", answer.Body)
	made := answer.JSON()
	id, clientSecret := made["client_id"].(string), made["client_secret"].(string)
	require.Equal(t, secret.Digest(clientSecret), b.Text(`select client_secret_hash from oauth_clients where id = $1`, id))
	shown := b.manage(http.MethodGet, clientsPath+"/"+id, nil).OK()
	delete(made, "client_secret")
	require.Equal(t, made, shown, "all but the secret")
	require.Equal(t, []any{shown}, b.manage(http.MethodGet, clientsPath, nil).OK()["clients"])
	shown["created_at"], shown["updated_at"] = "SOME", "SOME"
	golden(t, "admin_client", shown, id, "CLIENT")
}

func TestAdminListsClients(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.JSONEq(t, `{"clients":[]}`, string(b.manage(http.MethodGet, clientsPath, nil).Body))
	first, second, third := b.Client(t), b.Client(t, apitest.Public), b.Client(t)
	b.manage(http.MethodDelete, clientsPath+"/"+first.ID, nil).OK()
	var ids []any
	for _, one := range b.manage(http.MethodGet, clientsPath+"?page=&per_page=", nil).OK()["clients"].([]any) {
		ids = append(ids, one.(map[string]any)["client_id"])
		require.NotContains(t, one, "client_secret")
	}
	require.Equal(t, []any{third.ID, second.ID}, ids, "the newest first, deleted ones not")
}

// An update changes what it names, and nothing else.
func TestAdminUpdatesClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.described(), b.User(t)
	path := clientsPath + "/" + c.ID
	before := b.manage(http.MethodGet, path, nil).OK()
	after := b.manage(http.MethodPut, path, `{"client_name":"Renamed","logo_uri":"","redirect_uris":["https://new.test/cb"],
		"client_type":"public","client_secret":"x","registration_type":"dynamic"}`).OK()
	require.Equal(t, after, b.manage(http.MethodGet, path, nil).OK())
	before["client_name"], before["redirect_uris"], before["updated_at"] = "Renamed", []any{"https://new.test/cb"}, after["updated_at"]
	delete(before, "logo_uri")
	require.Equal(t, before, after)
	b.authorize(request(c)).Refused(http.StatusBadRequest, "validation_failed")
	c.RedirectURI = "https://new.test/cb"
	b.grant(c, u)

	b.manage(http.MethodPut, path, `{"token_endpoint_auth_method":"client_secret_post"}`).OK()
	form := with(codeForm(c, b.code(c, u)), "client_id", c.ID, "client_secret", c.Secret)
	b.invalidClient(b.exchange(c, form.Get("code")))
	b.post(form).OK()
}

func TestAdminClientValidation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	confidential, public := b.Client(t), b.Client(t, apitest.Public)
	long := strings.Repeat("x", 2049)
	b.writesNothing(func() {
		for _, refusal := range []struct{ body, message string }{
			{`{}`, "redirect_uris is required"},
			{`{"redirect_uris":[]}`, "redirect_uris is required"},
			{`{"redirect_uris":["http://client.test/"]}`, "invalid redirect_uri 'http://client.test/': HTTP scheme only allowed for localhost"},
			{`{"redirect_uris":["https://c.test/"],"grant_types":["password"]}`, "grant_types must only contain 'authorization_code' and/or 'refresh_token'"},
			{`{"redirect_uris":["https://c.test/"],"client_uri":"` + long + `"}`, "client_uri cannot exceed 2048 characters"},
			{`{"redirect_uris":["https://c.test/"],"logo_uri":"x"}`, "logo_uri must be a valid URL"},
			{`{"redirect_uris":["https://c.test/"],"client_type":"x"}`, "client_type must be 'public' or 'confidential'"},
		} {
			b.run("create "+refusal.body[:min(50, len(refusal.body))], func(b *bundle) {
				require.Contains(b.t, b.manage(http.MethodPost, clientsPath, refusal.body).Refused(http.StatusBadRequest, "validation_failed"), refusal.message)
			})
		}
		for _, refusal := range []struct {
			client        *apitest.Client
			body, message string
		}{
			{confidential, `{}`, "No fields provided for update"},
			{confidential, `null`, "No fields provided for update"},
			{confidential, `{"client_type":"public"}`, "No fields provided for update"},
			{confidential, `{"redirect_uris":[]}`, "redirect_uris cannot be empty"},
			{confidential, `{"grant_types":[]}`, "grant_types cannot be empty"},
			{confidential, `{"redirect_uris":["x"]}`, "invalid redirect_uri 'x': must have scheme and host"},
			{confidential, `{"client_name":"ok","client_uri":"javascript:x"}`, "client_uri must be a valid URL"},
			{confidential, `{"token_endpoint_auth_method":"x"}`, "invalid token_endpoint_auth_method: must be one of [none client_secret_basic client_secret_post]"},
			{confidential, `{"token_endpoint_auth_method":"none"}`, "token_endpoint_auth_method 'none' is not valid for client_type 'confidential'; valid methods: [client_secret_basic client_secret_post]"},
			{public, `{"token_endpoint_auth_method":"client_secret_basic"}`, "token_endpoint_auth_method 'client_secret_basic' is not valid for client_type 'public'; valid methods: [none]"},
		} {
			b.run("update "+refusal.body, func(b *bundle) {
				require.Equal(b.t, refusal.message,
					b.manage(http.MethodPut, clientsPath+"/"+refusal.client.ID, refusal.body).Refused(http.StatusBadRequest, "validation_failed"))
			})
		}
		for _, body := range []string{"", "{", "[]", `{"redirect_uris":"x"}`} {
			b.manage(http.MethodPost, clientsPath, body).Refused(http.StatusBadRequest, "bad_json")
			b.manage(http.MethodPut, clientsPath+"/"+public.ID, body).Refused(http.StatusBadRequest, "bad_json")
		}
	})
}

// A new secret works at once, and the old one no longer.
func TestAdminRegeneratesSecret(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, public, u := b.Client(t), b.Client(t, apitest.Public), b.User(t)
	tokens := b.grant(c, u)
	answer := b.manage(http.MethodPost, clientsPath+"/"+c.ID+"/regenerate_secret", nil)
	renewed := &apitest.Client{ID: c.ID, Secret: answer.OK()["client_secret"].(string), RedirectURI: c.RedirectURI}
	require.Regexp(t, `^[\w-]{43}$`, renewed.Secret)
	require.NotEqual(t, c.Secret, renewed.Secret)
	b.invalidClient(b.RefreshGrant(c, tokens.RefreshToken))
	b.alive(renewed, tokens)
	b.writesNothing(func() {
		require.Equal(t, "Cannot regenerate secret for public client",
			b.manage(http.MethodPost, clientsPath+"/"+public.ID+"/regenerate_secret", nil).Refused(http.StatusBadRequest, "validation_failed"))
	})
}

// Deleting a client ends all that it holds: sessions, codes, requests,
// consents.
func TestAdminDeletesClient(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, bystander, u := b.Client(t), b.Client(t), b.User(t)
	tokens, others := b.grant(c, u), b.grant(bystander, u)
	code, handle := b.code(c, u), b.ask(c)
	answer := b.manage(http.MethodDelete, clientsPath+"/"+c.ID, nil)
	require.Equal(t, http.StatusNoContent, answer.Status)
	require.Empty(t, answer.Body)

	b.userInfo(tokens.AccessToken).RefusedOAuth(http.StatusUnauthorized, "invalid_token")
	b.Do(http.MethodGet, "/user", nil, apitest.Bearer(tokens.AccessToken)).Refused(http.StatusForbidden, "session_not_found")
	b.invalidClient(b.RefreshGrant(c, tokens.RefreshToken))
	b.invalidClient(b.exchange(c, code))
	b.details(u, handle).Refused(http.StatusNotFound, "oauth_authorization_not_found")
	require.Zero(t, b.Count(`select count(*) from oauth_authorizations where client_id = $1`, c.ID))
	require.Zero(t, b.Count(`select count(*) from sessions where oauth_client_id = $1`, c.ID))
	require.Zero(t, b.Count(`select count(*) from oauth_consents where client_id = $1 and revoked_at is null`, c.ID))
	b.alive(bystander, others)
	b.userInfo(u.AccessToken).OK()
}

func TestAdminClientNotFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	deleted := b.Client(t)
	b.manage(http.MethodDelete, clientsPath+"/"+deleted.ID, nil).OK()
	b.writesNothing(func() {
		for id, refusal := range map[string]struct {
			status int
			code   string
		}{
			deleted.ID:                             {http.StatusNotFound, "oauth_client_not_found"},
			"00000000-0000-0000-0000-000000000000": {http.StatusNotFound, "oauth_client_not_found"},
			"x":                                    {http.StatusBadRequest, "validation_failed"},
			url.PathEscape("a\x00b"):               {http.StatusBadRequest, "validation_failed"},
		} {
			path := clientsPath + "/" + id
			b.manage(http.MethodGet, path, nil).Refused(refusal.status, refusal.code)
			b.manage(http.MethodPut, path, `{"client_name":"x"}`).Refused(refusal.status, refusal.code)
			b.manage(http.MethodDelete, path, nil).Refused(refusal.status, refusal.code)
			b.manage(http.MethodPost, path+"/regenerate_secret", nil).Refused(refusal.status, refusal.code)
		}
	})
}

// Clients are managed by administrators only.
func TestAdminClientsNeedAnAdministrator(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	tokens := b.grant(c, u)
	path := clientsPath + "/" + c.ID
	b.writesNothing(func() {
		for _, route := range [][2]string{
			{http.MethodGet, clientsPath}, {http.MethodPost, clientsPath}, {http.MethodGet, path}, {http.MethodPut, path},
			{http.MethodDelete, path}, {http.MethodPost, path + "/regenerate_secret"},
		} {
			b.Do(route[0], route[1], `{"client_name":"x"}`).Refused(http.StatusUnauthorized, "no_authorization")
			for _, token := range []string{u.AccessToken, tokens.AccessToken, b.AnonKey()} {
				b.Do(route[0], route[1], `{"client_name":"x"}`, apitest.Bearer(token)).Refused(http.StatusForbidden, "not_admin")
			}
			b.Do(route[0], route[1], nil, apitest.Bearer(tokens.IDToken)).Refused(http.StatusForbidden, "bad_jwt")
		}
	})
}
