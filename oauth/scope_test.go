package oauth

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 6749 §3.3: scope = scope-token *( SP scope-token ).
func TestParseScope(t *testing.T) {
	t.Parallel()
	malformed := InvalidScope("scope contains a character that is not allowed")
	for name, tc := range map[string]struct {
		in   string
		want Scope
		err  *Error
	}{
		"empty":           {"", nil, nil},
		"only spaces":     {"   ", nil, nil},
		"one":             {"openid", Scope{"openid"}, nil},
		"order kept":      {"profile openid", Scope{"profile", "openid"}, nil},
		"generous spaces": {"  openid   email ", Scope{"openid", "email"}, nil},
		"repeated":        {"email openid email", Scope{"email", "openid"}, nil},
		"case-sensitive":  {"Email email", Scope{"Email", "email"}, nil},
		"URI token":       {"https://api.example/read!", Scope{"https://api.example/read!"}, nil},
		"quote":           {`open"id`, nil, malformed},
		"backslash":       {`open\id`, nil, malformed},
		"tab":             {"openid\temail", nil, malformed},
		"DEL":             {"openid\x7f", nil, malformed},
		"not ASCII":       {"öpenid", nil, malformed},
		"longest":         {strings.Repeat("x", 4096), Scope{strings.Repeat("x", 4096)}, nil},
		"too long":        {strings.Repeat("x", 4097), nil, InvalidScope("scope must not exceed 4096 characters")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseScope(tc.in)
			require.Equal(t, tc.err, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestScopeSets(t *testing.T) {
	t.Parallel()
	a, b := Scope{"openid", "email", "phone"}, Scope{"phone", "profile", "openid"}

	require.Equal(t, "openid email phone profile", a.Union(b).String())
	require.Equal(t, "openid phone", a.Intersect(b).String())
	require.Equal(t, "email", a.Without(b).String())
	require.Equal(t, "openid email phone", a.String(), "operands are left alone")
	require.Empty(t, Scope(nil).String())
	require.True(t, a.Has("email"))
	require.False(t, a.Has("Email"))
	require.False(t, a.Has(""))
}

// RFC 6749 §6: a refresh must not ask for scope that was not granted.
func TestScopeSubset(t *testing.T) {
	t.Parallel()
	granted := Scope{"openid", "email"}
	require.True(t, Scope{"email"}.Subset(granted))
	require.True(t, Scope{"email", "openid"}.Subset(granted))
	require.True(t, Scope{}.Subset(granted))
	require.False(t, Scope{"email", "phone"}.Subset(granted))
	require.False(t, granted.Subset(nil))
}

// A union must not write into the spare capacity of its left operand.
func TestScopeUnionDoesNotAlias(t *testing.T) {
	t.Parallel()
	base := append(make(Scope, 0, 8), "openid")
	first := base.Union(Scope{"email"})
	second := base.Union(Scope{"phone"})
	require.Equal(t, Scope{"openid", "email"}, first)
	require.Equal(t, Scope{"openid", "phone"}, second)
}

// OIDC Core §3.1.2.1: scopes the server does not understand are told apart.
func TestSupportedScopes(t *testing.T) {
	t.Parallel()
	known, unknown := Supported(Scope{"read", "phone", "openid", "admin", "offline_access"})
	require.Equal(t, Scope{"phone", "openid", "offline_access"}, known)
	require.Equal(t, Scope{"read", "admin"}, unknown)
	require.Equal(t, "openid profile email phone offline_access", SupportedScopes().String())
}
