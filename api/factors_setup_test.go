package api_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/mfa/mfatest"
)

// factor is a second factor that a test enrolled.
type factor struct {
	id     string
	secret string // of TOTP factors
}

// enrollTOTP enrolls an unverified TOTP factor.
func enrollTOTP(app *apitest.App, user *apitest.User, name string) factor {
	body := app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "totp", "friendly_name": name},
		apitest.Bearer(user.AccessToken)).OK()
	return factor{id: body["id"].(string), secret: body["totp"].(map[string]any)["secret"].(string)}
}

// challengeOf asks for a challenge of a factor and returns its id.
func challengeOf(app *apitest.App, user *apitest.User, f factor) string {
	body := app.Do(http.MethodPost, "/factors/"+f.id+"/challenge", map[string]any{}, apitest.Bearer(user.AccessToken)).OK()
	return body["id"].(string)
}

// code is what the authenticator app shows now.
func (f factor) code(t testing.TB, app *apitest.App) string {
	t.Helper()
	code, err := mfa.Code(f.secret, app.Clock.Now())
	require.NoError(t, err)
	return code
}

// answer verifies a factor.
func answer(app *apitest.App, user *apitest.User, f factor, challenge, code string, options ...apitest.Option) *apitest.Response {
	return app.Do(http.MethodPost, "/factors/"+f.id+"/verify",
		map[string]any{"challenge_id": challenge, "code": code},
		append([]apitest.Option{apitest.Bearer(user.AccessToken)}, options...)...)
}

// stepUp verifies a TOTP factor with a code that was not used before, and
// returns the user as the answer shows it.
func stepUp(t testing.TB, app *apitest.App, user *apitest.User, f factor) *apitest.User {
	t.Helper()
	app.Clock.Advance(time.Minute)
	return stepped(user, answer(app, user, f, challengeOf(app, user, f), f.code(t, app)))
}

// stepped is the user with the tokens of a verification.
func stepped(user *apitest.User, response *apitest.Response) *apitest.User {
	body := response.OK()
	after := *user
	after.AccessToken, after.RefreshToken = body["access_token"].(string), body["refresh_token"].(string)
	return &after
}

// protected signs a user up who has a verified TOTP factor, at aal2.
func protected(t testing.TB, app *apitest.App) (*apitest.User, factor) {
	t.Helper()
	user := app.User(t)
	f := enrollTOTP(app, user, "app")
	return stepUp(t, app, user, f), f
}

// withWebAuthn makes the server a relying party.
func withWebAuthn(cfg *conf.Config) {
	cfg.MFA.WebAuthn = conf.MFAWebAuthn{EnrollEnabled: true, VerifyEnabled: true}
	cfg.WebAuthn.RPID, cfg.WebAuthn.RPDisplayName = "app.test", "App"
	cfg.WebAuthn.RPOrigins = []string{"https://app.test"}
}

// securityKey is an authenticator with one credential.
type securityKey struct {
	party         virtualwebauthn.RelyingParty
	authenticator virtualwebauthn.Authenticator
	credential    virtualwebauthn.Credential
}

func newSecurityKey() *securityKey {
	return &securityKey{
		party:         virtualwebauthn.RelyingParty{ID: "app.test", Name: "App", Origin: "https://app.test"},
		authenticator: virtualwebauthn.NewAuthenticator(),
		credential:    mfatest.NewCredential(),
	}
}

// begun is a WebAuthn challenge.
type begun struct {
	ID       string `json:"id"`
	WebAuthn struct {
		Type    string          `json:"type"`
		Options json.RawMessage `json:"credential_options"`
	} `json:"webauthn"`
}

func beginWebAuthn(app *apitest.App, user *apitest.User, f factor) begun {
	var challenge begun
	app.Do(http.MethodPost, "/factors/"+f.id+"/challenge",
		map[string]any{"webauthn": map[string]any{"rpId": "evil.test", "rpOrigins": []string{"https://evil.test"}}},
		apitest.Bearer(user.AccessToken)).Into(&challenge)
	return challenge
}

// create answers a challenge with a new credential.
func (k *securityKey) create(t testing.TB, challenge begun) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAttestationOptions(string(challenge.WebAuthn.Options))
	require.NoError(t, err)
	return json.RawMessage(virtualwebauthn.CreateAttestationResponse(k.party, k.authenticator, k.credential, *options))
}

// get answers a challenge with the credential.
func (k *securityKey) get(t testing.TB, challenge begun) json.RawMessage {
	t.Helper()
	options, err := virtualwebauthn.ParseAssertionOptions(string(challenge.WebAuthn.Options))
	require.NoError(t, err)
	k.credential.Counter++
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(k.party, k.authenticator, k.credential, *options))
}

// answerWebAuthn verifies a WebAuthn factor.
func answerWebAuthn(app *apitest.App, user *apitest.User, f factor, challenge, ceremony string, response json.RawMessage) *apitest.Response {
	return app.Do(http.MethodPost, "/factors/"+f.id+"/verify", map[string]any{
		"challenge_id": challenge, "webauthn": map[string]any{"type": ceremony, "credential_response": response},
	}, apitest.Bearer(user.AccessToken))
}
