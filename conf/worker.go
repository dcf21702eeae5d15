package conf

import "time"

// IndexWorker describes the building of indexes that no answer depends on.
type IndexWorker struct {
	// ListIndexesEnabled builds those of the admin API's lists. (Not a setting of
	// GoTrue.)
	ListIndexesEnabled bool `split_words:"true" default:"true"`
	// EnsureUserSearchIndexesExist builds optional ones on users.
	EnsureUserSearchIndexesExist bool `split_words:"true"`
	// MaxUsersThreshold builds them up to that many users; 0 means off.
	MaxUsersThreshold int64 `split_words:"true"`
}

// Experimental holds settings that may change.
type Experimental struct {
	ExperimentalInput

	// ProvidersWithOwnLinkingDomain is the old form of ProviderLinkingDomains:
	// each provider is its own domain. ProviderLinkingDomains includes them.
	ProvidersWithOwnLinkingDomain []string `split_words:"true"`
	// ProviderLinkingDomains maps providers to linking domains. Identities of
	// such providers are linked within their domain only.
	ProviderLinkingDomains map[string]string `ignored:"true"`
	// CursorPaginationEnabled lists users by cursor when no page is asked for.
	CursorPaginationEnabled bool `split_words:"true"`
	// SCIMEnabled opens /scim/v2 (RFC 7644).
	SCIMEnabled bool `split_words:"true"`
	// CreateEmailIdentityOnPasswordSetEnabled adds an e-mail identity to a user
	// who sets a first password.
	CreateEmailIdentityOnPasswordSetEnabled bool `split_words:"true"`
}

// ExperimentalInput holds variables of Experimental whose written form differs.
type ExperimentalInput struct {
	// ProviderLinkingDomains is a list of provider=domain pairs.
	ProviderLinkingDomains string `split_words:"true"`
}

// Reloading describes how changes in the configuration directory are noticed.
type Reloading struct {
	// NotifyEnabled uses notifications of the file system.
	NotifyEnabled bool `split_words:"true" default:"true"`
	// PollerEnabled looks at the files when there are no notifications.
	PollerEnabled bool // POLLERENABLED, in one word
	// PollerInterval is the time between two looks.
	PollerInterval time.Duration `split_words:"true" default:"10s"`
	// SignalEnabled reloads on a signal.
	SignalEnabled bool `split_words:"true"`
	// SignalNumber is that signal; 10 is SIGUSR1 on Linux.
	SignalNumber int `split_words:"true" default:"10"`
	// GracePeriodInterval is the quiet time before a reload.
	GracePeriodInterval time.Duration `split_words:"true" default:"5s"`
}
