package tokens

import (
	"hash/crc32"
	"math/rand" //nolint:depguard // the sample must pick the sessions that GoTrue picks
	"time"

	"github.com/gofrs/uuid"
)

// Rotation is the policy for refresh tokens.
type Rotation struct {
	// Counter makes new sessions use counter tokens.
	Counter bool
	// UpgradePercentage is the share of older sessions that move to counter
	// tokens when they are refreshed, 0 to 100.
	UpgradePercentage int
	// ReuseInterval is how long a spent token is still answered.
	ReuseInterval time.Duration
	// AllowReuse answers spent counter tokens always.
	AllowReuse bool
	// EndOnReuse ends the session when a spent token comes back.
	EndOnReuse bool
}

// step is what to do with a refresh token that was presented.
type step int

const (
	stepRotate  step = iota // current: issue the next generation
	stepReplay              // spent, but within the window: answer as before
	stepChild               // older kind, within the interval: one more successor
	stepReused              // spent, outside the window
	stepForeign             // a generation that was never issued
)

// Why a spent token is still answered, for the response header.
const (
	causeFailToSave   = "fail-to-save"
	causeConcurrent   = "concurrent-refresh"
	causeAlwaysAllows = "always-allow"
)

// decideCounter judges a counter token. A client that lost the last answer
// comes back with the generation before the current one and gets the current
// one again, however late; older ones are answered only within the interval
// since the session's last refresh (nil before the first).
func (r Rotation) decideCounter(stored, presented int64, lastRefresh *time.Time, now time.Time) (step, []string) {
	switch {
	case presented > stored:
		return stepForeign, nil
	case presented == stored:
		return stepRotate, nil
	}
	var causes []string
	if lastRefresh != nil && now.Sub(*lastRefresh) < r.ReuseInterval {
		causes = append(causes, causeConcurrent)
	}
	if stored-presented == 1 {
		causes = append(causes, causeFailToSave)
	}
	if r.AllowReuse {
		causes = append(causes, causeAlwaysAllows)
	}
	if len(causes) > 0 {
		return stepReplay, causes
	}
	return stepReused, nil
}

// tokenState is a refresh token of the older kind as it was read.
type tokenState struct {
	token        string
	revoked      bool
	revokedAt    time.Time
	activeParent string
}

// decideToken judges a token of the older kind: the parent of the session's
// active token is a client that lost the last answer; another spent one gets a
// successor of its own within the interval since it was revoked.
func (r Rotation) decideToken(t tokenState, now time.Time) step {
	switch {
	case !t.revoked:
		return stepRotate
	case t.activeParent == t.token:
		return stepReplay
	case now.Before(t.revokedAt.Add(r.ReuseInterval)):
		return stepChild
	}
	return stepReused
}

// upgrades reports whether a session of the older kind moves to counter
// tokens. The choice depends on the session alone, so that it is the same on
// every replica and in GoTrue.
func (r Rotation) upgrades(session uuid.UUID) bool {
	if !r.Counter || r.UpgradePercentage <= 0 {
		return false
	}
	seed := int64(crc32.ChecksumIEEE(session.Bytes()))
	sample := rand.New(rand.NewSource(seed)).Intn(100) //nolint:gosec // not a secret
	return sample < r.UpgradePercentage
}
