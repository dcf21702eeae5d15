package conf

import "time"

// SAML describes this service as a SAML 2.0 service provider.
type SAML struct {
	// Enabled allows login with SAML.
	Enabled bool
	// PrivateKey is a PKCS #1 RSA key (RFC 8017 §A.1.2) in standard base64.
	PrivateKey string `split_words:"true" secret:"true"`
	// PrivateKeyNext is a second key, for its rotation.
	PrivateKeyNext string `split_words:"true" secret:"true"`
	// AllowEncryptedAssertions announces and accepts them.
	AllowEncryptedAssertions bool `split_words:"true"`
	// RelayStateValidityPeriod is the time a user has to come back.
	RelayStateValidityPeriod time.Duration `split_words:"true" zero:"2m"`
	// ExternalURL replaces API.ExternalURL, if not empty.
	ExternalURL string `split_words:"true"`
	// RateLimitAssertion limits assertions, per client and five minutes.
	RateLimitAssertion float64 `split_words:"true" default:"15"`
}
