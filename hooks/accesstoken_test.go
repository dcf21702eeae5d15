package hooks

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// validClaims is what a hook gets and may answer.
func validClaims() map[string]any {
	return map[string]any{
		"aud": "authenticated", "exp": 1893456000, "iat": 1893452400, "sub": "u1",
		"email": "", "phone": "", "role": "authenticated", "aal": "aal1",
		"session_id": "s1", "is_anonymous": false,
	}
}

// customize runs the access token hook with an answer of claims changed by
// change; a nil value removes the claim, null is json.RawMessage("null").
func customize(t *testing.T, change map[string]any) (map[string]any, error) {
	t.Helper()
	claims := validClaims()
	for name, value := range change {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	reply, err := json.Marshal(map[string]any{"claims": claims})
	require.NoError(t, err)
	h, _ := newHooks(t, PointCustomAccessToken,
		Target{URI: "pg-functions://postgres/public/claims"},
		func(c *Config) { c.Database = &database{reply: reply} })
	return h.CustomAccessToken(t.Context(), AccessTokenInput{UserID: "u1", Claims: validClaims()})
}

func TestCustomAccessTokenReplacesClaims(t *testing.T) {
	t.Parallel()
	claims, err := customize(t, map[string]any{
		"exp":           json.RawMessage("1.8e9"),
		"tier":          "gold",
		"big":           json.RawMessage("12345678901234567890"),
		"aud":           []string{"a", "b"},
		"amr":           []any{"password", map[string]any{"method": "totp"}},
		"is_anonymous":  "false",
		"app_metadata":  map[string]any{"a": 1},
		"user_metadata": map[string]any{},
	})
	require.NoError(t, err)
	require.Equal(t, int64(1_800_000_000), claims["exp"])
	require.Equal(t, int64(1893452400), claims["iat"])
	require.Equal(t, "gold", claims["tier"])
	require.Equal(t, json.Number("12345678901234567890"), claims["big"])
}

func TestCustomAccessTokenSchema(t *testing.T) {
	t.Parallel()
	const prefix = "output claims do not conform to the expected schema: \n"
	tests := []struct {
		name   string
		change map[string]any
		want   string
	}{
		{"missing", map[string]any{"sub": nil}, "- (root): sub is required\n"},
		{"wrong type", map[string]any{"aal": 3}, "- aal: Invalid type. Expected: string, given: integer\n"},
		{"several", map[string]any{"role": nil, "aud": nil, "phone": 1.5}, "- (root): aud is required\n- (root): role is required\n- phone: Invalid type. Expected: string, given: number\n"},
		{"null", map[string]any{"email": json.RawMessage("null")}, "- email: Invalid type. Expected: string, given: null\n"},
		{"aud", map[string]any{"aud": 1}, "- aud: Invalid type. Expected: string/array, given: integer\n"},
		{"aud element", map[string]any{"aud": []any{"a", 1}}, "- aud.1: Invalid type. Expected: string, given: integer\n"},
		{"amr element", map[string]any{"amr": []any{"a", true}}, "- amr.1: Invalid type. Expected: string/object, given: boolean\n"},
		{"exp as text", map[string]any{"exp": "soon"}, "- exp: Invalid type. Expected: integer, given: string\n"},
		{"exp with fraction", map[string]any{"exp": 1.5}, "- exp: Invalid type. Expected: integer, given: number\n"},
		{"exp beyond any date", map[string]any{"exp": json.RawMessage("1e300")}, "- exp: Invalid type. Expected: integer, given: number\n"},
		{"nbf", map[string]any{"nbf": true}, "- nbf: Invalid type. Expected: integer, given: boolean\n"},
		{"metadata", map[string]any{"app_metadata": []any{}}, "- app_metadata: Invalid type. Expected: object, given: array\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := customize(t, tt.change)
			require.ErrorIs(t, err, ErrClaims)
			require.EqualError(t, err, prefix+tt.want)
		})
	}
}

func TestCustomAccessTokenWithoutClaims(t *testing.T) {
	t.Parallel()
	for _, reply := range []string{`{}`, `{"claims":null}`, `null`, ``} {
		h, _ := newHooks(t, PointCustomAccessToken,
			Target{URI: "pg-functions://postgres/public/claims"},
			func(c *Config) { c.Database = &database{reply: []byte(reply)} })
		_, err := h.CustomAccessToken(t.Context(), AccessTokenInput{})
		require.ErrorIs(t, err, ErrClaimsMissing, "%q", reply)
		require.EqualError(t, err, "output claims field is missing")
	}
}

