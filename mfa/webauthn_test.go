package mfa_test

import (
	"encoding/json"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/gofrs/uuid"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/mfa"
	"github.com/truegrant/truegrant/mfa/mfatest"
)

func webAuthnConfig() conf.WebAuthn {
	return conf.WebAuthn{RPID: "app.test", RPDisplayName: "App", RPOrigins: []string{"https://app.test"}}
}

func virtualParty() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: "app.test", Name: "App", Origin: "https://app.test"}
}

// device is an authenticator with one key.
type device struct {
	authenticator virtualwebauthn.Authenticator
	credential    virtualwebauthn.Credential
}

func newDevice() *device {
	return &device{virtualwebauthn.NewAuthenticator(), mfatest.NewCredential()}
}

func (d *device) create(t *testing.T, party virtualwebauthn.RelyingParty, challenge *mfa.Challenge) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(challenge.Options)
	require.NoError(t, err)
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	require.NoError(t, err)
	answer := virtualwebauthn.CreateAttestationResponse(party, d.authenticator, d.credential, *options)
	d.authenticator.AddCredential(d.credential)
	return json.RawMessage(answer)
}

func (d *device) get(t *testing.T, party virtualwebauthn.RelyingParty, challenge *mfa.Challenge) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(challenge.Options)
	require.NoError(t, err)
	options, err := virtualwebauthn.ParseAssertionOptions(string(raw))
	require.NoError(t, err)
	return json.RawMessage(virtualwebauthn.CreateAssertionResponse(party, d.authenticator, d.credential, *options))
}

// register runs a whole registration and returns the user with the credential.
func register(t *testing.T, party *mfa.RelyingParty, d *device) mfa.User {
	t.Helper()
	user := mfa.User{ID: uuid.Must(uuid.NewV4()), Name: "a@b.test"}
	begun, err := party.Begin(user, mfa.Create)
	require.NoError(t, err)
	proof, err := party.Finish(user, mfa.Create, begun.Session, d.create(t, virtualParty(), begun))
	require.NoError(t, err)
	user.Credentials = append(user.Credentials, proof.Credential)
	return user
}

func TestCeremonies(t *testing.T) {
	t.Parallel()
	party := mfa.NewRelyingParty(webAuthnConfig())
	d := newDevice()
	user := register(t, party, d)
	id, err := mfa.CredentialID(user.Credentials[0])
	require.NoError(t, err)
	require.Equal(t, d.credential.ID, id)

	begun, err := party.Begin(user, mfa.Request)
	require.NoError(t, err)
	require.Equal(t, mfa.Request, begun.Ceremony)
	d.credential.Counter = 5
	answer := d.get(t, virtualParty(), begun)
	proof, err := party.Finish(user, mfa.Request, begun.Session, answer)
	require.NoError(t, err)
	require.Equal(t, id, proof.CredentialID)
	require.Equal(t, "5", member(t, json.RawMessage(member(t, proof.Credential, "authenticator")), "signCount"))
	require.Equal(t, d.authenticator.Aaguid, [16]byte(proof.AAGUID))

	user.Credentials[0] = proof.Credential
	_, err = party.Finish(user, mfa.Request, begun.Session, answer)
	require.ErrorIs(t, err, mfa.ErrCeremony, "the counter does not grow: a copy of the key, or of the answer")
}

func TestCreationExcludesKnownCredentials(t *testing.T) {
	t.Parallel()
	party := mfa.NewRelyingParty(webAuthnConfig())
	d := newDevice()
	user := register(t, party, d)
	begun, err := party.Begin(user, mfa.Create)
	require.NoError(t, err)
	raw, err := json.Marshal(begun.Options)
	require.NoError(t, err)
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	require.NoError(t, err)
	require.True(t, d.credential.IsExcludedForAttestation(*options))
	require.JSONEq(t, `{}`, member(t, json.RawMessage(member(t, raw, "publicKey")), "authenticatorSelection"))
}

