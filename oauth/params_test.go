package oauth

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParamsAccess(t *testing.T) {
	t.Parallel()
	p, err := ParseParams(url.Values{"state": {"xyz"}, "resource": {"https://a.example", "https://b.example"}})
	require.Nil(t, err)

	require.Equal(t, "xyz", p.Get("state"))
	require.Equal(t, "https://a.example", p.Get("resource"))
	require.Equal(t, []string{"https://a.example", "https://b.example"}, p.All("resource"))
	require.True(t, p.Has("state"))
	require.False(t, p.Has("nonce"))
	require.Empty(t, p.Get("nonce"))
	require.Nil(t, p.All("nonce"))

	p.All("resource")[0] = "changed"
	require.Equal(t, "https://a.example", p.Get("resource"))

	var zero Params
	require.False(t, zero.Has("state"))
	require.Empty(t, zero.Get("state"))
}

// RFC 6749 §3.1, §3.2: parameters must not be included more than once.
func TestRepeatedParameter(t *testing.T) {
	t.Parallel()
	for name, given := range map[string][]string{
		"different": {"a", "b"},
		"equal":     {"a", "a"},
		"one empty": {"", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseParams(url.Values{"state": given, "client_id": {"c"}})
			require.Equal(t, InvalidRequest("parameter 'state' must not be repeated"), err)
		})
	}
}

// The answer must not depend on map order.
func TestRepeatedParameterReportsTheFirstName(t *testing.T) {
	t.Parallel()
	values := url.Values{}
	for _, name := range []string{"zeta", "beta", "alpha", "gamma"} {
		values[name] = []string{"1", "2"}
	}
	for range 20 {
		_, err := ParseParams(values)
		require.Equal(t, InvalidRequest("parameter 'alpha' must not be repeated"), err)
	}
}

// RFC 8707 §2: resource may be repeated.
func TestRepeatedResource(t *testing.T) {
	t.Parallel()
	p, err := ParseParams(url.Values{"resource": {"https://a.example", "", "https://b.example"}})
	require.Nil(t, err)
	require.Equal(t, []string{"https://a.example", "https://b.example"}, p.All("resource"))
}

// RFC 6749 §3.1: parameters sent without a value are treated as omitted.
func TestParameterWithoutValue(t *testing.T) {
	t.Parallel()
	p, err := ParseParams(url.Values{"scope": {""}, "resource": {""}, "state": {}})
	require.Nil(t, err)
	require.False(t, p.Has("scope"))
	require.False(t, p.Has("resource"))
	require.False(t, p.Has("state"))
}

// RFC 6749 Appendix A, B: values are UTF-8 text.
func TestParameterText(t *testing.T) {
	t.Parallel()
	malformed := InvalidRequest("parameter 'state' must be valid UTF-8 without control characters")
	for name, tc := range map[string]struct {
		value string
		want  *Error
	}{
		"ASCII":         {"a b", nil},
		"UTF-8":         {"jürgen@example.com", nil},
		"NUL":           {"a\x00b", malformed},
		"line feed":     {"a\nb", malformed},
		"DEL":           {"a\x7f", malformed},
		"C1 control":    {"a\u0085", malformed},
		"invalid UTF-8": {"a\xc3", malformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseParams(url.Values{"state": {tc.value}})
			require.Equal(t, tc.want, err)
		})
	}
	_, err := ParseParams(url.Values{"st\x00ate": {"a"}})
	require.Equal(t, InvalidRequest("a parameter name is malformed"), err)
}

func TestParameterLimits(t *testing.T) {
	t.Parallel()
	many := func(n int) url.Values {
		values := url.Values{}
		for i := range n {
			values.Set(fmt.Sprintf("p%d", i), "x")
		}
		return values
	}
	_, err := ParseParams(many(64))
	require.Nil(t, err)
	_, err = ParseParams(many(65))
	require.Equal(t, InvalidRequest("too many parameters"), err)

	_, err = ParseParams(url.Values{"p": {strings.Repeat("x", 32<<10-1)}})
	require.Nil(t, err)
	_, err = ParseParams(url.Values{"p": {strings.Repeat("x", 32<<10)}})
	require.Equal(t, InvalidRequest("the parameters are too long"), err)
}
