package conf

import "time"

// CustomOAuth describes providers that administrators add at run time.
type CustomOAuth struct {
	// Enabled allows them.
	Enabled bool `default:"true"`
	// MaxProviders limits their number; 0 means no limit.
	MaxProviders int `split_words:"true"`
	// ExternalURL replaces API.ExternalURL in their callbacks, if not empty.
	ExternalURL string `split_words:"true"`
}

// OAuthServer describes this service as an authorization server.
type OAuthServer struct {
	// Enabled turns the routes under /oauth on.
	Enabled bool
	// AllowDynamicRegistration opens client registration (RFC 7591 §3).
	AllowDynamicRegistration bool `split_words:"true"`
	// AuthorizationPath is the consent page under SiteURL.
	AuthorizationPath string `split_words:"true"`
	// AuthorizationTTL is the time a user has to decide.
	AuthorizationTTL time.Duration `split_words:"true" default:"10m"`
	// DefaultScope is used when a request names none (RFC 6749 §3.3).
	DefaultScope string `split_words:"true" default:"email"`

	// CodeTTL is the life of an authorization code (RFC 6749 §4.1.2). (Not a
	// setting of GoTrue.)
	CodeTTL time.Duration `split_words:"true" default:"1m"`
	// SessionTimebox and SessionInactivityTimeout are the life of what a user
	// grants a client: from the grant, and from the client's last refresh. Nil
	// means no limit. (Not settings of GoTrue.)
	SessionTimebox           *time.Duration `split_words:"true"`
	SessionInactivityTimeout *time.Duration `split_words:"true"`
	// AllowPlainPKCE accepts code_challenge_method "plain" (RFC 7636 §4.2).
	// (Not a setting of GoTrue.)
	AllowPlainPKCE bool `split_words:"true"`
	// StrictScopes refuses unknown scopes instead of ignoring them (RFC 6749
	// §3.3). (Not a setting of GoTrue.)
	StrictScopes bool `split_words:"true"`
}
