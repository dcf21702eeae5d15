package oauth

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// RFC 8176 §2.
func TestMethodReferences(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		methods []string
		several bool
		want    []string
	}{
		{nil, false, []string{}},
		{[]string{"password"}, false, []string{"pwd"}},
		{[]string{"totp", "password"}, true, []string{"mfa", "otp", "pwd"}},
		{[]string{"otp", "magiclink", "totp"}, true, []string{"mfa", "otp"}},
		{[]string{"mfa/phone", "mfa/webauthn"}, true, []string{"mfa", "pop", "sms"}},
		{[]string{"oauth", "sso/saml", "anonymous", "unheard of"}, false, []string{}},
	} {
		require.Equal(t, test.want, MethodReferences(test.methods, test.several), "%v", test.methods)
	}
}
