package flow_test

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/flow"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/oauth"
)

// The example of RFC 7636 Appendix B.
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

func TestParseChallenge(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		value, method string
		want          error
	}{
		"S256":                {challenge, "S256", nil},
		"s256":                {challenge, "s256", nil},
		"plain":               {verifier, "plain", nil},
		"PLAIN":               {verifier, "PLAIN", nil},
		"every class":         {strings.Repeat("aZ09-._~", 6), "s256", nil},
		"43 bytes":            {strings.Repeat("a", 43), "s256", nil},
		"128 bytes":           {strings.Repeat("a", 128), "s256", nil},
		"no method":           {challenge, "", flow.ErrIncomplete},
		"no challenge":        {"", "s256", flow.ErrIncomplete},
		"42 bytes":            {strings.Repeat("a", 42), "s256", flow.ErrLength},
		"129 bytes":           {strings.Repeat("a", 129), "s256", flow.ErrLength},
		"base64 standard":     {strings.Repeat("+/", 22), "s256", flow.ErrCharacters},
		"padding":             {strings.Repeat("a", 43) + "=", "s256", flow.ErrCharacters},
		"not ASCII":           {strings.Repeat("é", 30), "s256", flow.ErrCharacters},
		"broken UTF-8":        {strings.Repeat("\xff", 43), "s256", flow.ErrCharacters},
		"unknown method":      {challenge, "md5", flow.ErrMethod},
		"method with a blank": {challenge, "s256 ", flow.ErrMethod},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := flow.ParseChallenge(test.value, test.method)
			require.ErrorIs(t, err, test.want)
			require.Equal(t, test.want == nil, got != nil)
		})
	}
	none, err := flow.ParseChallenge("", "")
	require.NoError(t, err)
	require.Nil(t, none)
}

func TestBegin(t *testing.T) {
	t.Parallel()
	ids := models.IDs{Random: rand.Reader}
	user := ids.New()
	parsed, err := flow.ParseChallenge(challenge, "S256")
	require.NoError(t, err)
	got := parsed.Begin(ids, user, "email", models.FlowEmailSignUp)
	require.Equal(t, models.NewFlow{
		ID: got.ID, UserID: user, AuthCode: got.AuthCode, CodeChallengeMethod: "s256", CodeChallenge: challenge,
		ProviderType: "email", AuthenticationMethod: "email/signup",
	}, got)
	require.NotEqual(t, uuid.Nil, got.ID)
	require.NotEqual(t, uuid.Nil, got.AuthCode)
	require.NotEqual(t, got.ID, got.AuthCode, "the id may be seen by others")
}

func TestCheckExchange(t *testing.T) {
	t.Parallel()
	const life = 5 * time.Minute
	start := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	issued := start.Add(time.Hour)
	signUp := models.FlowState{
		CodeChallenge: challenge, CodeChallengeMethod: oauth.ChallengeS256,
		AuthenticationMethod: models.FlowEmailSignUp, CreatedAt: start, AuthCodeIssuedAt: &issued,
	}
	with := func(change func(*models.FlowState)) models.FlowState {
		changed := signUp
		change(&changed)
		return changed
	}
	magicLink := with(func(f *models.FlowState) { f.AuthenticationMethod = "magiclink" })
	for name, test := range map[string]struct {
		state    models.FlowState
		verifier string
		now      time.Time
		want     error
	}{
		"S256":                  {signUp, verifier, start, nil},
		"in the last moment":    {signUp, verifier, start.Add(life), nil},
		"too late":              {signUp, verifier, start.Add(life + 1), flow.ErrExpired},
		"a late link":           {signUp, verifier, issued, flow.ErrExpired},
		"a late magic link":     {magicLink, verifier, issued.Add(life), nil},
		"too late a magic link": {magicLink, verifier, issued.Add(life + 1), flow.ErrExpired},
		"magic link not opened": {
			with(func(f *models.FlowState) { f.AuthenticationMethod, f.AuthCodeIssuedAt = "magiclink", nil }),
			verifier, start.Add(life + 1), flow.ErrExpired,
		},
		"wrong verifier": {signUp, verifier + "x", start, flow.ErrVerifier},
		"the challenge":  {signUp, challenge, start, flow.ErrVerifier},
		"plain": {
			with(func(f *models.FlowState) { f.CodeChallengeMethod = oauth.ChallengePlain }), challenge, start, nil,
		},
		"no method": {
			with(func(f *models.FlowState) { f.CodeChallengeMethod = "" }), challenge, start, flow.ErrVerifier,
		},
		"no challenge": {
			with(func(f *models.FlowState) { f.CodeChallenge = "" }), verifier, start, flow.ErrVerifier,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, flow.CheckExchange(test.state, test.verifier, life, test.now), test.want)
		})
	}
}

// What is accepted can be stored and compared.
func FuzzParseChallenge(f *testing.F) {
	f.Add(challenge, "S256")
	f.Add(verifier, "plain")
	f.Add("", "")
	f.Add("\xff", "K256") // the Kelvin sign lower-cases to k
	ids := models.IDs{Random: rand.Reader}
	f.Fuzz(func(t *testing.T, value, method string) {
		parsed, err := flow.ParseChallenge(value, method)
		if err != nil || parsed == nil {
			require.Nil(t, parsed)
			return
		}
		row := parsed.Begin(ids, uuid.Nil, "email", models.FlowEmailSignUp)
		require.Contains(t, []string{oauth.ChallengeS256, oauth.ChallengePlain}, row.CodeChallengeMethod)
		require.Nil(t, oauth.CheckChallenge(row.CodeChallenge, row.CodeChallengeMethod, true))
	})
}
