package oauthserver_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/oauth"
	"github.com/truegrant/truegrant/secret"
)

// RFC 6749 §5.1, OpenID Connect Core §3.1.3.3: the answer to a good code, and
// what is in the tokens.
func TestCodeExchange(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	answer := b.exchange(c, b.code(c, u, "scope", "openid email profile offline_access"))
	body := answer.OK()
	b.noStore(answer)
	require.Equal(t, "application/json", answer.Header.Get("Content-Type"))
	access, id := body["access_token"].(string), body["id_token"].(string)
	session := answer.Header.Get("Sb-Auth-Session-Id")
	require.Equal(t, u.ID, answer.Header.Get("Sb-Auth-User-Id"))
	golden(t, "token_response", body, access, "ACCESS", id, "ID", body["refresh_token"].(string), "REFRESH")

	now := b.Clock.Now()
	accessClaims, idClaims := apitest.Claims(t, access), apitest.Claims(t, id)
	require.InDelta(t, now.Unix(), accessClaims["iat"], 5)
	require.InDelta(t, now.Add(time.Hour).Unix(), accessClaims["exp"], 5)
	require.InDelta(t, now.Add(time.Hour).Unix(), idClaims["exp"], 5)
	require.InDelta(t, now.Unix(), accessClaims["amr"].([]any)[0].(map[string]any)["timestamp"], 5)
	require.Equal(t, oauth.ATHash("ES256", access), idClaims["at_hash"]) // OpenID Connect Core §3.1.3.6
	for _, claims := range []map[string]any{accessClaims, idClaims} {
		for _, name := range []string{"iat", "exp", "auth_time", "updated_at", "at_hash", "jti"} {
			if claims[name] != nil {
				claims[name] = "SOME"
			}
		}
	}
	accessClaims["amr"].([]any)[0].(map[string]any)["timestamp"] = "SOME"
	names := []string{c.ID, "CLIENT", u.ID, "USER", u.Email, "user@example.test", session, "SESSION"}
	golden(t, "access_token", accessClaims, names...)
	golden(t, "id_token", idClaims, names...)

	for _, token := range []string{access, id} {
		claims := new(jwt.RegisteredClaims)
		_, err := b.Keys.Parse(token, claims, b.Clock.Now)
		require.NoError(t, err, "signed with the published key")
	}
	require.JSONEq(t, `{"client":"`+c.ID+`","scopes":"openid email profile offline_access","aal":"aal1","amr":"oauth_provider/authorization_code"}`,
		b.Text(`select json_build_object('client', s.oauth_client_id, 'scopes', s.scopes, 'aal', s.aal, 'amr', m.authentication_method)::text
			from sessions s join mfa_amr_claims m on m.session_id = s.id where s.id = $1`, session))
	require.Equal(t, c.ID, b.Text(`select payload->'traits'->>'client_id' from audit_log_entries
		where payload->>'action' = 'login' and payload->'traits'->>'provider_type' = 'oauth_provider_authorization_code'`))
}

// OpenID Connect Core §2: auth_time is when the user signed in, however late
// the client asks.
func TestAuthTimeIsTheSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	signedIn := b.UnixIn(0)
	b.Clock.Advance(30 * time.Minute)
	claims := apitest.Claims(t, b.grant(c, u).IDToken)
	require.InDelta(t, signedIn, claims["auth_time"], 5)
	require.InDelta(t, signedIn+1800, claims["iat"], 5)
	require.Equal(t, "a nonce", claims["nonce"])
	require.NotContains(t, apitest.Claims(t, b.grant(b.Client(t), u, "nonce", "").IDToken), "nonce")
}

// OpenID Connect Core §3.1.2.1: no openid, no ID token.
func TestIDTokenNeedsOpenID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	require.Empty(t, b.grant(c, u, "scope", "email profile").IDToken)
	require.NotContains(t, apitest.Claims(t, b.grant(c, u, "scope", "openid").IDToken), "email")
}

