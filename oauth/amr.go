package oauth

import "slices"

// MethodReferences translates the authentication methods of a session into
// those of RFC 8176 §2, sorted. What the registry has no word for, such as a
// login at another provider, is left out; several factors make it "mfa".
func MethodReferences(methods []string, severalFactors bool) []string {
	words := map[string]string{
		"password": "pwd",
		"otp":      "otp", "magiclink": "otp", "recovery": "otp", "invite": "otp", "email/signup": "otp",
		"email_change": "otp", "totp": "otp", "mfa/recovery_code": "otp",
		"mfa/phone":    "sms",
		"mfa/webauthn": "pop", "passkey": "pop", "web3": "pop",
	}
	references := []string{}
	for _, method := range methods {
		if word, ok := words[method]; ok {
			references = append(references, word)
		}
	}
	if severalFactors {
		references = append(references, "mfa")
	}
	slices.Sort(references)
	return slices.Compact(references)
}