func TestCustomAccessTokenDisabled(t *testing.T) {
	t.Parallel()
	h, _ := newHooks(t, PointSendSMS, Target{})
	claims, err := h.CustomAccessToken(t.Context(), AccessTokenInput{Claims: validClaims()})
	require.NoError(t, err)
	require.Equal(t, validClaims(), claims)
}

func TestCustomAccessTokenPayload(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		oauth *OAuthContext
		want  string // of the oauth member, "" if absent
	}{
		{name: "the project's own app"},
		{name: "client", oauth: &OAuthContext{
			ClientID: "c1", ClientName: "Agent", Scopes: []string{"openid", "email"}, GrantType: "authorization_code",
			RedirectURI: "https://c.example/cb", Resource: []string{"https://r.example"},
		}, want: `{"client_id":"c1","client_name":"Agent","scopes":["openid","email"],"grant_type":"authorization_code",
			"redirect_uri":"https://c.example/cb","resource":["https://r.example"]}`},
		{name: "bare client", oauth: &OAuthContext{ClientID: "c1", GrantType: "refresh_token"},
			want: `{"client_id":"c1","scopes":[],"grant_type":"refresh_token"}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			bodies := make(chan []byte, 1)
			uri := serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				bodies <- body
				w.WriteHeader(http.StatusNoContent)
			})
			h, _ := newHooks(t, PointCustomAccessToken, Target{URI: uri})
			_, err := h.CustomAccessToken(t.Context(), AccessTokenInput{
				UserID: "u1", Claims: validClaims(), AuthenticationMethod: "token_refresh", OAuth: tt.oauth,
			})
			require.ErrorIs(t, err, ErrClaimsMissing)

			var got map[string]json.RawMessage
			require.NoError(t, json.Unmarshal(<-bodies, &got))
			require.JSONEq(t, `"u1"`, string(got["user_id"]))
			require.JSONEq(t, `"token_refresh"`, string(got["authentication_method"]))
			require.Contains(t, string(got["metadata"]), `"name":"customize-access-token"`)
			require.NotContains(t, string(got["metadata"]), "ip_address")
			wantClaims, _ := json.Marshal(validClaims())
			require.JSONEq(t, string(wantClaims), string(got["claims"]))
			if tt.want == "" {
				require.NotContains(t, got, "oauth")
				return
			}
			require.JSONEq(t, tt.want, string(got["oauth"]))
		})
	}
}

// Whatever a hook answers: either an error of this package, or claims that have
// every required member and can be written and checked again.
func FuzzCustomAccessTokenReply(f *testing.F) {
	valid, err := json.Marshal(map[string]any{"claims": validClaims()})
	require.NoError(f, err)
	for _, seed := range []string{
		string(valid), `{}`, `null`, `[]`, `{"claims":[]}`, `{"claims":{"exp":1e400}}`,
		`{"error":{"http_code":403,"message":"no"}}`, `{"error":{"http_code":-1,"message":"x"},"claims":{}}`,
		`{"error":7}`, "{\"claims\":{\"aud\":\"\xff\"}}",
	} {
		f.Add([]byte(seed))
	}
	db := new(database)
	h, _ := newHooks(f, PointCustomAccessToken,
		Target{URI: "pg-functions://postgres/public/claims"},
		func(c *Config) { c.Database = db })

	f.Fuzz(func(t *testing.T, reply []byte) {
		db.reply = reply
		claims, err := h.CustomAccessToken(t.Context(), AccessTokenInput{})
		if err != nil {
			checkFailure(t, err)
			return
		}
		for _, name := range []string{"exp", "iat"} {
			require.IsType(t, int64(0), claims[name])
			require.LessOrEqual(t, math.Abs(float64(claims[name].(int64))), float64(maxNumericDate))
		}
		again, err := json.Marshal(map[string]any{"claims": claims})
		require.NoError(t, err)
		if len(again) <= maxReply {
			db.reply = again
			second, err := h.CustomAccessToken(t.Context(), AccessTokenInput{})
			require.NoError(t, err)
			require.Equal(t, claims, second)
		}
	})
}

// checkFailure requires err to be one of the two documented shapes.
func checkFailure(t *testing.T, err error) {
	t.Helper()
	var failed *Error
	var rejection *Rejection
	switch {
	case errors.As(err, &rejection):
		require.NotEmpty(t, rejection.Message)
		require.GreaterOrEqual(t, rejection.HTTPCode, 400)
		require.LessOrEqual(t, rejection.HTTPCode, 599)
	case errors.As(err, &failed):
		require.NotEmpty(t, failed.Message)
	default:
		require.NoError(t, err, "undocumented error")
	}
}
