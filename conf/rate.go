package conf

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// RateForm tells how a Rate was written, which decides how it counts.
type RateForm int

const (
	// RateWindow is a plain number n: n events per fixed window of an hour.
	RateWindow RateForm = iota
	// RateBucket is n/duration: a token bucket of n, to which one token comes
	// back per duration.
	RateBucket
)

// Rate limits events of the whole process.
type Rate struct {
	// Events is the number of events a window or the bucket holds.
	Events float64
	// Interval is the length of the window, or the time in which one token
	// comes back.
	Interval time.Duration
	// Form tells window and bucket apart.
	Form RateForm
}

// Decode parses "30" or "30/1h". It implements envconfig.Decoder.
func (r *Rate) Decode(text string) error {
	events, interval, isBucket := strings.Cut(text, "/")
	n, err := strconv.ParseFloat(events, 64)
	if err != nil || !(n >= 0 && n <= maxRateEvents) {
		return rateError(text)
	}
	if !isBucket {
		*r = Rate{Events: n, Interval: time.Hour, Form: RateWindow}
		return nil
	}
	d, err := time.ParseDuration(interval)
	if err != nil || d <= 0 {
		return rateError(text)
	}
	*r = Rate{Events: n, Interval: d, Form: RateBucket}
	return nil
}

// maxRateEvents keeps a count exact in a float64 and in an int.
const maxRateEvents = 1 << 53

func rateError(text string) error {
	return fmt.Errorf("rate: value does not match rate syntax %q", text)
}

// String returns the form that Decode parses.
func (r Rate) String() string {
	events := strconv.FormatFloat(r.Events, 'f', -1, 64)
	if r.Form == RateWindow {
		return events
	}
	return events + "/" + formatDuration(r.Interval)
}
