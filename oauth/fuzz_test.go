package oauth

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A URI that may be registered matches itself and no URI that differs in more
// than a loopback port; the response goes where the URI points.
func FuzzRedirectURI(f *testing.F) {
	f.Add("https://app.example/cb?a=1", "https://evil.example/cb?a=1")
	f.Add("http://localhost:3000/cb", "http://localhost:4000/cb")
	f.Add("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb")
	f.Add("http://[::1]:1?x", "http://[::1]:2?x")
	f.Add("com.example.app:/cb", "com.example.app:///cb")
	f.Add("http://localhost/%2F?a;b=%zz", "http://localhost:1/%2F?a;b=%zz")
	f.Fuzz(func(t *testing.T, uri, requested string) {
		if ValidateRedirectURI(uri) != nil {
			return
		}
		registered := []string{uri}
		got, ok := MatchRedirectURI(registered, uri)
		require.True(t, ok)
		require.Equal(t, uri, got)

		u, err := url.Parse(uri)
		require.NoError(t, err)
		elsewhere := *u
		elsewhere.Host = "evil.example"
		if u.Host != elsewhere.Host {
			_, ok = MatchRedirectURI(registered, elsewhere.String())
			require.False(t, ok)
		}
		requireSameTarget(t, u, AuthorizationResponse(uri, url.Values{"code": {"c"}}))

		if _, ok = MatchRedirectURI(registered, requested); ok && requested != uri {
			require.NoError(t, ValidateRedirectURI(requested), "a match could be registered itself")
			r, err := url.Parse(requested)
			require.NoError(t, err)
			require.Contains(t, []string{"localhost", "127.0.0.1", "::1"}, r.Hostname())
			r.Host, u.Host = r.Hostname(), u.Hostname()
			require.Equal(t, u, r)
		}
	})
}

func requireSameTarget(t *testing.T, u *url.URL, response string) {
	t.Helper()
	to, err := url.Parse(response)
	require.NoError(t, err)
	require.Equal(t, u.Scheme, to.Scheme)
	require.Equal(t, u.Host, to.Host)
	require.Equal(t, u.EscapedPath(), to.EscapedPath())
	if _, err := url.ParseQuery(u.RawQuery); err == nil {
		require.Equal(t, []string{"c"}, to.Query()["code"])
	} else {
		require.True(t, strings.HasSuffix(response, "&code=c"))
	}
}

// Parsed, printed and parsed again a scope is the same.
func FuzzParseScope(f *testing.F) {
	f.Add("openid email", "email")
	f.Add("  a  a b ", "")
	f.Add("a\tb", "x y")
	f.Fuzz(func(t *testing.T, text, other string) {
		a, err := ParseScope(text)
		if err != nil {
			require.Equal(t, CodeInvalidScope, err.Code)
			return
		}
		again, err := ParseScope(a.String())
		require.Nil(t, err)
		require.Equal(t, a, again)

		b, err := ParseScope(other)
		if err != nil {
			return
		}
		union := a.Union(b)
		require.True(t, a.Subset(union) && b.Subset(union))
		require.True(t, a.Intersect(b).Subset(a) && a.Intersect(b).Subset(b))
		require.Len(t, a, len(a.Intersect(b))+len(a.Without(b)))
		require.Len(t, union, len(a)+len(b.Without(a)))
	})
}

