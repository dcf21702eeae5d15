package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

// with returns the claims of a token with one changed, or removed by nil.
func with(t *testing.T, token, name string, value any) jwt.MapClaims {
	t.Helper()
	claims := jwt.MapClaims(apitest.Claims(t, token))
	for _, time := range []string{"exp", "iat"} { // decoded as float64
		claims[time] = int64(claims[time].(float64))
	}
	claims[name] = value
	if value == nil {
		delete(claims, name)
	}
	return claims
}

// badTokens are bearer tokens that no route may accept, with their answers.
func badTokens(t *testing.T, app *apitest.App, user, other *apitest.User) map[string]refusal {
	t.Helper()
	unsigned, err := jwt.NewWithClaims(jwt.SigningMethodNone, with(t, user.AccessToken, "a", 1)).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	hs512, err := jwt.NewWithClaims(jwt.SigningMethodHS512, with(t, user.AccessToken, "a", 1)).SignedString([]byte(apitest.JWTSecret))
	require.NoError(t, err)
	parts := strings.Split(user.AccessToken, ".")
	stranger := apitest.Config(t, "")
	foreign := apitest.New(t, func(c *conf.Config) { c.JWT = stranger.JWT })
	bad := refusal{http.StatusForbidden, "bad_jwt"}
	return map[string]refusal{
		"not.a.jwt":                     bad,
		"x":                             bad,
		unsigned:                        bad,
		hs512:                           bad,
		parts[0] + "." + parts[1] + ".": bad,
		parts[0] + "." + parts[1] + "." + strings.Split(other.AccessToken, ".")[2]: bad,
		app.SignWith([]byte("another secret"), with(t, user.AccessToken, "a", 1)):  bad,
		foreign.Sign(with(t, user.AccessToken, "a", 1)):                            bad,
		app.Sign(with(t, user.AccessToken, "exp", app.UnixIn(-time.Second))):       bad,
		app.Sign(with(t, user.AccessToken, "nbf", app.UnixIn(time.Hour))):          bad,
		app.Sign(with(t, user.AccessToken, "exp", "soon")):                         bad,
		app.Sign(with(t, user.AccessToken, "at_hash", "x")):                        bad, // an ID token
		app.Sign(with(t, user.AccessToken, "sub", nil)):                            bad,
		app.Sign(with(t, user.AccessToken, "sub", "nobody")):                       {http.StatusBadRequest, "bad_jwt"},
		app.Sign(with(t, user.AccessToken, "sub", 7)):                              bad,
		app.Sign(with(t, user.AccessToken, "sub", uuid.Must(uuid.NewV4()))):        {http.StatusForbidden, "user_not_found"},
		app.Sign(with(t, user.AccessToken, "session_id", "none")):                  bad,
		app.Sign(with(t, user.AccessToken, "session_id", uuid.Must(uuid.NewV4()))): {http.StatusForbidden, "session_not_found"},
		app.Sign(with(t, user.AccessToken, "session_id", other.SessionID)):         {http.StatusForbidden, "session_not_found"},
		app.Sign(with(t, user.AccessToken, "sub", other.ID)):                       {http.StatusForbidden, "session_not_found"},
		user.RefreshToken:            bad,
		app.AnonKey():                bad, // no sub
		app.ServiceKey():             bad,
		"äöü":                        bad,
		strings.Repeat("a.", 30_000): bad,
	}
}

type refusal struct {
	status int
	code   string
}

