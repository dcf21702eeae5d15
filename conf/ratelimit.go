package conf

import "time"

// RateLimit describes how often things may happen. The limits of type Rate
// count for the whole process. The others count per client, in events per
// five minutes unless said otherwise, and are off while Header is empty.
type RateLimit struct {
	RateLimitInput

	// Header names the request header that identifies a client.
	Header string
	// StoreURL is that of a Redis or Valkey server in which replicas count
	// together. (Not a setting of GoTrue.)
	StoreURL string `split_words:"true" secret:"url"`
	// StoreTimeout bounds what a request waits for that server. (Not a setting of
	// GoTrue.)
	StoreTimeout time.Duration `split_words:"true" default:"250ms"`
	// EmailSent limits mails.
	EmailSent Rate `split_words:"true" default:"30"`
	// SMSSent limits text messages.
	SMSSent Rate `split_words:"true" default:"30"`
	// Verify limits /verify.
	Verify float64 `default:"30"`
	// TokenRefresh limits /token, all grants but web3.
	TokenRefresh float64 `split_words:"true" default:"150"`
	// SSO limits POST /sso.
	SSO float64 `default:"30"`
	// OTP limits, each on its own, /magiclink, /otp, /recover, /resend, /signup
	// and PUT /user.
	OTP float64 `default:"30"`
	// Web3 limits the web3 grant.
	Web3 float64 `default:"30"`
	// Passkey limits the options of passkey authentication.
	Passkey float64 `default:"30"`
	// AnonymousUsers limits the sign-up of anonymous users, per hour.
	AnonymousUsers float64 `split_words:"true" default:"30"`
	// OAuthDynamicClientRegister limits client registration. GoTrue's spelling
	// of the variable is O_AUTH_…; OAUTH_… is accepted too and yields to it.
	OAuthDynamicClientRegister float64 `split_words:"true" default:"10"`
}

// RateLimitInput holds a second spelling of a variable of RateLimit.
type RateLimitInput struct {
	// OAUTHDynamicClientRegister is OAuthDynamicClientRegister without the odd
	// underscore. (Not a setting of GoTrue.)
	OAUTHDynamicClientRegister *float64 `split_words:"true"`
}