// RFC 6749 §5.1: a client that cannot use a refresh token gets none.
func TestNoRefreshTokenWithoutItsGrant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t, metadata("grant_types", []string{"authorization_code"}))
	require.NotContains(t, b.exchange(c, b.code(c, b.User(t))).OK(), "refresh_token")
}

// RFC 6749 §4.1.3, §5.2: who may redeem a code, and with what proof. A failed
// attempt leaves the code as it is.
func TestCheckCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	u := b.User(t)
	c := b.Client(t, metadata("redirect_uris", []string{"https://client.test/callback", "https://client.test/other"}))
	other, public := b.Client(t), b.Client(t, apitest.Public)
	code := b.code(c, u, "resource", "https://api.test/mcp")
	b.writesNothing(func() {
		for name, attempt := range map[string]struct {
			client *apitest.Client
			change []string
			code   string
		}{
			"unknown code":         {c, []string{"code", "7b0f9c3e-5d3f-4b7a-9a53-1c2d3e4f5a6b"}, "invalid_grant"},
			"the digest":           {c, []string{"code", secret.Digest(code)}, "invalid_grant"},
			"code of another case": {c, []string{"code", code + " "}, "invalid_grant"},
			"other client":         {other, nil, "invalid_grant"},
			"other public client":  {public, nil, "invalid_grant"},
			"other redirect URI":   {c, []string{"redirect_uri", "https://client.test/other"}, "invalid_grant"},
			"near redirect URI":    {c, []string{"redirect_uri", "https://client.test/callback/"}, "invalid_grant"},
			"no verifier":          {c, []string{"code_verifier", ""}, "invalid_grant"},
			"wrong verifier":       {c, []string{"code_verifier", longText(43)}, "invalid_grant"},
			"the challenge":        {c, []string{"code_verifier", challenge}, "invalid_grant"},
			"short verifier":       {c, []string{"code_verifier", verifier[:42]}, "invalid_grant"},
			"long verifier":        {c, []string{"code_verifier", longText(129)}, "invalid_grant"},
			"malformed verifier":   {c, []string{"code_verifier", verifier + "="}, "invalid_grant"},
			"other resource":       {c, []string{"resource", "https://api.test/"}, "invalid_target"}, // RFC 8707 §2.2
		} {
			b.run(name, func(b *bundle) {
				b.exchange(attempt.client, code, attempt.change...).RefusedOAuth(http.StatusBadRequest, attempt.code)
			})
		}
		form := codeForm(c, code)
		form["resource"] = []string{"https://api.test/mcp", "https://api.test/other"}
		b.Token(c, form).RefusedOAuth(http.StatusBadRequest, "invalid_target")
	})
	b.exchange(c, code, "resource", "https://api.test/mcp").OK()
}

// OAuth 2.1 §10.2: PKCE binds the code, the redirect URI need not be repeated.
func TestRedirectURINeedNotBeRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	b.exchange(c, b.code(c, u), "redirect_uri", "").OK()
	code := b.code(c, u)
	b.exchange(c, code, "resource", "https://api.test/mcp").RefusedOAuth(http.StatusBadRequest, "invalid_target")
	b.exchange(c, code).OK()
}

// RFC 6749 §4.1.2: a code is short-lived.
func TestCodeExpires(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	b.Clock.Advance(59 * time.Second)
	b.exchange(c, code).OK()

	code = b.code(c, u)
	b.Clock.Advance(time.Minute)
	b.writesNothing(func() {
		b.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	})
	configured := setup(t, func(cfg *conf.Config) { cfg.OAuthServer.CodeTTL = 5 * time.Second })
	c, u = configured.Client(t), configured.User(t)
	code = configured.code(c, u)
	configured.Clock.Advance(5 * time.Second)
	configured.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
}

// A slow consent does not shorten the life of the code, nor does it lengthen
// that of the request.
func TestCodeLifeBeginsWithTheApproval(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	handle := b.ask(c)
	b.Clock.Advance(10*time.Minute - time.Second)
	code := b.response(b.decide(u, handle, "approve")).Query().Get("code")
	b.Clock.Advance(30 * time.Second)
	b.exchange(c, code).OK()
}

