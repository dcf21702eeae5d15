package conf

import "time"

// MFA describes second factors.
type MFA struct {
	MFAInput

	// ChallengeExpiryDuration is the time to answer a challenge.
	ChallengeExpiryDuration time.Duration `ignored:"true" min:"300s"`
	// FactorExpiryDuration is the time to verify a new factor.
	FactorExpiryDuration time.Duration `split_words:"true" default:"300s" min:"300s"`
	// RateLimitChallengeAndVerify limits challenges, and apart from them
	// verifications, per client and minute.
	RateLimitChallengeAndVerify float64 `split_words:"true" default:"15"`
	// MaxEnrolledFactors limits the factors of a user.
	MaxEnrolledFactors float64 `split_words:"true" default:"10"`
	// MaxVerifiedFactors limits the verified factors of a user.
	MaxVerifiedFactors int `split_words:"true" default:"10"`

	TOTP          MFATOTP
	Phone         MFAPhone
	WebAuthn      MFAWebAuthn      `split_words:"true"` // WEB_AUTHN, in two words
	RecoveryCodes MFARecoveryCodes `split_words:"true"`
}

// MFAInput holds variables of MFA whose written form differs.
type MFAInput struct {
	// ChallengeExpiryDuration is in seconds.
	ChallengeExpiryDuration float64 `split_words:"true" default:"300"`
}

// MFATOTP describes authenticator apps (RFC 6238).
type MFATOTP struct {
	EnrollEnabled bool `split_words:"true" default:"true"`
	VerifyEnabled bool `split_words:"true" default:"true"`
}

// MFAPhone describes codes sent to a phone.
type MFAPhone struct {
	EnrollEnabled bool `split_words:"true"`
	VerifyEnabled bool `split_words:"true"`
	// OTPLength is the number of digits of a code, 6 to 10.
	OTPLength int `split_words:"true" zero:"6"`
	// MaxFrequency is the least time between two messages to a user.
	MaxFrequency time.Duration `split_words:"true" zero:"1m"`
	// Template is the message, a text/template with .Code.
	Template string `zero:"Your code is {{ .Code }}"`
}

// MFAWebAuthn describes security keys as second factor.
type MFAWebAuthn struct {
	EnrollEnabled bool `split_words:"true"`
	VerifyEnabled bool `split_words:"true"`
}

// MFARecoveryCodes describes codes that stand in for a lost factor.
type MFARecoveryCodes struct {
	EnrollEnabled bool `split_words:"true" default:"true"`
	VerifyEnabled bool `split_words:"true" default:"true"`
}

// WebAuthn describes this service as a relying party.
type WebAuthn struct {
	// RPID is the relying party identifier, a domain.
	RPID string `envconfig:"RP_ID"`
	// RPDisplayName is shown to the user.
	RPDisplayName string `split_words:"true"`
	// RPOrigins are the accepted origins.
	RPOrigins []string `split_words:"true"`
	// ChallengeExpiryDuration is the life of a passkey challenge.
	ChallengeExpiryDuration time.Duration `split_words:"true" default:"5m"`
}

// Passkey describes login without a password.
type Passkey struct {
	// Enabled allows it.
	Enabled bool
	// MaxPasskeysPerUser limits the passkeys of a user.
	MaxPasskeysPerUser int `split_words:"true" default:"10"`
}
