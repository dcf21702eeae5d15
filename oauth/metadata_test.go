package oauth

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// minimal is metadata with nothing but a redirect URI, changed as a test needs.
func minimal(change func(*ClientMetadata)) ClientMetadata {
	m := ClientMetadata{RedirectURIs: []string{"https://app.example/cb"}}
	change(&m)
	return m
}

// RFC 7591 §2: every rule, with the field it blames and GoTrue's sentence.
func TestClientMetadataRules(t *testing.T) {
	t.Parallel()
	const (
		grants  = "grant_types must only contain 'authorization_code' and/or 'refresh_token'"
		name    = "client_name must be valid UTF-8 without control characters"
		methods = "token_endpoint_auth_method must be one of: [none client_secret_basic client_secret_post]"
	)
	long := "https://app.example/" + strings.Repeat("x", 2048)
	for title, tc := range map[string]struct {
		change func(*ClientMetadata)
		want   *MetadataProblem
	}{
		"minimal":            {func(*ClientMetadata) {}, nil},
		"no redirect URIs":   {func(m *ClientMetadata) { m.RedirectURIs = nil }, &MetadataProblem{"redirect_uris", "redirect_uris is required"}},
		"ten redirect URIs":  {func(m *ClientMetadata) { m.RedirectURIs = strings.Split(strings.Repeat("myapp://cb ", 10)[:109], " ") }, nil},
		"many redirect URIs": {func(m *ClientMetadata) { m.RedirectURIs = make([]string, 11) }, &MetadataProblem{"redirect_uris", "redirect_uris cannot exceed 10 items"}},
		"bad redirect URI": {
			func(m *ClientMetadata) { m.RedirectURIs = append(m.RedirectURIs, "http://app.example/cb") },
			&MetadataProblem{"redirect_uris", "invalid redirect_uri 'http://app.example/cb': HTTP scheme only allowed for localhost"},
		},
		"one grant":         {func(m *ClientMetadata) { m.GrantTypes = []string{"authorization_code"} }, nil},
		"unknown grant":     {func(m *ClientMetadata) { m.GrantTypes = []string{"authorization_code", "implicit"} }, &MetadataProblem{"grant_types", grants}},
		"code":              {func(m *ClientMetadata) { m.ResponseTypes = []string{"code"} }, nil},
		"implicit":          {func(m *ClientMetadata) { m.ResponseTypes = []string{"code", "token"} }, &MetadataProblem{"response_types", "response_types must only contain 'code'"}},
		"longest name":      {func(m *ClientMetadata) { m.ClientName = strings.Repeat("x", 1024) }, nil},
		"long name":         {func(m *ClientMetadata) { m.ClientName = strings.Repeat("x", 1025) }, &MetadataProblem{"client_name", "client_name cannot exceed 1024 characters"}},
		"international":     {func(m *ClientMetadata) { m.ClientName = "Prüfung 検査 👩‍🔬" }, nil},
		"line feed in name": {func(m *ClientMetadata) { m.ClientName = "a\nb" }, &MetadataProblem{"client_name", name}},
		"override in name":  {func(m *ClientMetadata) { m.ClientName = "a\u202eb" }, &MetadataProblem{"client_name", name}},
		"name not UTF-8":    {func(m *ClientMetadata) { m.ClientName = "a\xff" }, &MetadataProblem{"client_name", name}},
		"client_uri":        {func(m *ClientMetadata) { m.ClientURI = "https://app.example" }, nil},
		"long client_uri":   {func(m *ClientMetadata) { m.ClientURI = long }, &MetadataProblem{"client_uri", "client_uri cannot exceed 2048 characters"}},
		"long logo_uri":     {func(m *ClientMetadata) { m.LogoURI = long }, &MetadataProblem{"logo_uri", "logo_uri cannot exceed 2048 characters"}},
		"unknown type":      {func(m *ClientMetadata) { m.ClientType = "secret" }, &MetadataProblem{"client_type", "client_type must be 'public' or 'confidential'"}},
		"unknown method":    {func(m *ClientMetadata) { m.TokenEndpointAuthMethod = "private_key_jwt" }, &MetadataProblem{"token_endpoint_auth_method", methods}},
		"public with secret": {
			func(m *ClientMetadata) { m.ClientType, m.TokenEndpointAuthMethod = "public", "client_secret_post" },
			&MetadataProblem{"client_type", "client_type 'public' is inconsistent with token_endpoint_auth_method 'client_secret_post' (expected client_type 'confidential')"},
		},
		"confidential without": {
			func(m *ClientMetadata) { m.ClientType, m.TokenEndpointAuthMethod = "confidential", "none" },
			&MetadataProblem{"client_type", "client_type 'confidential' is inconsistent with token_endpoint_auth_method 'none' (expected client_type 'public')"},
		},
		"unknown scope":   {func(m *ClientMetadata) { m.Scope = "read write" }, nil},
		"malformed scope": {func(m *ClientMetadata) { m.Scope = "a\tb" }, &MetadataProblem{"scope", "scope contains a character that is not allowed"}},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			m := minimal(tc.change)
			require.Equal(t, tc.want, m.Validate())
			_, problem := m.Normalize()
			require.Equal(t, tc.want, problem)
		})
	}
}

