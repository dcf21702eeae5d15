package api_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// route is a route that reads JSON, with a member that it takes as a string.
type route struct {
	method, path, member string
	bearer               string // none, user or admin
}

func jsonRoutes() []route {
	id := uuid.Must(uuid.NewV4()).String()
	return []route{
		{http.MethodPost, "/signup", "email", ""},
		{http.MethodPost, "/token?grant_type=password", "email", ""},
		{http.MethodPost, "/token?grant_type=refresh_token", "refresh_token", ""},
		{http.MethodPost, "/verify", "type", ""},
		{http.MethodPost, "/resend", "type", ""},
		{http.MethodPost, "/otp", "phone", ""},
		{http.MethodPut, "/user", "email", "user"},
		{http.MethodPost, "/oauth/clients/register", "client_name", ""},
		{http.MethodPost, "/oauth/authorizations/" + id + "/consent", "action", "user"},
		{http.MethodPost, "/admin/users", "email", "admin"},
		{http.MethodPut, "/admin/users/", "email", "admin"}, // completed with the user's id
		{http.MethodPost, "/admin/oauth/clients", "client_name", "admin"},
		{http.MethodPut, "/admin/oauth/clients/", "client_name", "admin"}, // completed with the client's id
	}
}

// hostile are a server with a user and a client, and the options that
// authenticate as whom a route needs.
type hostile struct {
	*apitest.App
	user   *apitest.User
	client *apitest.Client
}

func newHostile(t *testing.T) *hostile {
	t.Helper()
	app := apitest.New(t, byPhone)
	return &hostile{app, app.User(t), app.Client(t)}
}

func (h *hostile) send(r route, body any, options ...apitest.Option) *apitest.Response {
	switch r.path {
	case "/admin/users/":
		r.path += h.user.ID
	case "/admin/oauth/clients/":
		r.path += h.client.ID
	}
	switch r.bearer {
	case "user":
		options = append(options, apitest.Bearer(h.user.AccessToken))
	case "admin":
		options = append(options, apitest.Bearer(h.ServiceKey()))
	}
	return h.Do(r.method, r.path, body, options...)
}

// refusedSomehow demands an error of the caller's in one of the two shapes.
func refusedSomehow(t *testing.T, got *apitest.Response, what string) {
	t.Helper()
	require.GreaterOrEqual(t, got.Status, 400, "%s: %s", what, got.Body)
	require.Less(t, got.Status, 500, "%s: %s", what, got.Body)
	body := got.JSON()
	if body["error_code"] == nil {
		require.NotEmpty(t, body["error"], "%s: %s", what, got.Body)
		return
	}
	require.NotEmpty(t, body["msg"], what)
	require.InDelta(t, got.Status, body["code"], 0, what)
}

func TestBadJSON(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	before := h.Snapshot()
	for _, r := range jsonRoutes() {
		for name, body := range map[string]string{
			"empty": "", "cut off": `{"a":`, "no JSON": "hello", "an array": "[]", "a number": "7", "a string": `"x"`,
			"two values": `{} {}`, "wrong type": `{"` + r.member + `": 7}`, "object for string": `{"` + r.member + `": {}}`,
			"NUL": `{"` + r.member + `": "a\u0000b"}`, "raw NUL": "{\"" + r.member + "\": \"a\x00b\"}",
			"nested NUL": `{"data": {"a": ["x\u0000"]}, "user_metadata": {"a": "\u0000"}, "redirect_uris": ["https://a.test/\u0000"]}`,
			"too deep":   strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000),
			"form":       "email=a%40b&password=secret1",
			"UTF-16":     "\xff\xfe{\x00}\x00", "BOM": "\xef\xbb\xbf{}",
		} {
			refusedSomehow(t, h.send(r, body), r.path+" "+name)
		}
		refusedSomehow(t, h.send(r, url.Values{"email": {"a@b"}}), r.path+" form")
	}
	require.Equal(t, before, h.Snapshot())
}

// GoTrue's own wording and code for the commonest mistakes.
func TestBadJSONOfGoTruesRoutes(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	for _, r := range jsonRoutes()[:6] {
		const prefix = "Could not parse request body as JSON: "
		require.Equal(t, prefix+"unexpected end of JSON input", h.send(r, "").Refused(http.StatusBadRequest, "bad_json"), r.path)
		require.Equal(t, prefix+"unexpected end of JSON input", h.send(r, `{"email":"a@b"}`,
			apitest.Header("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")).Refused(http.StatusBadRequest, "bad_json"), r.path)
		require.Contains(t, h.send(r, `{"`+r.member+`":1}`).Refused(http.StatusBadRequest, "bad_json"), "cannot unmarshal number", r.path)
	}
}

