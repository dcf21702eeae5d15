package conf

import "time"

// Security describes refresh tokens, password changes, linking, encryption of
// columns and the captcha.
type Security struct {
	SecurityInput

	// RefreshTokenRotationEnabled revokes the session when a spent refresh
	// token comes back (RFC 9700 §4.14.2).
	RefreshTokenRotationEnabled bool `split_words:"true" default:"true"`
	// RefreshTokenReuseInterval is the time a spent token is still accepted.
	RefreshTokenReuseInterval time.Duration `ignored:"true"`
	// RefreshTokenAllowReuse accepts spent tokens; version 2 only.
	RefreshTokenAllowReuse bool `split_words:"true"`
	// RefreshTokenAlgorithmVersion is 1 or 2. Unset means 2, while GoTrue takes
	// 1; a 0 means 1.
	RefreshTokenAlgorithmVersion int `split_words:"true" default:"2"`
	// RefreshTokenUpgradePercentage is the share of version 1 sessions that
	// become version 2 when they are refreshed, 0 to 100.
	RefreshTokenUpgradePercentage int `split_words:"true"`
	// UpdatePasswordRequireReauthentication asks for a mailed code when the
	// session is older than a day.
	UpdatePasswordRequireReauthentication bool `split_words:"true"`
	// UpdatePasswordRequireCurrentPassword asks for the old password.
	UpdatePasswordRequireCurrentPassword bool `split_words:"true"`
	// ManualLinkingEnabled opens the identity routes to users.
	ManualLinkingEnabled bool `split_words:"true"`
	// SBForwardedForEnabled trusts the header Sb-Forwarded-For.
	SBForwardedForEnabled bool `split_words:"true"`
	// DBEncryption configures the encryption of secret columns.
	DBEncryption DBEncryption `split_words:"true"`
	// Captcha configures the proof that a person is asking.
	Captcha Captcha
}

// SecurityInput holds variables of Security whose written form differs.
type SecurityInput struct {
	// RefreshTokenReuseInterval is in seconds.
	RefreshTokenReuseInterval int `split_words:"true"`
}

// DBEncryption configures the encryption of secret columns. A key is 32 bytes
// in base64url without padding (RFC 4648 §5).
type DBEncryption struct {
	// Encrypt encrypts what is written.
	Encrypt bool
	// EncryptionKeyID names EncryptionKey.
	EncryptionKeyID string `split_words:"true"`
	// EncryptionKey encrypts; it must be among DecryptionKeys too.
	EncryptionKey string `split_words:"true" secret:"true"`
	// DecryptionKeys maps key IDs to keys.
	DecryptionKeys map[string]string `split_words:"true" secret:"true"`
}

// Captcha configures the proof that a person is asking.
type Captcha struct {
	// Enabled asks for it.
	Enabled bool
	// Provider is hcaptcha or turnstile.
	Provider string `default:"hcaptcha"`
	// Secret is the site's secret at the provider, trimmed.
	Secret string `secret:"true"`
	// Timeout limits the call to the provider.
	Timeout time.Duration `zero:"10s"`
}