func TestBadBearers(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user, other := app.User(t), app.User(t)
	tokens := badTokens(t, app, user, other)
	before := app.Snapshot()
	for token, want := range tokens {
		for _, route := range []struct{ method, path string }{
			{http.MethodGet, "/user"}, {http.MethodPut, "/user"}, {http.MethodPost, "/logout"},
			{http.MethodGet, "/user/oauth/grants"}, {http.MethodDelete, "/user/oauth/grants"},
			{http.MethodGet, "/oauth/authorizations/abc"}, {http.MethodPost, "/oauth/authorizations/abc/consent"},
		} {
			got := app.Do(route.method, route.path, map[string]any{}, apitest.Bearer(token))
			require.Equal(t, want.status, got.Status, "%s %s: %s", route.path, token, got.Body)
			got.Refused(want.status, want.code)
		}
		got := app.Do(http.MethodGet, "/oauth/userinfo", nil, apitest.Bearer(token))
		got.RefusedOAuth(http.StatusUnauthorized, "invalid_token")
		require.Contains(t, got.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`)
	}
	require.Equal(t, before, app.Snapshot())
}

func TestAuthorizationHeader(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	for _, header := range []string{
		"", "Bearer", "Bearer ", user.AccessToken, "Basic " + user.AccessToken, "Bearer  " + user.AccessToken,
		"Bearer " + user.AccessToken + " x", "Bearer\t" + user.AccessToken,
	} {
		app.Do(http.MethodGet, "/user", nil, apitest.Header("Authorization", header)).
			Refused(http.StatusUnauthorized, "no_authorization")
	}
	app.Do(http.MethodGet, "/user", nil, apitest.Header("Authorization", "bEARER "+user.AccessToken)).OK()
	app.Do(http.MethodGet, "/user?access_token="+user.AccessToken, nil).Refused(http.StatusUnauthorized, "no_authorization")
}

// Tokens without exp and without session are good, as with GoTrue; the secret
// signs as well as the key while both are configured.
func TestGoodBearers(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	for _, token := range []string{
		app.Sign(with(t, user.AccessToken, "exp", nil)),
		app.Sign(with(t, user.AccessToken, "session_id", nil)),
		app.Sign(with(t, user.AccessToken, "session_id", uuid.Nil)),
		app.SignWith([]byte(apitest.JWTSecret), with(t, user.AccessToken, "a", 1)),
	} {
		require.Equal(t, user.ID, app.Do(http.MethodGet, "/user", nil, apitest.Bearer(token)).OK()["id"])
	}
	second := app.SignIn(t, user.Email)
	app.Do(http.MethodPost, "/logout?scope=local", nil, apitest.Bearer(app.Sign(with(t, second.AccessToken, "session_id", nil)))).OK()
	require.Equal(t, 0, app.Count(`select count(*) from sessions`), "without a session every logout is global")
}

// After a change of keys the old tokens live on as long as the old key is
// listed.
func TestKeyRotation(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	old := app.Config.JWT.Keys
	app.Config.JWT.Keys = apitest.Config(t, "").JWT.Keys
	app.Replica(t).Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).Refused(http.StatusForbidden, "bad_jwt")

	retired := strings.Replace(old, `"sign","verify"`, `"verify"`, 1)
	require.NotEqual(t, old, retired)
	app.Config.JWT.Keys = strings.TrimSuffix(app.Config.JWT.Keys, "]") + "," + strings.TrimPrefix(retired, "[")
	rotated := app.Replica(t)
	rotated.Do(http.MethodGet, "/user", nil, apitest.Bearer(user.AccessToken)).OK()
	require.Len(t, rotated.Do(http.MethodGet, "/.well-known/jwks.json", nil).OK()["keys"], 2)
}

// An OAuth client's access token opens what its scopes say and nothing that
// belongs to the user's own app; an ID token opens nothing.
func TestClientTokensAtTheUserAPI(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	grant := app.Grant(t, user, app.Client(t))
	before := app.Snapshot()
	bearer := apitest.Bearer(grant.AccessToken)
	require.Equal(t, user.ID, app.Do(http.MethodGet, "/user", nil, bearer).OK()["id"])
	for _, body := range []map[string]any{{}, {"password": "another password"}, {"data": map[string]any{"a": 1}}} {
		app.Do(http.MethodPut, "/user", body, bearer).Refused(http.StatusForbidden, "no_authorization")
	}
	for _, scope := range []string{"", "?scope=local", "?scope=others"} {
		app.Do(http.MethodPost, "/logout"+scope, nil, bearer).Refused(http.StatusForbidden, "no_authorization")
	}
	app.Do(http.MethodGet, "/admin/users", nil, bearer).Refused(http.StatusForbidden, "not_admin")
	app.Do(http.MethodGet, "/user/oauth/grants", nil, bearer).Refused(http.StatusForbidden, "no_authorization")

	idToken := apitest.Bearer(grant.IDToken)
	for _, path := range []string{"/user", "/user/oauth/grants", "/admin/users"} {
		app.Do(http.MethodGet, path, nil, idToken).Refused(http.StatusForbidden, "bad_jwt")
	}
	app.Do(http.MethodGet, "/oauth/userinfo", nil, idToken).RefusedOAuth(http.StatusUnauthorized, "invalid_token")

	app.Refresh(grant.RefreshToken).RefusedOAuth(http.StatusBadRequest, "invalid_client")
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {user.RefreshToken}}
	app.Token(app.Client(t), form).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	app.Exec(`delete from oauth_clients where client_name = 'Test client' and id not in (select oauth_client_id from sessions where oauth_client_id is not null)`)
	require.Equal(t, before, app.Snapshot())
}

// A client's token says whose it is by the session; dropping client_id from
// the claims gains nothing.
func TestClientTokenWithoutClientClaim(t *testing.T) {
	t.Parallel()
	app := apitest.New(t)
	user := app.User(t)
	grant := app.Grant(t, user, app.Client(t))
	token := app.Sign(with(t, grant.AccessToken, "client_id", nil))
	app.Do(http.MethodPost, "/logout", nil, apitest.Bearer(token)).Refused(http.StatusForbidden, "no_authorization")
}

func TestAdminTokens(t *testing.T) {
	t.Parallel()
	hour := time.Hour
	app := apitest.New(t, func(c *conf.Config) { c.Sessions.Timebox = &hour })
	user := app.User(t)
	admin := func(token string) *apitest.Response {
		return app.Do(http.MethodGet, "/admin/users", nil, apitest.Bearer(token))
	}
	admin(app.ServiceKey()).OK()
	admin(app.AnonKey()).Refused(http.StatusForbidden, "not_admin")
	admin(user.AccessToken).Refused(http.StatusForbidden, "not_admin")
	admin(app.SignWith([]byte("other"), jwt.MapClaims{"role": "service_role"})).Refused(http.StatusForbidden, "bad_jwt")
	admin(app.Sign(jwt.MapClaims{"role": "supabase_admin"})).OK()
	admin(app.Sign(jwt.MapClaims{"role": []string{"service_role"}})).Refused(http.StatusForbidden, "bad_jwt")
	app.Do(http.MethodGet, "/admin/users", nil).Refused(http.StatusUnauthorized, "no_authorization")
	app.Do(http.MethodGet, "/admin/unknown", nil).Refused(http.StatusUnauthorized, "no_authorization")
	require.Equal(t, http.StatusNotFound, app.Do(http.MethodGet, "/admin/unknown", nil, apitest.Bearer(app.ServiceKey())).Status)

	operator := app.Sign(with(t, user.AccessToken, "role", "service_role"))
	admin(operator).OK()
	app.Exec(`update sessions set created_at = now() - interval '2 hours'`)
	admin(operator).Refused(http.StatusForbidden, "session_expired")
	app.Exec(`delete from sessions`)
	admin(operator).Refused(http.StatusForbidden, "session_not_found")
}
