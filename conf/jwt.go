package conf

import "time"

// JWT describes the access tokens and the keys that sign them.
type JWT struct {
	JWTInput

	// Secret is the HS256 key: the bytes of the text.
	Secret string `required:"true" secret:"true"`
	// Exp is the life of an access token.
	Exp time.Duration `ignored:"true" zero:"1h"`
	// Aud is the audience of new users, and of requests that name none.
	Aud string
	// AdminGroupName is the role that the command line gives to administrators.
	AdminGroupName string `split_words:"true" zero:"admin"`
	// AdminRoles are the roles accepted on admin routes.
	AdminRoles []string `split_words:"true" zero:"service_role,supabase_admin"`
	// DefaultGroupName is the role of new users.
	DefaultGroupName string `split_words:"true"`
	// Issuer is the iss claim and the base of discovery; empty means no claim.
	Issuer string
	// KeyID is the kid of the key made from Secret.
	KeyID string `split_words:"true"`
	// Keys is a JSON array of private JWKs (RFC 7517 §4), exactly one of them
	// with key_ops "sign"; empty or [] means the key made from Secret.
	Keys string `secret:"jwks"`
	// ValidMethods are the accepted alg values; empty means those of the keys.
	ValidMethods []string `split_words:"true"`
}

// JWTInput holds variables of JWT whose written form differs.
type JWTInput struct {
	// Exp is in seconds.
	Exp int
}
