package admin_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/accounts"
	"github.com/truegrant/truegrant/api/admin"
	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/api/apitest"
	"github.com/truegrant/truegrant/api/web"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/listing"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/password"
	"github.com/truegrant/truegrant/secret"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/storage/dbtest"
	"github.com/truegrant/truegrant/tokens"
)

const serviceToken = "service"

// app is the routes on a database of their own.
type app struct {
	t          testing.TB
	handler    http.Handler
	db         *storage.DB
	statements *observability.StatementCounter
	hasher     *password.Hasher
	box        *secret.Box
}

// setup wires the routes; each option changes the configuration.
func setup(t testing.TB, options ...func(*conf.Config)) *app {
	t.Helper()
	cfg := &conf.Config{JWT: conf.JWT{Aud: "authenticated", DefaultGroupName: "member"}}
	for _, option := range options {
		option(cfg)
	}
	statements := new(observability.StatementCounter)
	db, err := storage.Open(conf.DB{URL: dbtest.New(t), Namespace: "auth", StatementCacheEnabled: true},
		storage.Options{Tracer: statements})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	box, err := secret.NewBox(secret.BoxConfig{
		Encrypt: cfg.Security.DBEncryption.Encrypt, KeyID: "k", Key: boxKey, DecryptionKeys: map[string]string{"k": boxKey},
	}, rand.Reader)
	require.NoError(t, err)

	a := &app{t: t, db: db, statements: statements, hasher: password.New(2, rand.Reader), box: box}
	log := logrus.New()
	log.SetOutput(t.Output())
	lists := listing.New(db, log, time.Now)
	t.Cleanup(lists.Close)
	router := chi.NewRouter()
	router.Route("/admin", admin.New(admin.Deps{
		Config: cfg, DB: db, Kit: &web.Kit{Auth: serviceOnly{}, Now: time.Now, Fail: fail},
		Hasher: a.hasher, Box: box, IDs: models.IDs{Random: rand.Reader},
		Audit: models.Auditor{Random: rand.Reader}, Addresses: accounts.NewAddresses(), Lists: lists,
	}).Routes)
	a.handler = router
	return a
}

const boxKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// serviceOnly knows one token.
type serviceOnly struct{}

func (serviceOnly) Authenticate(context.Context, string, time.Time) (*tokens.Principal, error) {
	return nil, errors.New("not asked for here")
}

func (serviceOnly) AuthenticateAdmin(_ context.Context, token string, _ time.Time) (*tokens.BearerClaims, error) {
	if token != serviceToken {
		return nil, apierror.New(http.StatusForbidden, apierror.NotAdmin, "User not allowed")
	}
	return &tokens.BearerClaims{Role: "service_role"}, nil
}

// fail stands for the mapping of errors that belongs to the whole API. Errors
// that the operator's database raised are told by a header here.
func fail(w http.ResponseWriter, r *http.Request, err error) {
	var known *apierror.Error
	var input *accounts.InputError
	switch {
	case errors.As(err, &known):
	case errors.As(err, &input):
		known = apierror.Validation(input.Message)
	case errors.Is(err, password.ErrTooLong):
		known = apierror.Validation(err.Error())
	default:
		known = apierror.Internal(err)
	}
	if public, ok := storage.Public(err); ok {
		w.Header().Set("Public-Error", public.SQLState)
	}
	if errors.Is(err, storage.ErrInvalidText) {
		known = apierror.Validation("invalid text")
	}
	known.Write(w, r, "request")
}

// answer is what a request got.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   []byte
}

// call sends a request as the service role. body is JSON text, or nothing.
func (a *app) call(method, path, body string) answer {
	return a.send(method, path, body, "Authorization", "Bearer "+serviceToken)
}

// send sends a request with headers given as names and values.
func (a *app) send(method, path, body string, headers ...string) answer {
	a.t.Helper()
	r := httptest.NewRequestWithContext(a.t.Context(), method, path, bytes.NewBufferString(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	a.handler.ServeHTTP(w, r)
	apitest.Described(a.t, r, []byte(body), w)
	return answer{t: a.t, status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// ok demands success and returns the decoded body.
func (an answer) ok() map[string]any {
	an.t.Helper()
	require.Equal(an.t, http.StatusOK, an.status, string(an.body))
	return an.json()
}

func (an answer) json() map[string]any {
	an.t.Helper()
	var body map[string]any
	require.NoError(an.t, json.Unmarshal(an.body, &body), string(an.body))
	return body
}

// refused demands an error.
func (an answer) refused(status int, code apierror.Code, message string) {
	an.t.Helper()
	require.Equal(an.t, status, an.status, string(an.body))
	body := an.json()
	require.Equal(an.t, string(code), body["error_code"])
	require.Equal(an.t, message, body["msg"])
}

// user creates a user and returns its id.
func (a *app) user(body string) string {
	a.t.Helper()
	return a.call(http.MethodPost, "/admin/users", body).ok()["id"].(string)
}

// value reads one value from the database, as text.
func (a *app) value(query string, args ...any) string {
	a.t.Helper()
	var v *string
	require.NoError(a.t, a.db.Conn(a.t.Context()).Get(&v, query, args...))
	if v == nil {
		return "(null)"
	}
	return *v
}

func (a *app) exec(query string, args ...any) {
	a.t.Helper()
	_, err := a.db.Conn(a.t.Context()).Exec(query, args...)
	require.NoError(a.t, err)
}

// password is the hash stored for a user, opened.
func (a *app) password(id string) string {
	a.t.Helper()
	hash, _, err := a.box.Open(id, a.value(`select encrypted_password from users where id = $1`, id))
	require.NoError(a.t, err)
	return hash
}

// counted runs do and returns the number of statements it took.
func (a *app) counted(do func()) int64 {
	before := a.statements.Total()
	do()
	return a.statements.Total() - before
}
