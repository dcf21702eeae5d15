package conf

import "time"

// External describes the ways to sign in.
type External struct {
	// EmailEnabled allows sign-up and login with an e-mail address.
	EmailEnabled bool `split_words:"true" default:"true"`
	// EmailMagicLinkEnabled allows login by mailed link or code.
	EmailMagicLinkEnabled bool `split_words:"true" default:"true"`
	// EmailAuthorizedAddresses limits the recipients of mail, if not empty.
	EmailAuthorizedAddresses []string `split_words:"true"`
	// PhoneEnabled allows sign-up and login with a phone number.
	PhoneEnabled bool `split_words:"true"`
	// AnonymousUsersEnabled allows users without any identity.
	AnonymousUsersEnabled bool `split_words:"true"`
	// IOSBundleID is a further audience of Apple's ID tokens.
	IOSBundleID string `split_words:"true"`
	// RedirectURL is where every external login ends, if not empty.
	RedirectURL string // REDIRECTURL, in one word
	// AllowedIDTokenIssuers are accepted in the id_token grant without a known
	// provider.
	AllowedIDTokenIssuers []string `split_words:"true" default:"https://appleid.apple.com,https://accounts.google.com"`
	// FlowStateExpiryDuration is the time a user has to come back.
	FlowStateExpiryDuration time.Duration `split_words:"true" min:"300s"`
	// OIDCProviderCacheTTL is the time a discovery document is kept.
	OIDCProviderCacheTTL time.Duration `split_words:"true" default:"1h"`

	Web3Solana   Web3 `split_words:"true"`
	Web3Ethereum Web3 `split_words:"true"`

	// Providers maps each built-in provider, by its name at the API such as
	// "google", to its settings; all are present.
	Providers map[string]Provider `ignored:"true"`
}

// Web3 describes login with a wallet of one chain.
type Web3 struct {
	// Enabled allows it.
	Enabled bool
	// MaximumValidityDuration limits the age of the message and the clock skew.
	MaximumValidityDuration time.Duration `split_words:"true" default:"10m"`
}

// Provider describes this service as a client of an OAuth provider.
type Provider struct {
	// Enabled allows login with it.
	Enabled bool
	// ClientID holds the client identifier; further ones are only accepted as
	// audiences of ID tokens.
	ClientID []string `split_words:"true"`
	// Secret is the client secret.
	Secret string `secret:"true"`
	// RedirectURI is the callback registered at the provider.
	RedirectURI string `split_words:"true"`
	// URL is the base of a self-hosted instance.
	URL string
	// ApiURL is accepted for compatibility and has no effect. (The spelling
	// makes the variable API_URL without an alias.)
	ApiURL string `split_words:"true"`
	// EmailOptional allows users without an address.
	EmailOptional bool `split_words:"true"`
	// SkipNonceCheck accepts ID tokens without the nonce of the request.
	SkipNonceCheck bool `split_words:"true"`
}

// ProviderNames returns the names of the built-in providers, sorted.
func ProviderNames() []string {
	return []string{
		"apple", "azure", "bitbucket", "discord", "facebook", "figma", "fly",
		"github", "gitlab", "google", "kakao", "keycloak", "linkedin",
		"linkedin_oidc", "notion", "slack", "slack_oidc", "snapchat", "spotify",
		"twitch", "twitter", "vercel_marketplace", "workos", "x", "zoom",
	}
}