// RFC 7591 §5: client_uri and logo_uri end up in a page; no script may.
func TestClientLinksAreWebURLs(t *testing.T) {
	t.Parallel()
	for uri, ok := range map[string]bool{
		"":                             true,
		"https://app.example/logo.png": true,
		"http://app.example":           true,
		"https://bücher.example/":      true,
		"/logo.png":                    false,
		"logo.png":                     false,
		"//app.example/logo.png":       false,
		"javascript:alert(1)":          false,
		"JavaScript://app.example/%0a": false,
		"data:image/svg+xml,<svg/>":    false,
		"https:///logo.png":            false,
		"https:app.example":            false,
		"https://a@app.example/":       false,
		`https://app.example\@evil/`:   false,
		"https://app.example/ x":       false,
		"https://app.example/\n":       false,
		"https://app.example/\xff":     false,
	} {
		client := minimal(func(m *ClientMetadata) { m.ClientURI = uri }).Validate()
		logo := minimal(func(m *ClientMetadata) { m.LogoURI = uri }).Validate()
		if ok {
			require.Nil(t, client, uri)
			require.Nil(t, logo, uri)
			continue
		}
		require.Equal(t, &MetadataProblem{"client_uri", "client_uri must be a valid URL"}, client, uri)
		require.Equal(t, &MetadataProblem{"logo_uri", "logo_uri must be a valid URL"}, logo, uri)
	}
}

// Of several problems the first in GoTrue's order is reported.
func TestClientMetadataRuleOrder(t *testing.T) {
	t.Parallel()
	m := ClientMetadata{
		GrantTypes: []string{"x"}, ClientName: "\n", ClientURI: "x", LogoURI: "x",
		ClientType: "x", TokenEndpointAuthMethod: "x", Scope: "\n",
	}
	next := func(want string, repair func()) {
		problem := m.Validate()
		require.NotNil(t, problem)
		require.Equal(t, want, problem.Field)
		require.EqualError(t, problem, problem.Message)
		repair()
	}
	next("redirect_uris", func() { m.RedirectURIs = []string{"myapp://cb"} })
	next("grant_types", func() { m.GrantTypes = nil })
	next("client_name", func() { m.ClientName = "" })
	next("client_uri", func() { m.ClientURI = "" })
	next("logo_uri", func() { m.LogoURI = "" })
	next("client_type", func() { m.ClientType = "public" })
	next("token_endpoint_auth_method", func() { m.TokenEndpointAuthMethod = "client_secret_basic" })
	next("client_type", func() { m.ClientType = "" })
	next("scope", func() { m.Scope = "" })
	require.Nil(t, m.Validate())
}

