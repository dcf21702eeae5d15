package conf

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
)

// check looks at the shape of the keys; whether each is a good key is found
// out where they are parsed.
func (j JWT) check(r *report) {
	const variable = "GOTRUE_JWT_KEYS"
	if j.Keys == "" {
		if j.Secret == "" {
			r.problem("GOTRUE_JWT_SECRET",
				"failed to initialize *jwk.symmetricKey from []uint8: non-empty []byte key required")
		}
		return
	}
	var keys []struct {
		Type       string   `json:"kty"`
		Operations []string `json:"key_ops"`
	}
	if err := json.Unmarshal([]byte(j.Keys), &keys); err != nil || len(keys) == 0 {
		r.problem(variable, "must be a JSON array of private JWKs")
		return
	}
	signing := 0
	for i, key := range keys {
		if !slices.Contains([]string{"oct", "RSA", "EC", "OKP"}, key.Type) {
			r.problem(variable, "key %d: kty must be oct, RSA, EC or OKP", i)
		}
		if slices.Contains(key.Operations, "sign") {
			signing++
		}
	}
	switch {
	case signing == 0:
		r.problem(variable, "no signing key found")
	case signing > 1:
		r.problem(variable, "multiple signing keys detected, only 1 signing key is supported")
	}
}

func (s Security) check(r *report) {
	if v := s.RefreshTokenAlgorithmVersion; v < 0 || v > 2 {
		r.problem("GOTRUE_SECURITY_REFRESH_TOKEN_ALGORITHM_VERSION",
			"refresh token algorithm version must be 0, 1 or 2 but was %d", v)
	}
	if p := s.RefreshTokenUpgradePercentage; p < 0 || p > 100 {
		r.problem("GOTRUE_SECURITY_REFRESH_TOKEN_UPGRADE_PERCENTAGE",
			"refresh token upgrade percentage must be between 0 and 100, but was %d", p)
	}
	s.DBEncryption.check(r)
	s.Captcha.check(r)
}

func (d DBEncryption) check(r *report) {
	const variable = "GOTRUE_SECURITY_DB_ENCRYPTION_"
	for _, id := range slices.Sorted(maps.Keys(d.DecryptionKeys)) {
		if !isKey256(d.DecryptionKeys[id]) {
			r.problem(variable+"DECRYPTION_KEYS", "conf: decryption key with ID %q must be 256 bits", id)
		}
	}
	if !d.Encrypt {
		return
	}
	if d.EncryptionKeyID == "" {
		r.problem(variable+"ENCRYPTION_KEY_ID", "conf: encryption key ID must be specified")
	}
	if !isKey256(d.EncryptionKey) {
		r.problem(variable+"ENCRYPTION_KEY", "conf: encryption key is not 256 bits")
	}
	if d.EncryptionKeyID != "" && d.DecryptionKeys[d.EncryptionKeyID] != d.EncryptionKey {
		r.problem(variable+"DECRYPTION_KEYS", "conf: encryption key must also be present in decryption keys")
	}
}

// isKey256 reports whether text is 32 bytes in base64url without padding.
func isKey256(text string) bool {
	key, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && len(key) == 32
}

func (c Captcha) check(r *report) {
	if !c.Enabled {
		return
	}
	if c.Provider != "hcaptcha" && c.Provider != "turnstile" {
		r.problem("GOTRUE_SECURITY_CAPTCHA_PROVIDER", "unsupported captcha provider: %s", c.Provider)
	}
	if c.Secret == "" {
		r.problem("GOTRUE_SECURITY_CAPTCHA_SECRET", "captcha provider secret is empty")
	}
}

func (s SAML) check(r *report) {
	if !s.Enabled {
		return
	}
	checkSAMLKey(r, "GOTRUE_SAML_PRIVATE_KEY", "SAML private key", s.PrivateKey)
	if s.PrivateKeyNext != "" {
		checkSAMLKey(r, "GOTRUE_SAML_PRIVATE_KEY_NEXT", "SAML next private key", s.PrivateKeyNext)
	}
	if s.RelayStateValidityPeriod < 0 {
		r.problem("GOTRUE_SAML_RELAY_STATE_VALIDITY_PERIOD",
			"SAML RelayState validity period should be a positive duration")
	}
	if s.ExternalURL != "" {
		checkAbsolute(r, "GOTRUE_SAML_EXTERNAL_URL", s.ExternalURL)
	}
}

func checkSAMLKey(r *report, variable, name, text string) {
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		r.problem(variable, "%s not in standard Base64 format", name)
		return
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		r.problem(variable, "%s not in PKCS#1 format", name)
		return
	}
	checkSAMLStrength(r, variable, name, key)
}

func checkSAMLStrength(r *report, variable, name string, key *rsa.PrivateKey) {
	if key.E != 0x10001 {
		r.problem(variable, "%s should use the 65537 (0x10001) RSA public exponent", name)
	}
	if key.N.BitLen() < 2048 {
		r.problem(variable, "%s must be at least RSA 2048", name)
	}
}
