package mfa

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/gofrs/uuid"

	"github.com/truegrant/truegrant/conf"
)

// Ceremony is one of the two things that WebAuthn does, in the API's words.
type Ceremony string

// The ceremonies: Create registers a credential (§7.1), Request uses one
// (§7.2).
const (
	Create  Ceremony = "create"
	Request Ceremony = "request"
)

// Why a WebAuthn ceremony fails.
var (
	// ErrNoRelyingParty: the server is not configured as a relying party.
	ErrNoRelyingParty = errors.New("webauthn relying party is not configured")
	// ErrResponse: the client's response cannot be read.
	ErrResponse = errors.New("malformed webauthn response")
	// ErrCeremony: the response does not prove what it should.
	ErrCeremony = errors.New("webauthn ceremony failed")
)

// User is the account that a credential belongs to.
type User struct {
	ID uuid.UUID
	// Name is shown by authenticators.
	Name string
	// Credentials are those of the user's verified factors, as stored.
	Credentials []json.RawMessage
}

// Challenge is what starts a ceremony.
type Challenge struct {
	Ceremony Ceremony
	// Options go to the client: {"publicKey":{…}}.
	Options any
	// Session is kept with the challenge until the answer comes.
	Session json.RawMessage
}

// Proof is a ceremony that succeeded.
type Proof struct {
	Ceremony Ceremony
	// CredentialID identifies the credential that was used or made.
	CredentialID []byte
	// Credential is its new state, to be stored.
	Credential json.RawMessage
	AAGUID     uuid.UUID
	// Response is the client's answer without members that no specification
	// knows.
	Response json.RawMessage
}

// RelyingParty runs ceremonies.
type RelyingParty struct {
	party   *webauthn.WebAuthn
	problem error
}

// NewRelyingParty returns the relying party of a configuration. An incomplete
// one does not keep the server from starting, as the configuration only warns
// of it: every ceremony fails then.
func NewRelyingParty(cfg conf.WebAuthn) *RelyingParty {
	if cfg.RPID == "" || cfg.RPDisplayName == "" {
		return &RelyingParty{problem: ErrNoRelyingParty}
	}
	party, err := webauthn.New(&webauthn.Config{
		RPID: cfg.RPID, RPDisplayName: cfg.RPDisplayName, RPOrigins: cfg.RPOrigins,
	})
	if err != nil {
		return &RelyingParty{problem: fmt.Errorf("%w: %w", ErrNoRelyingParty, err)}
	}
	return &RelyingParty{party: party}
}

// Begin starts the ceremony that a factor needs next.
func (p *RelyingParty) Begin(user User, ceremony Ceremony) (*Challenge, error) {
	if p.problem != nil {
		return nil, p.problem
	}
	account, err := newAccount(user)
	if err != nil {
		return nil, err
	}
	var options any
	var session *webauthn.SessionData
	if ceremony == Create {
		options, session, err = p.beginCreate(account)
	} else {
		options, session, err = p.party.BeginLogin(account)
	}
	if err != nil {
		return nil, fmt.Errorf("begin webauthn ceremony: %w", err)
	}
	stored, err := json.Marshal(session)
	if err != nil {
		return nil, fmt.Errorf("encode webauthn session: %w", err)
	}
	return &Challenge{Ceremony: ceremony, Options: options, Session: stored}, nil
}

// creationOptions always show which authenticators are asked for, which the
// library leaves out when it is any.
type creationOptions struct {
	protocol.PublicKeyCredentialCreationOptions
	AuthenticatorSelection protocol.AuthenticatorSelection `json:"authenticatorSelection"`
}

// beginCreate asks for a credential on an authenticator that has none yet.
func (p *RelyingParty) beginCreate(account *account) (any, *webauthn.SessionData, error) {
	known := make([]protocol.CredentialDescriptor, 0, len(account.credentials))
	for _, credential := range account.credentials {
		known = append(known, credential.Descriptor())
	}
	creation, session, err := p.party.BeginRegistration(account, webauthn.WithExclusions(known))
	if err != nil {
		return nil, nil, err
	}
	return map[string]creationOptions{
		"publicKey": {creation.Response, creation.Response.AuthenticatorSelection},
	}, session, nil
}

// Finish judges the client's answer to a challenge whose session is given.
// ErrResponse and ErrCeremony tell what is wrong with it.
func (p *RelyingParty) Finish(user User, ceremony Ceremony, session, response json.RawMessage) (*Proof, error) {
	if p.problem != nil {
		return nil, p.problem
	}
	account, err := newAccount(user)
	if err != nil {
		return nil, err
	}
	var kept webauthn.SessionData
	if err := json.Unmarshal(session, &kept); err != nil {
		return nil, fmt.Errorf("read webauthn session: %w", err)
	}
	if ceremony == Create {
		return p.finishCreate(account, kept, response)
	}
	return p.finishRequest(account, kept, response)
}

func (p *RelyingParty) finishCreate(account *account, session webauthn.SessionData, response json.RawMessage) (*Proof, error) {
	parsed, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	credential, err := p.party.CreateCredential(account, session, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremony, err)
	}
	return newProof(Create, credential, parsed.Raw)
}

func (p *RelyingParty) finishRequest(account *account, session webauthn.SessionData, response json.RawMessage) (*Proof, error) {
	parsed, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrResponse, err)
	}
	credential, err := p.party.ValidateLogin(account, session, parsed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCeremony, err)
	}
	if credential.Authenticator.CloneWarning {
		// Somebody else may hold the same key (§7.2, step 22).
		return nil, fmt.Errorf("%w: the signature counter went back", ErrCeremony)
	}
	return newProof(Request, credential, parsed.Raw)
}

func newProof(ceremony Ceremony, credential *webauthn.Credential, raw any) (*Proof, error) {
	stored, err := json.Marshal(credential)
	if err != nil {
		return nil, fmt.Errorf("encode credential: %w", err)
	}
	response, err := json.Marshal(raw)
	if err != nil {
		return nil, fmt.Errorf("encode credential response: %w", err)
	}
	return &Proof{
		Ceremony: ceremony, CredentialID: credential.ID, Credential: stored,
		AAGUID: uuid.FromBytesOrNil(credential.Authenticator.AAGUID), Response: response,
	}, nil
}

// CredentialID reads the id out of a stored credential.
func CredentialID(stored json.RawMessage) ([]byte, error) {
	var credential struct {
		ID []byte `json:"id"`
	}
	if err := json.Unmarshal(stored, &credential); err != nil {
		return nil, fmt.Errorf("read stored credential: %w", err)
	}
	return credential.ID, nil
}

// account shows a User to the library. The user handle is the text of the id,
// as GoTrue writes it.
type account struct {
	user        User
	credentials []webauthn.Credential
}

func newAccount(user User) (*account, error) {
	a := &account{user: user}
	for _, stored := range user.Credentials {
		var credential webauthn.Credential
		if err := json.Unmarshal(stored, &credential); err != nil {
			return nil, fmt.Errorf("read stored credential: %w", err)
		}
		a.credentials = append(a.credentials, credential)
	}
	return a, nil
}

// WebAuthnID implements webauthn.User.
func (a *account) WebAuthnID() []byte { return []byte(a.user.ID.String()) }

// WebAuthnName implements webauthn.User.
func (a *account) WebAuthnName() string { return a.user.Name }

// WebAuthnDisplayName implements webauthn.User.
func (a *account) WebAuthnDisplayName() string { return a.user.Name }

// WebAuthnCredentials implements webauthn.User.
func (a *account) WebAuthnCredentials() []webauthn.Credential { return a.credentials }