// Credentials encoded as RFC 6749 §2.3.1 says come back as they were.
func FuzzParseBasic(f *testing.F) {
	f.Add("s6BhdRkqt3", "gX1fBat3bV", "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW")
	f.Add("a:b", "p+q r%", "basic !")
	f.Add("https://client.example/", "", "Bearer x")
	f.Fuzz(func(t *testing.T, id, secret, header string) {
		gotID, gotSecret, ok, err := ParseBasic(basic(id, secret))
		wellFormed := checkCredentialSyntax(id, secret) == nil
		require.Equal(t, wellFormed, ok)
		require.Equal(t, wellFormed, err == nil)
		if wellFormed {
			require.Equal(t, id, gotID)
			require.Equal(t, secret, gotSecret)
		}

		gotID, gotSecret, ok, err = ParseBasic(header)
		require.False(t, ok && err != nil)
		if ok {
			againID, againSecret, _, err := ParseBasic(basic(gotID, gotSecret))
			require.Nil(t, err)
			require.Equal(t, gotID, againID)
			require.Equal(t, gotSecret, againSecret)
		} else {
			require.Empty(t, gotID+gotSecret)
		}
	})
}

// A verifier matches the challenge made of it and no other verifier does.
func FuzzPKCE(f *testing.F) {
	f.Add(exampleVerifier, exampleChallenge, "S256")
	f.Add(exampleVerifier, exampleVerifier, "plain")
	f.Add("", "", "")
	f.Fuzz(func(t *testing.T, verifier, challenge, method string) {
		if CheckChallenge(challenge, method, false) == nil {
			require.Equal(t, "S256", method)
			require.Nil(t, CheckChallenge(challenge, method, true))
			require.Nil(t, CheckVerifier(challenge), "one syntax for both")
		}
		if VerifierMatches(ChallengePlain, challenge, verifier) {
			require.Equal(t, challenge, verifier)
		}
		if VerifierMatches(ChallengeS256, challenge, verifier) {
			require.False(t, VerifierMatches(ChallengeS256, challenge, verifier+"x"))
			require.Nil(t, CheckChallenge(challenge, "S256", false), "every S256 challenge is well-formed")
		}
		require.False(t, VerifierMatches(method+"?", challenge, verifier))
		if CheckProof(ChallengeS256, challenge, verifier) == nil {
			require.Equal(t, challenge == "", verifier == "")
		}
	})
}

// Whatever is accepted is complete, and normalizing it again changes nothing.
func FuzzClientMetadata(f *testing.F) {
	f.Add([]byte(`{"redirect_uris":["https://app.example/cb"]}`))
	f.Add([]byte(`{"redirect_uris":["myapp://cb"],"client_type":"public","scope":"b  a b","grant_types":["refresh_token","refresh_token"]}`))
	f.Add([]byte(`{"redirect_uris":["http://localhost/"],"token_endpoint_auth_method":"none","logo_uri":"https://a.example","client_name":"\u202e"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var m ClientMetadata
		if json.Unmarshal(body, &m) != nil {
			return
		}
		first, problem := m.Normalize()
		if problem != nil {
			require.NotEmpty(t, problem.Field)
			require.NotEmpty(t, problem.Message)
			return
		}
		second, problem := first.Normalize()
		require.Nil(t, problem)
		require.Equal(t, first, second)
		require.Equal(t, m.RedirectURIs, first.RedirectURIs)
		require.Contains(t, MethodsOf(first.ClientType), first.TokenEndpointAuthMethod)
		require.False(t, strings.ContainsAny(strings.Join(first.RedirectURIs, ""), ",# "))
	})
}

// Accepted parameters say what the query said, each once, none empty.
func FuzzParseParams(f *testing.F) {
	f.Add("client_id=a&state=b&resource=c&resource=d")
	f.Add("state=&state=b")
	f.Add("a=%00&b=%ff&%0a=c")
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p, refused := ParseParams(values)
		if refused != nil {
			require.Equal(t, CodeInvalidRequest, refused.Code)
			require.True(t, consistsOf(refused.Description, isErrorChar))
			return
		}
		for name := range values {
			require.Equal(t, values.Get(name) != "" || name == "resource" && p.Has(name), p.Has(name))
			require.NotContains(t, p.All(name), "")
			if name != "resource" {
				require.Len(t, values[name], 1)
				require.Equal(t, values.Get(name), p.Get(name))
			}
		}
	})
}