// RFC 7591 §2: defaults; type and method follow from each other.
func TestClientMetadataDefaults(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ clientType, method, wantType, wantMethod string }{
		{"", "", "confidential", "client_secret_basic"},
		{"public", "", "public", "none"},
		{"confidential", "", "confidential", "client_secret_basic"},
		{"", "none", "public", "none"},
		{"", "client_secret_post", "confidential", "client_secret_post"},
		{"confidential", "client_secret_post", "confidential", "client_secret_post"},
	} {
		got, problem := minimal(func(m *ClientMetadata) {
			m.ClientType, m.TokenEndpointAuthMethod = tc.clientType, tc.method
		}).Normalize()
		require.Nil(t, problem)
		require.Equal(t, tc.wantType, got.ClientType)
		require.Equal(t, tc.wantMethod, got.TokenEndpointAuthMethod)
		require.Equal(t, []string{"authorization_code", "refresh_token"}, got.GrantTypes)
		require.Equal(t, []string{"code"}, got.ResponseTypes)
	}
	got, problem := minimal(func(m *ClientMetadata) {
		m.GrantTypes = []string{"refresh_token", "authorization_code", "refresh_token"}
		m.Scope = " email  openid email"
	}).Normalize()
	require.Nil(t, problem)
	require.Equal(t, []string{"refresh_token", "authorization_code"}, got.GrantTypes)
	require.Equal(t, "email openid", got.Scope)
}

// A partial update, as the wire sends it, with GoTrue's sentences.
func TestValidateUpdate(t *testing.T) {
	t.Parallel()
	for title, tc := range map[string]struct{ body, clientType, field, message string }{
		"nothing":           {`{}`, "public", "", "No fields provided for update"},
		"only null":         {`{"client_name":null}`, "public", "", "No fields provided for update"},
		"only unknown":      {`{"client_type":"public"}`, "public", "", "No fields provided for update"},
		"name":              {`{"client_name":"New"}`, "public", "", ""},
		"cleared":           {`{"client_name":"","client_uri":"","logo_uri":""}`, "public", "", ""},
		"redirect URI":      {`{"redirect_uris":["myapp://cb"]}`, "public", "", ""},
		"no redirect URI":   {`{"redirect_uris":[]}`, "public", "redirect_uris", "redirect_uris cannot be empty"},
		"bad redirect URI":  {`{"redirect_uris":["x"]}`, "public", "redirect_uris", "invalid redirect_uri 'x': must have scheme and host"},
		"no grant":          {`{"grant_types":[]}`, "public", "grant_types", "grant_types cannot be empty"},
		"one grant":         {`{"grant_types":["refresh_token"]}`, "public", "", ""},
		"unknown grant":     {`{"grant_types":["password"]}`, "public", "grant_types", "grant_types must only contain 'authorization_code' and/or 'refresh_token'"},
		"bad name":          {`{"client_name":"\u0000"}`, "public", "client_name", "client_name must be valid UTF-8 without control characters"},
		"bad client_uri":    {`{"client_uri":"/x"}`, "public", "client_uri", "client_uri must be a valid URL"},
		"bad logo_uri":      {`{"logo_uri":"javascript:x"}`, "public", "logo_uri", "logo_uri must be a valid URL"},
		"method":            {`{"token_endpoint_auth_method":"client_secret_post"}`, "confidential", "", ""},
		"method of public":  {`{"token_endpoint_auth_method":"none"}`, "public", "", ""},
		"unknown method":    {`{"token_endpoint_auth_method":"x"}`, "public", "token_endpoint_auth_method", "invalid token_endpoint_auth_method: must be one of [none client_secret_basic client_secret_post]"},
		"empty method":      {`{"token_endpoint_auth_method":""}`, "public", "token_endpoint_auth_method", "invalid token_endpoint_auth_method: must be one of [none client_secret_basic client_secret_post]"},
		"none for secret":   {`{"token_endpoint_auth_method":"none"}`, "confidential", "token_endpoint_auth_method", "token_endpoint_auth_method 'none' is not valid for client_type 'confidential'; valid methods: [client_secret_basic client_secret_post]"},
		"secret for public": {`{"token_endpoint_auth_method":"client_secret_basic"}`, "public", "token_endpoint_auth_method", "token_endpoint_auth_method 'client_secret_basic' is not valid for client_type 'public'; valid methods: [none]"},
	} {
		t.Run(title, func(t *testing.T) {
			t.Parallel()
			var update MetadataUpdate
			require.NoError(t, json.Unmarshal([]byte(tc.body), &update))
			problem := ValidateUpdate(update, tc.clientType)
			if tc.message == "" {
				require.Nil(t, problem)
				return
			}
			require.Equal(t, &MetadataProblem{tc.field, tc.message}, problem)
		})
	}
}