func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	before := h.Snapshot()
	large := `{"a":"` + strings.Repeat("x", 1<<20) + `"}`
	for _, r := range jsonRoutes() {
		require.Equal(t, "Request body too large (max 1048576 bytes)",
			h.send(r, large).Refused(http.StatusRequestEntityTooLarge, "request_entity_too_large"), r.path)
	}
	form := url.Values{"grant_type": {"password"}, "a": {strings.Repeat("x", 1<<20)}}
	for _, path := range []string{"/token", "/oauth/token", "/oauth/authorize"} {
		h.Do(http.MethodPost, path, form).Refused(http.StatusRequestEntityTooLarge, "request_entity_too_large")
	}
	require.Equal(t, before, h.Snapshot())
}

// A multipart body is no way around the limit, and is not written to disk.
func TestMultipartBody(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	require.NoError(t, form.WriteField("grant_type", "password"))
	file, err := form.CreateFormFile("file", "large")
	require.NoError(t, err)
	_, err = file.Write(bytes.Repeat([]byte("x"), 2<<20))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	contentType := apitest.Header("Content-Type", form.FormDataContentType())
	got := h.Do(http.MethodPost, "/token", body.Bytes(), contentType)
	require.Contains(t, []int{http.StatusBadRequest, http.StatusRequestEntityTooLarge}, got.Status)
	got = h.Do(http.MethodPost, "/token?grant_type=password", body.Bytes(), contentType)
	got.Refused(http.StatusRequestEntityTooLarge, "request_entity_too_large")
}

// Characters that PostgreSQL cannot hold, wherever they come from.
func TestBadCharacters(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	user := apitest.Bearer(h.user.AccessToken)
	admin := apitest.Bearer(h.ServiceKey())
	aud := apitest.Header("X-JWT-AUD", "\xff")
	before := h.Snapshot()
	for _, bad := range []string{"%00", "%ff", "%c3%28", "%ed%a0%80", "a%00b"} {
		for _, r := range []struct {
			method, path string
			option       apitest.Option
		}{
			{http.MethodGet, "/oauth/authorizations/" + bad, user},
			{http.MethodGet, "/admin/users/" + bad, admin},
			{http.MethodGet, "/admin/users?filter=" + bad, admin},
			{http.MethodGet, "/admin/users?cursor=" + bad, admin},
			{http.MethodGet, "/admin/oauth/clients/" + bad, admin},
			{http.MethodDelete, "/user/oauth/grants?client_id=" + bad, user},
			{http.MethodPost, "/logout?scope=" + bad, user},
			{http.MethodGet, "/oauth/authorize?client_id=" + bad + "&redirect_uri=x", user},
			{http.MethodGet, "/oauth/authorize?client_id=" + h.client.ID + "&redirect_uri=" + bad, user},
		} {
			got := h.Do(r.method, r.path, nil, r.option)
			if strings.HasPrefix(r.path, "/admin/users?") && got.Status == http.StatusOK {
				continue // an unknown parameter may be ignored
			}
			refusedSomehow(t, got, r.method+" "+r.path)
		}
		got := h.Do(http.MethodGet, "/verify?type=signup&token="+bad, nil)
		require.Equal(t, http.StatusSeeOther, got.Status)
		require.Contains(t, []string{"validation_failed", "otp_expired"}, got.Fragment().Get("error_code"))
		got = h.Do(http.MethodGet, "/verify?token=1&type="+bad, nil)
		require.Equal(t, "validation_failed", got.Fragment().Get("error_code"))
		refusedSomehow(t, h.Do(http.MethodPost, "/token?grant_type="+bad, "{}"), bad)
	}
	for _, r := range jsonRoutes()[:2] {
		body := map[string]any{"email": apitest.NewEmail(), "password": apitest.Password}
		refusedSomehow(t, h.send(r, body, aud), r.path+" with a bad audience")
	}
	require.Equal(t, before, h.Snapshot())
}

// The state of a request comes back as it was sent or not at all.
func TestBadCharactersInAnAuthorizationRequest(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	before := h.Snapshot()
	for _, name := range []string{"state", "nonce", "scope", "resource", "code_challenge", "code_challenge_method", "response_type"} {
		for _, bad := range []string{"\x00", "a\xffb"} {
			params, _ := apitest.AuthorizeParams(h.client)
			params.Set(name, bad)
			target := h.Do(http.MethodGet, "/oauth/authorize?"+params.Encode(), nil).Location()
			require.Equal(t, "client.test", target.Host, name)
			require.NotEmpty(t, target.Query().Get("error"), name)
			require.NotEqual(t, "server_error", target.Query().Get("error"), name)
		}
	}
	require.Equal(t, before, h.Snapshot())
}

