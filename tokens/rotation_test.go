package tokens

import (
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"
)

func TestDecideCounter(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) *time.Time {
		at := now.Add(-d)
		return &at
	}
	window := Rotation{ReuseInterval: 10 * time.Second}
	for _, test := range []struct {
		name              string
		rotation          Rotation
		stored, presented int64
		lastRefresh       *time.Time
		want              step
		causes            []string
	}{
		{"first use", window, 0, 0, nil, stepRotate, nil},
		{"current", window, 7, 7, ago(time.Second), stepRotate, nil},
		{"never issued", window, 7, 8, ago(time.Second), stepForeign, nil},
		{"never issued, reuse allowed", Rotation{AllowReuse: true}, 7, 8, nil, stepForeign, nil},
		{"the one before, in the window", window, 7, 6, ago(time.Second), stepReplay, []string{causeConcurrent, causeFailToSave}},
		{"the one before, years later", window, 7, 6, ago(20000 * time.Hour), stepReplay, []string{causeFailToSave}},
		{"the one before, no refresh known", window, 7, 6, nil, stepReplay, []string{causeFailToSave}},
		{"older, in the window", window, 7, 0, ago(9 * time.Second), stepReplay, []string{causeConcurrent}},
		{"older, at the window's end", window, 7, 0, ago(10 * time.Second), stepReused, nil},
		{"older, no window", Rotation{}, 7, 5, ago(0), stepReused, nil},
		{"older, no refresh known", window, 7, 5, nil, stepReused, nil},
		{"older, reuse allowed", Rotation{AllowReuse: true}, 7, 0, ago(time.Hour), stepReplay, []string{causeAlwaysAllows}},
		{"all causes", Rotation{AllowReuse: true, ReuseInterval: time.Minute}, 7, 6, ago(0), stepReplay,
			[]string{causeConcurrent, causeFailToSave, causeAlwaysAllows}},
	} {
		got, causes := test.rotation.decideCounter(test.stored, test.presented, test.lastRefresh, now)
		require.Equal(t, test.want, got, test.name)
		require.Equal(t, test.causes, causes, test.name)
	}
}

func TestDecideToken(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	window := Rotation{ReuseInterval: 10 * time.Second}
	for _, test := range []struct {
		name     string
		rotation Rotation
		state    tokenState
		want     step
	}{
		{"current", window, tokenState{token: "a"}, stepRotate},
		{"current, though it has a child", window, tokenState{token: "a", activeParent: "a"}, stepRotate},
		{"parent of the active one", Rotation{}, tokenState{token: "a", revoked: true, activeParent: "a", revokedAt: now.Add(-time.Hour)}, stepReplay},
		{"older, in the window", window, tokenState{token: "a", revoked: true, activeParent: "b", revokedAt: now.Add(-9 * time.Second)}, stepChild},
		{"older, at the window's end", window, tokenState{token: "a", revoked: true, activeParent: "b", revokedAt: now.Add(-10 * time.Second)}, stepReused},
		{"older, no window", Rotation{}, tokenState{token: "a", revoked: true, activeParent: "b", revokedAt: now}, stepReused},
		{"family revoked", Rotation{}, tokenState{token: "a", revoked: true, revokedAt: now}, stepReused},
	} {
		require.Equal(t, test.want, test.rotation.decideToken(test.state, now), test.name)
	}
}

// The sample is a function of the session alone, and a larger share contains
// the smaller ones: nobody is moved back.
func TestUpgrades(t *testing.T) {
	t.Parallel()
	upgraded := map[int]int{}
	const sessions = 400
	for i := range sessions {
		session := uuid.NewV5(uuid.NamespaceURL, string(rune('a'+i)))
		was := false
		for _, percentage := range []int{-1, 0, 1, 25, 50, 75, 99, 100} {
			is := Rotation{Counter: true, UpgradePercentage: percentage}.upgrades(session)
			require.Equal(t, is, Rotation{Counter: true, UpgradePercentage: percentage}.upgrades(session))
			require.True(t, is || !was)
			was = is
			if is {
				upgraded[percentage]++
			}
			require.False(t, Rotation{UpgradePercentage: percentage}.upgrades(session), "counter tokens are off")
		}
	}
	require.Equal(t, 0, upgraded[-1]+upgraded[0])
	require.Equal(t, sessions, upgraded[100])
	require.InDelta(t, sessions/2, upgraded[50], sessions/10)
}

func TestIsTokenV1(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"abcdefghijkl": true, "a2b3c4d5e6f7": true, "aaaaaaaa0189": true,
		"": false, "abcdefghijk": false, "abcdefghijklm": false, "ABCDEFGHIJKL": false, "abcdefghijk-": false, "äbcdefghijk": false,
	} {
		require.Equal(t, want, isTokenV1(text), text)
	}
}
