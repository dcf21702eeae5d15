package api_test

import (
	"encoding/json"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/conf"
)

func enrollWebAuthn(app *apitest.App, user *apitest.User, name string) factor {
	body := app.Do(http.MethodPost, "/factors", map[string]any{"factor_type": "webauthn", "friendly_name": name},
		apitest.Bearer(user.AccessToken)).OK()
	return factor{id: body["id"].(string)}
}

// withKey signs a user up with a verified WebAuthn factor, at aal2.
func withKey(t testing.TB, app *apitest.App) (*apitest.User, factor, *securityKey) {
	t.Helper()
	user, key := app.User(t), newSecurityKey()
	f := enrollWebAuthn(app, user, "key")
	challenge := beginWebAuthn(app, user, f)
	response := answerWebAuthn(app, user, f, challenge.ID, "create", key.create(t, challenge))
	return stepped(user, response), f, key
}

func TestWebAuthnFactor(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withWebAuthn)
	user, f, key := withKey(t, app)
	claims := apitest.Claims(t, user.AccessToken)
	require.Equal(t, "aal2", claims["aal"])
	require.Equal(t, "mfa/webauthn", claims["amr"].([]any)[0].(map[string]any)["method"])
	require.Zero(t, app.Count(`select count(*) from mfa_challenges`), "gone once used")
	require.Equal(t, "create", app.Text(`select last_webauthn_challenge_data->>'type' from mfa_factors where id = $1`, f.id))

	again := app.SignIn(t, user.Email)
	challenge := beginWebAuthn(app, again, f)
	require.Equal(t, "request", challenge.WebAuthn.Type)
	var options struct {
		PublicKey struct {
			RPID  string           `json:"rpId"`
			Allow []map[string]any `json:"allowCredentials"`
		} `json:"publicKey"`
	}
	require.NoError(t, json.Unmarshal(challenge.WebAuthn.Options, &options))
	require.Equal(t, "app.test", options.PublicKey.RPID, "the server's, whatever the client sends")
	require.Len(t, options.PublicKey.Allow, 1)
	response := key.get(t, challenge)
	body := answerWebAuthn(app, again, f, challenge.ID, "request", response).OK()
	require.Equal(t, "aal2", apitest.Claims(t, body["access_token"].(string))["aal"])
	require.Equal(t, "1", app.Text(`select web_authn_credential->'authenticator'->>'signCount' from mfa_factors`))
	shown := body["user"].(map[string]any)["factors"].([]any)[0].(map[string]any)
	require.Equal(t, "request", shown["last_webauthn_challenge_data"].(map[string]any)["type"])
	require.NotEmpty(t, shown["web_authn_aaguid"])

	answerWebAuthn(app, again, f, challenge.ID, "request", response).
		Refused(http.StatusUnprocessableEntity, "mfa_factor_not_found")
	require.Zero(t, app.Count(`select count(*) from audit_log_entries where payload->>'action' = 'challenge_created'`))
}

// Any of the user's keys answers a challenge; its own factor keeps the counter.
func TestWebAuthnAnswerByTheOtherKey(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withWebAuthn)
	user, first, _ := withKey(t, app)
	second, other := enrollWebAuthn(app, user, "second"), newSecurityKey()
	challenge := beginWebAuthn(app, user, second)
	user = stepped(user, answerWebAuthn(app, user, second, challenge.ID, "create", other.create(t, challenge)))

	challenge = beginWebAuthn(app, user, first)
	answerWebAuthn(app, user, first, challenge.ID, "request", other.get(t, challenge)).OK()
	count := `select coalesce(web_authn_credential->'authenticator'->>'signCount', '0') from mfa_factors where id = $1`
	require.Equal(t, "0", app.Text(count, first.id))
	require.Equal(t, "1", app.Text(count, second.id))
}

