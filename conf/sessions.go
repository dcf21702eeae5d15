package conf

import "time"

// Sessions describes how long sessions live. Nil durations mean no limit.
type Sessions struct {
	// Timebox is the life from creation.
	Timebox *time.Duration
	// InactivityTimeout is the life from the last refresh.
	InactivityTimeout *time.Duration `split_words:"true"`
	// AllowLowAAL is the time a user with a second factor may go without it.
	AllowLowAAL *time.Duration `split_words:"true"`
	// SinglePerUser lets only the most recently refreshed session refresh.
	SinglePerUser bool `split_words:"true"`
	// Tags make SinglePerUser count per tag.
	Tags []string
}