// RFC 6749 §5.2: a request that was never approved has no code.
func TestOnlyApprovedRequestsHaveCodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	for _, status := range []string{"pending", "denied", "expired"} {
		code := b.code(c, u)
		b.Exec(`update oauth_authorizations set status = $1::oauth_authorization_status where authorization_code = $2`, status, secret.Digest(code))
		b.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
	}
}

// RFC 6749 §5.2: a user who may not sign in brings no tokens.
func TestCodeOfAbsentUser(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.Client(t)
	service := apitest.Bearer(b.ServiceKey())
	for name, remove := range map[string]func(b *bundle, u *apitest.User){
		"banned": func(b *bundle, u *apitest.User) { b.ban(u) },
		"deleted": func(b *bundle, u *apitest.User) {
			b.Do(http.MethodDelete, "/admin/users/"+u.ID, nil, service).OK()
		},
		"soft-deleted": func(b *bundle, u *apitest.User) {
			b.Do(http.MethodDelete, "/admin/users/"+u.ID, `{"should_soft_delete":true}`, service).OK()
		},
	} {
		b.run(name, func(b *bundle) {
			u := b.User(b.t)
			code := b.code(c, u)
			tokens := b.grant(c, u)
			remove(b, u)
			b.writesNothing(func() {
				b.exchange(c, code).RefusedOAuth(http.StatusBadRequest, "invalid_grant")
				b.ended(c, tokens)
			})
		})
	}
}

// RFC 9700 §4.2: what the database keeps of a code redeems nothing, and it
// keeps it until the code would have expired.
func TestCodeAtRest(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c, u := b.Client(t), b.User(t)
	code := b.code(c, u)
	keeps := func(text string) int {
		return b.Count(`select (select count(*) from oauth_authorizations r where r::text like '%' || $1 || '%')
			+ (select count(*) from oauth_redeemed_codes r where r::text like '%' || $1 || '%')`, text)
	}
	require.Equal(t, 1, keeps(secret.Digest(code)))
	require.Zero(t, keeps(code))
	session := b.exchange(c, code).Header.Get("Sb-Auth-Session-Id")
	require.Zero(t, keeps(code))
	require.Zero(t, b.Count(`select count(*) from oauth_authorizations`))
	require.Equal(t, c.ID+" "+session+" true", b.Text(`select client_id || ' ' || session_id || ' ' ||
		(expires_at > now() and expires_at <= now() + interval '1 minute')::text
		from oauth_redeemed_codes where code_digest = $1`, secret.Digest(code)))
}

// RFC 9207 and RFC 8414 §2: without a configured issuer the server's own
// address is the issuer, in metadata, responses and tokens alike.
func TestIssuerFallsBackToTheExternalURL(t *testing.T) {
	t.Parallel()
	b := setup(t, func(cfg *conf.Config) { cfg.JWT.Issuer, cfg.API.ExternalURL = "", "https://auth.test/auth/v1/" })
	c, u := b.Client(t), b.User(t)
	const issuer = "https://auth.test/auth/v1"
	query := b.response(b.decide(u, b.ask(c), "approve")).Query()
	require.Equal(t, issuer, query.Get("iss"))
	body := b.exchange(c, query.Get("code")).OK()
	for _, name := range []string{"access_token", "id_token"} {
		require.Equal(t, issuer, apitest.Claims(t, body[name].(string))["iss"], name)
	}
	require.NotContains(t, apitest.Claims(t, u.AccessToken), "iss", "the project's own tokens are as before")
	require.Equal(t, issuer, b.Do(http.MethodGet, "/.well-known/openid-configuration", nil).OK()["issuer"])
	b.userInfo(body["access_token"].(string)).OK()
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {body["refresh_token"].(string)}}
	require.Equal(t, issuer, apitest.Claims(t, b.Token(c, form).OK()["access_token"].(string))["iss"])
}