func TestCeremoniesThatProveNothing(t *testing.T) {
	t.Parallel()
	party := mfa.NewRelyingParty(webAuthnConfig())
	d := newDevice()
	user := register(t, party, d)
	begun, err := party.Begin(user, mfa.Request)
	require.NoError(t, err)
	elsewhere := virtualParty()
	elsewhere.Origin = "https://evil.test"
	otherID := virtualParty()
	otherID.ID = "evil.test"
	again, err := party.Begin(user, mfa.Request)
	require.NoError(t, err)
	stranger := newDevice()
	register(t, party, stranger)
	someoneElse := mfa.User{ID: uuid.Must(uuid.NewV4()), Credentials: user.Credentials}

	for name, test := range map[string]struct {
		user     mfa.User
		ceremony mfa.Ceremony
		response json.RawMessage
		want     error
	}{
		"other origin":        {user, mfa.Request, d.get(t, elsewhere, begun), mfa.ErrCeremony},
		"other relying party": {user, mfa.Request, d.get(t, otherID, begun), mfa.ErrCeremony},
		"other challenge":     {user, mfa.Request, d.get(t, virtualParty(), again), mfa.ErrCeremony},
		"foreign key":         {user, mfa.Request, stranger.get(t, virtualParty(), begun), mfa.ErrCeremony},
		"other user":          {someoneElse, mfa.Request, d.get(t, virtualParty(), begun), mfa.ErrCeremony},
		"registration with a session of a use": {
			user, mfa.Create, d.get(t, virtualParty(), begun), mfa.ErrResponse,
		},
		"empty":      {user, mfa.Request, json.RawMessage(`{}`), mfa.ErrResponse},
		"not object": {user, mfa.Request, json.RawMessage(`[1]`), mfa.ErrResponse},
		"garbage":    {user, mfa.Create, json.RawMessage(`{"id":"AA","rawId":"AA","type":"public-key","response":{}}`), mfa.ErrResponse},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := party.Finish(test.user, test.ceremony, begun.Session, test.response)
			require.ErrorIs(t, err, test.want)
		})
	}
}

// TestRowsOfGoTrue reads what GoTrue stores, in the form of its older releases
// too, where attestationType holds the format.
func TestRowsOfGoTrue(t *testing.T) {
	t.Parallel()
	party := mfa.NewRelyingParty(webAuthnConfig())
	d := newDevice()
	user := register(t, party, d)
	var stored map[string]any
	require.NoError(t, json.Unmarshal(user.Credentials[0], &stored))
	for _, name := range []string{"id", "publicKey", "attestationType", "flags", "authenticator", "attestation"} {
		require.Contains(t, stored, name)
	}
	require.ElementsMatch(t, []string{"userPresent", "userVerified", "backupEligible", "backupState"}, keysOf(stored["flags"]))

	stored["attestationType"] = "none"
	delete(stored, "attestationFormat")
	older, err := json.Marshal(stored)
	require.NoError(t, err)
	user.Credentials[0] = older
	begun, err := party.Begin(user, mfa.Request)
	require.NoError(t, err)
	var session map[string]any
	require.NoError(t, json.Unmarshal(begun.Session, &session))
	require.Subset(t, []string{
		"challenge", "rpId", "user_id", "allowed_credentials", "expires", "userVerification", "extensions", "credParams",
		"mediation",
	}, keysOf(session))
	require.Equal(t, "0001-01-01T00:00:00Z", session["expires"])
	d.credential.Counter++
	_, err = party.Finish(user, mfa.Request, begun.Session, d.get(t, virtualParty(), begun))
	require.NoError(t, err)
}

func TestIncompleteRelyingParty(t *testing.T) {
	t.Parallel()
	for _, change := range []func(*conf.WebAuthn){
		func(c *conf.WebAuthn) { c.RPID = "" },
		func(c *conf.WebAuthn) { c.RPID = "https://not-a-domain/" },
		func(c *conf.WebAuthn) { c.RPDisplayName = "" },
		func(c *conf.WebAuthn) { c.RPOrigins = nil },
	} {
		cfg := webAuthnConfig()
		change(&cfg)
		party := mfa.NewRelyingParty(cfg)
		_, err := party.Begin(mfa.User{}, mfa.Create)
		require.ErrorIs(t, err, mfa.ErrNoRelyingParty)
		_, err = party.Finish(mfa.User{}, mfa.Create, json.RawMessage(`{}`), json.RawMessage(`{}`))
		require.ErrorIs(t, err, mfa.ErrNoRelyingParty)
	}
}

func FuzzFinish(f *testing.F) {
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}`))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","authenticatorData":"AA","signature":"AA"}}`))
	party := mfa.NewRelyingParty(webAuthnConfig())
	user := mfa.User{ID: uuid.Must(uuid.NewV4())}
	begun, err := party.Begin(user, mfa.Create)
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, response []byte) {
		for _, ceremony := range []mfa.Ceremony{mfa.Create, mfa.Request} {
			_, err := party.Finish(user, ceremony, begun.Session, response)
			require.Error(t, err, "nothing proves a challenge it never saw")
		}
	})
}

func member(t *testing.T, object json.RawMessage, name string) string {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(object, &members))
	return string(members[name])
}

func keysOf(object any) []string {
	members, _ := object.(map[string]any)
	keys := make([]string, 0, len(members))
	for key := range members {
		keys = append(keys, key)
	}
	return keys
}