// Long values, up to what a body or URL may hold.
func TestLongValues(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	long := strings.Repeat("x", 900_000)
	user := apitest.Bearer(h.user.AccessToken)
	before := h.Snapshot()
	for _, r := range jsonRoutes() {
		if r.path == "/oauth/clients/register" || r.bearer == "admin" && strings.Contains(r.path, "oauth") {
			continue // clients have limits of their own, tested beside them
		}
		got := h.send(r, map[string]any{r.member: long, "password": apitest.Password, "token": "1", "token_hash": ""})
		refusedSomehow(t, got, r.path)
	}
	refusedSomehow(t, login(h.App, map[string]any{"email": h.user.Email, "password": long}), "password")
	refusedSomehow(t, h.Do(http.MethodPost, "/verify", map[string]any{"type": "email", "token_hash": long}), "token_hash")
	refusedSomehow(t, h.Do(http.MethodGet, "/oauth/authorizations/"+long, nil, user), "authorization_id")
	refusedSomehow(t, h.Do(http.MethodPost, "/logout?scope="+long, nil, user), "scope")
	refusedSomehow(t, h.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), nil), apitest.Header("X-JWT-AUD", long)), "audience")
	require.Equal(t, before, h.Snapshot())
}

// Metadata may be as large and deep as a body, and no index or parser of the
// database may trip over it.
func TestLargeMetadata(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	long := strings.Repeat("0123456789abcdef", 20_000)
	deep := any("bottom")
	for range 9000 {
		deep = []any{deep}
	}
	for name, data := range map[string]map[string]any{
		"long": {"name": long, "full_name": long, "email": long, "phone": long, "sub": long},
		"deep": {"a": deep}, "many": manyMembers(20_000), "key": {long: 1}, "odd": {"": "", "\u0001": "\u2028\U0001F600"},
		"number": {"big": 1e308, "tiny": 5e-324},
	} {
		got := h.Do(http.MethodPost, "/signup", signUp(apitest.NewEmail(), data))
		require.Less(t, got.Status, 500, "%s: %.300s", name, got.Body)
		got = h.Do(http.MethodPut, "/user", map[string]any{"data": data}, apitest.Bearer(h.user.AccessToken))
		require.Less(t, got.Status, 500, "%s: %.300s", name, got.Body)
		got = h.Do(http.MethodPost, "/signup", map[string]any{"data": data})
		require.Less(t, got.Status, 500, "%s: %.300s", name, got.Body)
	}
	h.Do(http.MethodPost, "/signup", `{"data":{"n":1e999999}}`).Refused(http.StatusBadRequest, "bad_json")
}

func manyMembers(n int) map[string]any {
	members := make(map[string]any, n)
	for i := range n {
		members["m"+strings.Repeat("x", i%7)+string(rune('a'+i%26))+uuid.Must(uuid.NewV4()).String()[:8]] = i
	}
	return members
}

// A backslash before u0000 that is itself escaped is text.
func TestEscapedBackslashIsNoNUL(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	body := h.Do(http.MethodPut, "/user", `{"data":{"a":"\\u0000","b":"\\\\u0000"}}`, apitest.Bearer(h.user.AccessToken)).OK()
	metadata := body["user_metadata"].(map[string]any)
	require.Equal(t, `\u0000`, metadata["a"])
	require.Equal(t, `\\u0000`, metadata["b"])
	h.Do(http.MethodPut, "/user", `{"data":{"a":"\\\u0000"}}`, apitest.Bearer(h.user.AccessToken)).Refused(http.StatusBadRequest, "bad_json")
}

// Ids of other people, and of nobody, say nothing and change nothing.
func TestForeignIDs(t *testing.T) {
	t.Parallel()
	h := newHostile(t)
	victim := h.For(t).User(t)
	grant := h.Grant(t, victim, h.client)
	request := h.Authorize(t, h.client)
	h.Approve(t, victim, request)
	pending := h.Authorize(t, h.client)
	h.Do(http.MethodGet, "/oauth/authorizations/"+pending.ID, nil, apitest.Bearer(victim.AccessToken)).OK()
	before := h.Snapshot()
	me := apitest.Bearer(h.user.AccessToken)
	nobody := uuid.Must(uuid.NewV4()).String()

	for _, id := range []string{request.ID, nobody, "..", "%2e%2e%2fuser", uuid.Nil.String()} {
		path := "/oauth/authorizations/" + id
		for _, got := range []*apitest.Response{
			h.Do(http.MethodGet, path, nil, me), h.Do(http.MethodPost, path+"/consent", map[string]any{"action": "approve"}, me),
		} {
			require.GreaterOrEqual(t, got.Status, 400, "%s: %s", path, got.Body)
			require.Less(t, got.Status, 500, "%s: %s", path, got.Body)
		}
	}
	for _, client := range []string{h.client.ID, nobody, "x", ""} {
		refusedSomehow(t, h.Do(http.MethodDelete, "/user/oauth/grants?client_id="+client, nil, me), client)
	}
	other := h.Client(t)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {grant.RefreshToken}}
	h.Token(other, form).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	h.Exec(`delete from oauth_clients where id = $1`, other.ID)
	require.Equal(t, before, h.Snapshot())
	h.RefreshGrant(h.client, grant.RefreshToken).OK()
}
