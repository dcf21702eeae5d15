package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/uuid"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/tokens"
)

// seeders is how many users are written at once.
const seeders = 8

// world is what the callers find: users with sessions, and a client.
type world struct {
	db   *storage.DB   // through package models
	pool *pgxpool.Pool // bare
	now  func() time.Time

	users    []*user
	members  int // users without a session
	pages    []pageFlow
	fresh    atomic.Int64  // sign-ups so far
	pending  atomic.Int64  // members whose code is spent
	hash     string        // of everybody's password
	bcrypt   time.Duration // CPU time of one comparison with it
	client   uuid.UUID
	verifier string // of every authorization request
	codes    codes
	step     int // number of callers: how far one user of a caller is from its next
	recorded statements
}

// user is one of the seeded users with a session of its own and one of the
// OAuth client.
type user struct {
	id      uuid.UUID
	email   string
	session uuid.UUID
	// accessToken, and what the current refresh token is made of.
	accessToken string
	hmacKey     string
	key         []byte // hmacKey decoded
	generation  int64

	clientSession uuid.UUID
	clientToken   string
}

// seed writes the world and records the statements of the hot requests.
func seed(ctx context.Context, p *project, opts options) (*world, error) {
	w := &world{now: opts.now, users: make([]*user, opts.sessions), verifier: rand.Text() + rand.Text()}
	var err error
	if w.db, err = storage.Open(p.config().DB, storage.Options{}); err != nil {
		return nil, err
	}
	if w.pool, err = barePool(ctx, p); err != nil {
		return nil, errors.Join(err, w.db.Close())
	}
	w.members = opts.users - opts.sessions
	if err := w.fill(ctx, p); err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	w.pool.Close()
	_ = w.db.Close() // the measurements are over
}

func (w *world) fill(ctx context.Context, p *project) error {
	service, err := p.service(w.db)
	if err != nil {
		return err
	}
	if err := w.addClient(ctx); err != nil {
		return err
	}
	if err := w.hashPassword(ctx); err != nil {
		return err
	}
	if err := w.addUsers(ctx, service); err != nil {
		return err
	}
	if err := w.addConsents(ctx); err != nil {
		return err
	}
	if err := w.addMembers(ctx, p); err != nil {
		return err
	}
	if w.recorded, err = record(ctx, p); err != nil {
		return err
	}
	if _, err = w.pool.Exec(ctx, "vacuum analyze"); err != nil {
		return err
	}
	w.pages, err = w.recordPages(ctx, p)
	return err
}

// addConsents lets every user have consented to the client before.
func (w *world) addConsents(ctx context.Context) error {
	_, err := w.pool.Exec(ctx, `insert into oauth_consents (id, user_id, client_id, scopes, granted_at)
		select gen_random_uuid(), id, $1, $2, now() from users`, w.client, scope)
	return err
}

// addClient registers a public client. Its loopback address could be anybody's,
// so that the user is asked each time.
func (w *world) addClient(ctx context.Context) error {
	w.client = newID()
	return models.InsertOAuthClient(w.db.Conn(ctx), &models.OAuthClient{
		ID: w.client, RegistrationType: models.RegistrationManual, ClientType: models.ClientPublic,
		TokenEndpointAuthMethod: "none", RedirectURIs: models.CommaList{redirectURI},
		GrantTypes: models.CommaList{"authorization_code", "refresh_token"}, Name: "Bench", CreatedAt: w.now(),
	})
}

func (w *world) addUsers(ctx context.Context, service *tokens.Service) error {
	next := make(chan int)
	failed := make([]error, seeders)
	var group sync.WaitGroup
	for i := range failed {
		group.Go(func() {
			for n := range next {
				if failed[i] == nil {
					w.users[n], failed[i] = w.addUser(ctx, service, n)
				}
			}
		})
	}
	for n := range w.users {
		next <- n
	}
	close(next)
	group.Wait()
	return errors.Join(failed...)
}

func (w *world) addUser(ctx context.Context, service *tokens.Service, n int) (*user, error) {
	now, id, email := w.now(), newID(), seededEmail(n)
	metadata, err := json.Marshal(map[string]any{
		"name": fmt.Sprintf("User %d", n), "email": email, "email_verified": true, "sub": id,
	})
	if err != nil {
		return nil, err
	}
	row, err := models.CreateUser(w.db.Conn(ctx), models.NewUser{
		ID: id, Aud: audience, Role: audience, Email: email, EmailConfirmedAt: &now,
		EncryptedPassword: w.hash,
		AppMetadata:       json.RawMessage(`{"provider":"email","providers":["email"]}`), UserMetadata: metadata,
		Identities: []models.NewIdentity{{
			ID: newID(), Provider: "email", ProviderID: id.String(),
			IdentityData: map[string]any{"sub": id, "email": email, "email_verified": true},
		}},
	}, nil, now)
	if err != nil {
		return nil, err
	}
	u := &user{id: id, email: email}
	own, err := w.signIn(ctx, service, tokens.SignIn{User: row, Method: "password", Now: now})
	if err != nil {
		return nil, err
	}
	u.session, u.hmacKey, u.accessToken = own.Session.ID, own.Session.HMACKey, own.Issued.AccessToken
	if u.key, err = secret.ParseKey(u.hmacKey); err != nil {
		return nil, err
	}
	granted, err := w.signIn(ctx, service, tokens.SignIn{
		User: row, Method: methodOAuth, Now: now,
		OAuth: &tokens.Grant{ClientID: w.client, Scope: scope, Type: "authorization_code"},
	})
	if err != nil {
		return nil, err
	}
	u.clientSession, u.clientToken = granted.Session.ID, granted.Issued.AccessToken
	return u, nil
}

func (w *world) signIn(ctx context.Context, service *tokens.Service, in tokens.SignIn) (*tokens.Draft, error) {
	in.Origin = origin()
	draft, err := service.Draft(ctx, in)
	if err != nil {
		return nil, err
	}
	return draft, models.StartSession(w.db.Conn(ctx), draft.Session, nil, in.Now)
}

func origin() tokens.Origin { return tokens.Origin{UserAgent: userAgent, IP: clientIP} }

// challenge is the S256 challenge of the world's verifier (RFC 7636 §4.2).
func (w *world) challenge() string {
	sum := sha256.Sum256([]byte(w.verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func newID() uuid.UUID { return models.IDs{Random: rand.Reader}.New() }