func TestWebAuthnConcurrentVerifications(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withWebAuthn)
	replica := app.Replica(t)
	user, key := app.User(t), newSecurityKey()
	f := enrollWebAuthn(app, user, "key")
	challenge := beginWebAuthn(app, user, f)
	response := key.create(t, challenge)
	var wait sync.WaitGroup
	statuses := make([]int, 8)
	for i := range statuses {
		server := []*apitest.App{app, replica}[i%2]
		wait.Go(func() { statuses[i] = answerWebAuthn(server, user, f, challenge.ID, "create", response).Status })
	}
	wait.Wait()
	require.Equal(t, 1, countOf(statuses, http.StatusOK), "%v", statuses)
	require.Equal(t, 7, countOf(statuses, http.StatusUnprocessableEntity), "%v", statuses)
}

func TestWebAuthnAnswersThatAreRefused(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withWebAuthn)
	user, f, key := withKey(t, app)
	intruder := app.SignIn(t, user.Email)
	challenge := beginWebAuthn(app, intruder, f)
	evil := *key
	evil.party.Origin = "https://evil.test"
	registration := newSecurityKey().create(t, begunLikeCreate(t, challenge))
	path := "/factors/" + f.id + "/verify"
	for name, test := range map[string]struct {
		body   map[string]any
		status int
		code   string
	}{
		"nothing":      {map[string]any{}, 400, "validation_failed"},
		"no type":      {map[string]any{"webauthn": map[string]any{"credential_response": registration}}, 400, "validation_failed"},
		"unknown type": {map[string]any{"webauthn": map[string]any{"type": "x", "credential_response": registration}}, 400, "validation_failed"},
		"no response":  {map[string]any{"webauthn": map[string]any{"type": "request"}}, 400, "validation_failed"},
		"null":         {map[string]any{"webauthn": map[string]any{"type": "request", "credential_response": nil}}, 400, "validation_failed"},
		"garbage": {map[string]any{"webauthn": map[string]any{
			"type": "request", "credential_response": map[string]any{"id": "!"},
		}}, 400, "validation_failed"},
		"a new key on a verified factor": {map[string]any{"webauthn": map[string]any{
			"type": "create", "credential_response": registration,
		}}, 400, "validation_failed"},
		"another origin": {map[string]any{"webauthn": map[string]any{
			"type": "request", "credential_response": evil.get(t, challenge),
		}}, 500, "unexpected_failure"},
		"another key": {map[string]any{"webauthn": map[string]any{
			"type": "request", "credential_response": newSecurityKey().get(t, challenge),
		}}, 500, "unexpected_failure"},
	} {
		test.body["challenge_id"] = challenge.ID
		before := app.Snapshot()
		app.Do(http.MethodPost, path, test.body, apitest.Bearer(intruder.AccessToken)).Refused(test.status, test.code)
		require.Equal(t, before, app.Snapshot(), name)
	}
	answerWebAuthn(app, intruder, f, challenge.ID, "request", key.get(t, challenge)).OK()
}

// begunLikeCreate turns the options of a use into those of a registration, as
// an attacker would to get a key of their own accepted.
func begunLikeCreate(t testing.TB, challenge begun) begun {
	t.Helper()
	var options struct {
		PublicKey map[string]any `json:"publicKey"`
	}
	require.NoError(t, json.Unmarshal(challenge.WebAuthn.Options, &options))
	raw, err := json.Marshal(map[string]any{"publicKey": map[string]any{
		"challenge": options.PublicKey["challenge"], "rp": map[string]any{"id": "app.test", "name": "App"},
		"user": map[string]any{"id": "AAAA", "name": "x", "displayName": "x"},
	}})
	require.NoError(t, err)
	challenge.WebAuthn.Options = raw
	return challenge
}

func TestWebAuthnWithoutRelyingParty(t *testing.T) {
	t.Parallel()
	app := apitest.New(t, withWebAuthn, func(cfg *conf.Config) { cfg.WebAuthn.RPID = "" })
	user := app.User(t)
	f := enrollWebAuthn(app, user, "key")
	app.Do(http.MethodPost, "/factors/"+f.id+"/challenge", map[string]any{}, apitest.Bearer(user.AccessToken)).
		Refused(http.StatusInternalServerError, "unexpected_failure")
	app.Do(http.MethodPost, "/factors/"+f.id+"/challenge", nil, apitest.Bearer(user.AccessToken)).
		Refused(http.StatusBadRequest, "bad_json")
}
