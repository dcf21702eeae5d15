package tokens

import (
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/models"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	hour := time.Hour
	factors := func(status string) models.Factors { return models.Factors{{Status: status}} }
	for _, test := range []struct {
		name    string
		limits  Limits
		session models.Session
		factors models.Factors
		lastUse time.Time
		want    error
	}{
		{"no limits", Limits{}, models.Session{}, nil, time.Time{}, nil},
		{"timebox, at its end", Limits{Timebox: &hour}, models.Session{CreatedAt: now.Add(-hour)}, nil, now, nil},
		{"timebox, past", Limits{Timebox: &hour}, models.Session{CreatedAt: now.Add(-hour - 1)}, nil, now, ErrExpired},
		{"inactivity, at its end", Limits{Inactivity: &hour}, models.Session{}, nil, now.Add(-hour), nil},
		{"inactivity, past", Limits{Inactivity: &hour}, models.Session{CreatedAt: now}, nil, now.Add(-hour - 1), ErrExpiredInactive},
		{"not after, at it", Limits{}, models.Session{NotAfter: &now}, nil, now, nil},
		{"not after, past", Limits{}, models.Session{NotAfter: ptr(now.Add(-1))}, nil, now, ErrExpired},
		{"low aal, no factor", Limits{LowAAL: &hour}, models.Session{AAL: models.AAL1}, nil, now, nil},
		{"low aal, unverified factor", Limits{LowAAL: &hour}, models.Session{AAL: models.AAL1}, factors("unverified"), now, nil},
		{"low aal", Limits{LowAAL: &hour}, models.Session{AAL: models.AAL1}, factors(models.FactorVerified), now, ErrExpiredLowAAL},
		{"high aal", Limits{LowAAL: &hour}, models.Session{AAL: models.AAL2}, factors(models.FactorVerified), now, nil},
		{"the timebox is told first", Limits{Timebox: &hour, Inactivity: &hour}, models.Session{}, nil, time.Time{}, ErrExpired},
	} {
		account := &models.Account{User: models.User{Factors: test.factors}, Session: &test.session}
		require.ErrorIs(t, errOrNone(test.limits.check(account, test.lastUse, now)), errOrNone(test.want), test.name)
	}
}

// errOrNone lets ErrorIs compare the absence of an error, too.
func errOrNone(err error) error {
	if err == nil {
		return errLostRace
	}
	return err
}

func ptr[T any](value T) *T { return &value }

func TestLastUsed(t *testing.T) {
	t.Parallel()
	early := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	late := early.Add(time.Hour)
	require.Equal(t, early, lastUsed(&models.Session{CreatedAt: late, RefreshedAt: &early}, late), "a refresh is what counts")
	require.Equal(t, late, lastUsed(&models.Session{CreatedAt: early}, late))
	require.Equal(t, late, lastUsed(&models.Session{CreatedAt: late}, early))
}

func TestGroup(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	hour, day := time.Hour, 24*time.Hour
	require.Equal(t, models.SessionGroup{Now: now, Tags: []string{}}, Limits{}.group(&models.Session{Tag: "x"}, now))
	limits := Limits{Tags: []string{"web", "phone"}, Timebox: &day, Inactivity: &hour}
	for tag, want := range map[string]string{"": "web", "web": "web", "phone": "phone", "other": "web"} {
		require.Equal(t, models.SessionGroup{
			Now: now, Tags: limits.Tags, Tag: want, CreatedAfter: ptr(now.Add(-day)), UsedAfter: ptr(now.Add(-hour)),
		}, limits.group(&models.Session{Tag: tag}, now), tag)
	}
}

func TestCheckClient(t *testing.T) {
	t.Parallel()
	mine, other := uuid.UUID{1}, uuid.UUID{2}
	for _, test := range []struct {
		name    string
		client  bool // else the project's own app
		session models.Session
		want    error
	}{
		{"own app, own session", false, models.Session{ClientActive: true}, nil},
		{"own app, client's session", false, models.Session{OAuthClientID: &mine, ClientActive: true}, ErrClientRequired},
		{"client, own session", true, models.Session{ClientActive: true}, ErrClientNotAllowed},
		{"client, its session", true, models.Session{OAuthClientID: &mine, ClientActive: true}, nil},
		{"client, another's session", true, models.Session{OAuthClientID: &other, ClientActive: true}, ErrClientMismatch},
		{"deleted client", true, models.Session{OAuthClientID: &mine}, ErrNotFound},
	} {
		caller := &mine
		if !test.client {
			caller = nil
		}
		require.ErrorIs(t, errOrNone(checkClient(caller, &test.session)), errOrNone(test.want), test.name)
	}
}
