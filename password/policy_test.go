package password_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/password"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	sets := []string{"abc", "0123456789", "é:"}
	const (
		short  = "Password should be at least 8 characters."
		plain  = "Password should contain at least one character of each: abc, 0123456789, é:."
		sixths = "Password should be at least 6 characters."
	)
	tests := []struct {
		name   string
		policy password.Policy
		plain  string
		want   *password.Weakness
	}{
		{"zero value, short", password.Policy{}, "12345", &password.Weakness{Reasons: []string{"length"}, Message: sixths}},
		{"zero value, enough", password.Policy{}, "123456", nil},
		{"below six counts as six", password.Policy{MinLength: 3}, "12345", &password.Weakness{Reasons: []string{"length"}, Message: sixths}},
		{"bytes count", password.Policy{MinLength: 8}, "éééé", nil},
		{"too short", password.Policy{MinLength: 8}, "1234567", &password.Weakness{Reasons: []string{"length"}, Message: short}},
		{"one set missing", password.Policy{Required: sets}, "aaa111", &password.Weakness{Reasons: []string{"characters"}, Message: plain}},
		{"each set present", password.Policy{Required: sets}, "aaa111é", nil},
		{"other member of a set", password.Policy{Required: sets}, "aaa111:", nil},
		{"empty set asks for nothing", password.Policy{Required: []string{""}}, "123456", nil},
		{"both", password.Policy{MinLength: 8, Required: sets}, "", &password.Weakness{Reasons: []string{"length", "characters"}, Message: short + " " + plain}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, tt.want, tt.policy.Check(tt.plain))
		})
	}
}

func TestCheckLength(t *testing.T) {
	t.Parallel()
	require.NoError(t, password.CheckLength(strings.Repeat("x", 72)))
	require.EqualError(t, password.CheckLength(strings.Repeat("x", 73)), "Password cannot be longer than 72 characters")
	require.ErrorIs(t, password.CheckLength(strings.Repeat("é", 37)), password.ErrTooLong)
}
