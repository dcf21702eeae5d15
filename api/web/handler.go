package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/truegrant/truegrant/api/apierror"
	"github.com/truegrant/truegrant/observability"
	"github.com/truegrant/truegrant/tokens"
)

// Handler is a route open to everybody.
type Handler func(w http.ResponseWriter, r *http.Request) error

// UserHandler is a route for a signed-in user. The caller is never nil.
type UserHandler func(w http.ResponseWriter, r *http.Request, caller *Caller) error

// AdminHandler is a route for a service-role caller.
type AdminHandler func(w http.ResponseWriter, r *http.Request, admin *Admin) error

// Caller is the user a request comes from.
type Caller struct{ *tokens.Principal }

// Admin is the service-role caller a request comes from.
type Admin struct {
	// Role is what the audit log shows as the actor.
	Role string
}

// Authenticator finds out whom a bearer token speaks for.
type Authenticator interface {
	Authenticate(ctx context.Context, token string, now time.Time) (*tokens.Principal, error)
	AuthenticateAdmin(ctx context.Context, token string, now time.Time) (*tokens.BearerClaims, error)
}

// Kit adapts handlers to net/http.
type Kit struct {
	Auth Authenticator
	// Now is the clock; it is read once for each request.
	Now func() time.Time
	// Fail answers a request with an error: the one place where errors become
	// statuses.
	Fail func(w http.ResponseWriter, r *http.Request, err error)
}

// Open adapts a handler for everybody.
func (k *Kit) Open(h Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			k.Fail(w, r, err)
		}
	}
}

// User adapts a handler for signed-in users.
func (k *Kit) User(h UserHandler) http.HandlerFunc {
	return k.Open(func(w http.ResponseWriter, r *http.Request) error {
		caller, err := k.Caller(r)
		if err != nil {
			return err
		}
		return h(w, r, caller)
	})
}

// FirstParty adapts a handler for the user's own apps: tokens of OAuth clients
// are refused, whatever their scopes. A client must not approve itself, change
// credentials or end other sessions.
func (k *Kit) FirstParty(h UserHandler) http.HandlerFunc {
	return k.User(func(w http.ResponseWriter, r *http.Request, caller *Caller) error {
		if caller.OAuthClient() {
			return apierror.New(http.StatusForbidden, apierror.NoAuthorization,
				"OAuth clients are not allowed to perform these actions")
		}
		return h(w, r, caller)
	})
}

// Admin adapts a handler for service-role callers.
func (k *Kit) Admin(h AdminHandler) http.HandlerFunc {
	return k.Open(func(w http.ResponseWriter, r *http.Request) error {
		admin, err := k.admin(r)
		if err != nil {
			return err
		}
		return h(w, r, admin)
	})
}

// Caller authenticates the bearer token of a request.
func (k *Kit) Caller(r *http.Request) (*Caller, error) {
	token, ok := BearerToken(r)
	if !ok {
		return nil, errNoBearer()
	}
	principal, err := k.Auth.Authenticate(r.Context(), token, k.Time(r))
	if err != nil {
		return nil, err
	}
	event := observability.EventFrom(r.Context())
	event.Set("user_id", principal.ID)
	if principal.Session != nil {
		event.Set("session_id", principal.Session.ID)
	}
	return &Caller{principal}, nil
}

func (k *Kit) admin(r *http.Request) (*Admin, error) {
	token, ok := BearerToken(r)
	if !ok {
		return nil, errNoBearer()
	}
	claims, err := k.Auth.AuthenticateAdmin(r.Context(), token, k.Time(r))
	if err != nil {
		return nil, err
	}
	return &Admin{Role: claims.Role}, nil
}

// Time is the one "now" of a request: its arrival, in the microseconds that
// the database keeps.
func (k *Kit) Time(r *http.Request) time.Time {
	if event := observability.EventFrom(r.Context()); event != nil {
		return event.Started.Truncate(time.Microsecond)
	}
	return k.Now().Truncate(time.Microsecond)
}

// Waited is the time since the request arrived.
func (k *Kit) Waited(r *http.Request) time.Duration {
	if event := observability.EventFrom(r.Context()); event != nil {
		return k.Now().Sub(event.Started)
	}
	return 0
}

// BearerToken returns the token of an Authorization header (RFC 6750 §2.1):
// scheme in any case, one space, no space in the token.
func BearerToken(r *http.Request) (string, bool) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if !found || !strings.EqualFold(scheme, "bearer") || token == "" || strings.ContainsAny(token, " \t") {
		return "", false
	}
	return token, true
}

func errNoBearer() error {
	return apierror.New(http.StatusUnauthorized, apierror.NoAuthorization, "This endpoint requires a valid Bearer token")
}
