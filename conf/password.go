package conf

// Password describes which passwords are good enough. The maximum is fixed at
// 72 bytes, the limit of bcrypt.
type Password struct {
	PasswordInput

	// MinLength is in bytes.
	MinLength int `split_words:"true" min:"6"`
	// RequiredCharacters are sets; a password needs one character of each.
	RequiredCharacters []string `ignored:"true"`
	// HIBP configures the check against known leaked passwords.
	HIBP HIBP
}

// PasswordInput holds variables of Password whose written form differs.
type PasswordInput struct {
	// RequiredCharacters separates sets with ':'; "\:" is a colon in a set.
	RequiredCharacters string `split_words:"true"`
}

// HIBP configures the check against api.pwnedpasswords.com.
type HIBP struct {
	// Enabled turns the check on.
	Enabled bool
	// FailClosed refuses a password when the check itself fails.
	FailClosed bool `split_words:"true"`
	// UserAgent names the caller, as the service asks for. GoTrue sends its own
	// repository's address unless configured.
	UserAgent string `split_words:"true" default:"truegrant"`
	// Bloom configures a cache of answers.
	Bloom Bloom
}

// Bloom configures the in-memory filter that caches answers of HIBP.
type Bloom struct {
	// Enabled turns the filter on.
	Enabled bool
	// Items is the number of entries the filter is made for.
	Items uint `default:"100000"`
	// FalsePositives is the accepted share of wrong hits, between 0 and 1.
	FalsePositives float64 `split_words:"true" default:"0.0000099"`
}
