package mfa_test

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/mfa"
)

// rfcSecret is the SHA-1 secret of RFC 6238, appendix B.
func rfcSecret() string {
	return base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
}

// The vectors of RFC 6238, appendix B, have eight digits; ours are the last six.
func TestCodeOfRFC6238(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471",
		1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		got, err := mfa.Code(rfcSecret(), time.Unix(at, 0))
		require.NoError(t, err)
		require.Equal(t, want, got, at)
	}
}

func TestMatchCode(t *testing.T) {
	t.Parallel()
	const present = 1234567890
	now := time.Unix(present, 0)
	step := int64(present / 30)
	for name, test := range map[string]struct {
		at    time.Duration // when the code was shown
		spent int64
		ok    bool
	}{
		"present":            {0, mfa.NoStep, true},
		"a step late":        {-30 * time.Second, mfa.NoStep, true},
		"a step early":       {30 * time.Second, mfa.NoStep, true},
		"two steps late":     {-time.Minute, mfa.NoStep, false},
		"two steps early":    {time.Minute, mfa.NoStep, false},
		"spent":              {0, step, false},
		"older than spent":   {-30 * time.Second, step, false},
		"after spent":        {0, step - 1, true},
		"next step of spent": {30 * time.Second, step, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, err := mfa.Code(rfcSecret(), now.Add(test.at))
			require.NoError(t, err)
			got, ok, err := mfa.MatchCode(rfcSecret(), code, test.spent, now)
			require.NoError(t, err)
			require.Equal(t, test.ok, ok)
			if ok {
				require.Equal(t, now.Add(test.at).Unix()/30, got)
			}
		})
	}
}

func TestMatchCodeRefusesWhatIsNoCode(t *testing.T) {
	t.Parallel()
	now := time.Unix(59, 0)
	for _, code := range []string{"", "28708", "2870820", "28708a", "94287082", "２87082", "-87082"} {
		_, ok, err := mfa.MatchCode(rfcSecret(), code, mfa.NoStep, now)
		require.NoError(t, err)
		require.False(t, ok, code)
	}
	_, ok, err := mfa.MatchCode(rfcSecret(), " 287082\n", mfa.NoStep, now)
	require.NoError(t, err)
	require.True(t, ok, "blanks around a pasted code do no harm")
}

func TestUnreadableSecret(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{"", "not base32!", "========"} {
		_, err := mfa.Code(secret, time.Unix(59, 0))
		require.Error(t, err, secret)
		_, ok, err := mfa.MatchCode(secret, "287082", mfa.NoStep, time.Unix(59, 0))
		require.Error(t, err, secret)
		require.False(t, ok)
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	secret, err := mfa.NewSecret(rand.Reader)
	require.NoError(t, err)
	require.Regexp(t, `^[A-Z2-7]{32}$`, secret)
	_, err = mfa.NewSecret(iotest.ErrReader(errors.New("no chance")))
	require.ErrorContains(t, err, "no chance")
}

func TestSpentSinceCoversEveryStepThatCounts(t *testing.T) {
	t.Parallel()
	for _, seconds := range []int64{1234567890, 1234567919, 1234567899} {
		now := time.Unix(seconds, 0)
		// The oldest code that counts now belongs to the step before. Somebody
		// whose clock is a step fast could have used it a step before that.
		oldest := now.Unix()/30 - 1
		firstUse := time.Unix((oldest-1)*30, 0)
		require.False(t, mfa.SpentSince(now).After(firstUse), seconds)
	}
}

func TestKeyURI(t *testing.T) {
	t.Parallel()
	require.Equal(t,
		"otpauth://totp/app.test:a@b.test?algorithm=SHA1&digits=6&issuer=app.test&period=30&secret=ABC",
		mfa.KeyURI("app.test", "a@b.test", "ABC"))

	uri, err := url.Parse(mfa.KeyURI("My App & Co/?#", "o'hara+x@b.test", "ABC"))
	require.NoError(t, err)
	require.Equal(t, "/My App & Co/?#:o'hara+x@b.test", uri.Path)
	require.Equal(t, "My App & Co/?#", uri.Query().Get("issuer"))
	require.NotContains(t, uri.RawQuery, "+")
}

func TestQRCode(t *testing.T) {
	t.Parallel()
	got, err := mfa.QRCode(mfa.KeyURI("app.test", "a@b.test", strings.Repeat("A", 32)))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(got, "<?xml version=\"1.0\"?>\n"))
	require.Contains(t, got, "</svg>")
	require.NotContains(t, got, "#", "it would end a data URI")
	require.NotContains(t, got, "%")

	_, err = mfa.QRCode(strings.Repeat("x", 5000))
	require.Error(t, err)
}

func FuzzMatchCode(f *testing.F) {
	f.Add("287082", int64(59))
	f.Add("", int64(0))
	f.Add("٣87082", int64(1))
	f.Fuzz(func(t *testing.T, code string, seconds int64) {
		seconds &= 1<<40 - 1
		now := time.Unix(seconds, 0)
		step, ok, err := mfa.MatchCode(rfcSecret(), code, mfa.NoStep, now)
		require.NoError(t, err)
		if !ok {
			return
		}
		want, err := mfa.Code(rfcSecret(), time.Unix(step*30, 0))
		require.NoError(t, err)
		require.Equal(t, want, strings.TrimSpace(code))
		after, again, err := mfa.MatchCode(rfcSecret(), code, step, now)
		require.NoError(t, err)
		require.False(t, again && after <= step, "a spent step does not count twice")
	})
}
