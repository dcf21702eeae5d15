package oauthserver_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// known is a user of whom all is known that a scope can release.
func (b *bundle) known() *apitest.User {
	b.t.Helper()
	u := b.User(b.t)
	b.manage(http.MethodPut, "/admin/users/"+u.ID, `{"phone":"447700900123","phone_confirm":true,"user_metadata":{
		"name":"Ada Lovelace","given_name":"Ada","family_name":"Lovelace","nickname":"ada","user_name":"ada1",
		"picture":"data:image/png;base64,x","avatar_url":"https://client.test/ada.png","profile":"https://client.test/ada",
		"website":"javascript:alert(1)","locale":"en-GB","zoneinfo":"Europe/London","plan":"private","name_extra":1}}`).OK()
	return u
}

// OpenID Connect Core §5.4: each scope releases its claims, under the names of
// §5.1, and never the whole metadata.
func TestUserInfoByScope(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.known()
	c := b.Client(t)
	for name, scope := range map[string]string{
		"openid": "openid", "email": "email", "phone": "phone", "profile": "profile", "all": "openid profile email phone offline_access",
	} {
		b.run(name, func(b *bundle) {
			tokens := b.grant(c, u, "scope", scope)
			answer := b.userInfo(tokens.AccessToken)
			require.Equal(b.t, "application/json", answer.Header.Get("Content-Type"))
			claims := answer.OK()
			if claims["updated_at"] != nil {
				require.InDelta(b.t, b.UnixIn(0), claims["updated_at"], 10)
				claims["updated_at"] = "SOME"
			}
			golden(b.t, "userinfo_"+name, claims, u.ID, "USER", u.Email, "user@example.test")
			if tokens.IDToken != "" { // OpenID Connect Core §5.3.2: sub is that of the ID token
				require.Equal(b.t, apitest.Claims(b.t, tokens.IDToken)["sub"], u.ID)
			}
		})
	}
}

// OpenID Connect Core §5.3.1: GET and POST are the same.
func TestUserInfoByPost(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tokens := b.grant(b.Client(t), b.User(t))
	bearer := apitest.Bearer(tokens.AccessToken)
	byGet := b.Do(http.MethodGet, "/oauth/userinfo", nil, bearer).OK()
	require.Equal(t, byGet, b.Do(http.MethodPost, "/oauth/userinfo", nil, bearer).OK())
	require.Equal(t, http.StatusMethodNotAllowed, b.Do(http.MethodPut, "/oauth/userinfo", nil, bearer).Status)
}

// The project's own tokens have no scopes.
func TestUserInfoOfTheUsersOwnToken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	require.Equal(t, map[string]any{"sub": u.ID}, b.userInfo(u.AccessToken).OK())
}

// What the token says of scopes does not count, only the session.
func TestUserInfoFollowsTheSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	tokens := b.grant(b.Client(t), u, "scope", "email")
	claims := jwt.MapClaims(apitest.Claims(t, tokens.AccessToken))
	claims["scope"] = "openid profile email phone"
	require.Equal(t, b.userInfo(tokens.AccessToken).OK(), b.userInfo(b.Sign(claims)).OK())
	b.Exec(`update sessions set scopes = 'openid' where id = $1`, tokens.SessionID)
	require.Equal(t, map[string]any{"sub": u.ID}, b.userInfo(tokens.AccessToken).OK())
}

// RFC 6750 §3: a request without credentials gets no error code, one with bad
// ones gets invalid_token.
func TestUserInfoChallenges(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u, other, elsewhere := b.User(t), b.User(t), apitest.New(t)
	tokens := b.grant(b.Client(t), u)
	header := func(value string) apitest.Option { return apitest.Header("Authorization", value) }
	b.writesNothing(func() {
		for _, none := range []string{"", "Bearer", "Bearer ", "Basic " + tokens.AccessToken, "Bearer a b", tokens.AccessToken} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				b.run("none: "+none[:min(9, len(none))]+method, func(b *bundle) {
					answer := b.Do(method, "/oauth/userinfo", nil, header(none))
					require.Equal(b.t, http.StatusUnauthorized, answer.Status)
					require.Equal(b.t, "Bearer", answer.Header.Get("WWW-Authenticate"))
				})
			}
		}
		b.Do(http.MethodGet, "/oauth/userinfo?access_token="+tokens.AccessToken, nil).RefusedOAuth(http.StatusUnauthorized, "invalid_token")
		sub := jwt.MapClaims{"sub": u.ID, "exp": b.UnixIn(time.Hour), "role": "authenticated", "aud": "authenticated"}
		for name, token := range map[string]string{
			"garbage": "x", "three parts": "a.b.c", "forged": flip(tokens.AccessToken), "refresh token": tokens.RefreshToken,
			"ID token":        tokens.IDToken, // RFC 8725 §3.12
			"service role":    b.ServiceKey(),
			"another key":     elsewhere.Sign(sub),
			"another secret":  b.SignWith([]byte("another secret that is long enough"), sub),
			"no signature":    unsigned(b.t, sub),
			"expired":         b.Sign(jwt.MapClaims{"sub": u.ID, "exp": b.UnixIn(-time.Minute)}),
			"no user":         b.Sign(jwt.MapClaims{"sub": "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b", "exp": b.UnixIn(time.Hour)}),
			"no UUID":         b.Sign(jwt.MapClaims{"sub": "x", "exp": b.UnixIn(time.Hour)}),
			"other's session": b.Sign(jwt.MapClaims{"sub": other.ID, "exp": b.UnixIn(time.Hour), "session_id": tokens.SessionID}),
			"session no UUID": b.Sign(jwt.MapClaims{"sub": u.ID, "exp": b.UnixIn(time.Hour), "session_id": "x"}),
		} {
			b.run(name, func(b *bundle) {
				answer := b.userInfo(token)
				answer.RefusedOAuth(http.StatusUnauthorized, "invalid_token")
				require.Regexp(b.t, `^Bearer error="invalid_token", error_description="[^"]+"$`, answer.Header.Get("WWW-Authenticate"))
			})
		}
	})
	b.Clock.Advance(time.Hour)
	b.userInfo(tokens.AccessToken).RefusedOAuth(http.StatusUnauthorized, "invalid_token")
}

// unsigned is a JWT with alg none (RFC 8725 §2.1).
func unsigned(t testing.TB, claims jwt.MapClaims) string {
	t.Helper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodNone, claims).SignedString(jwt.UnsafeAllowNoneSignatureType)
	require.NoError(t, err)
	return token
}
