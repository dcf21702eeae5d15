package relyingparty

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

const (
	attemptCookie  = "relyingparty_login"
	sessionCookie  = "relyingparty_session"
	attemptSeconds = 600 // a login that takes longer starts again
)

// profile is what the page shows of a user: claims, never the tokens.
type profile struct {
	IDToken     claims
	AccessToken claims // nil if the token is not a JWT
	UserInfo    claims
	Scope       string // as granted; if the answer names none, as requested (RFC 6749 §5.1)
	Refreshable bool
	Refreshes   int
}

// claims prints as indented JSON.
type claims map[string]any

// String returns the claims as indented JSON with sorted names.
func (c claims) String() string {
	text, err := json.MarshalIndent(map[string]any(c), "", "  ")
	if err != nil {
		return "{}"
	}
	return string(text)
}

// session is a signed-in user. Its lock is held during a refresh, so that two
// requests do not spend the same refresh token.
type session struct {
	mu      sync.Mutex
	token   *oauth2.Token
	shown   profile
	subject string
}

// profile returns a copy to show, nil if nobody is signed in.
func (s *session) profile() *profile {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	shown := s.shown
	return &shown
}

// session returns the browser's session, nil if it has none.
func (c *client) session(r *http.Request) *session {
	return c.sessions.find(cookieValue(r, sessionCookie))
}

// refresh gets new tokens (RFC 6749 §6) and reads the claims again.
func (c *client) refresh(w http.ResponseWriter, r *http.Request) {
	s := c.session(r)
	if s == nil {
		http.Redirect(w, r, c.base, http.StatusSeeOther)
		return
	}
	found, err := c.issuer.find(r.Context())
	if err == nil {
		err = s.renew(oidc.ClientContext(r.Context(), c.config.HTTPClient), found)
	}
	if err != nil {
		c.fail(w, err)
		return
	}
	http.Redirect(w, r, c.base, http.StatusSeeOther)
}

func (s *session) renew(ctx context.Context, found *issuer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Without an access token the source has to refresh at once.
	token, err := found.oauth.TokenSource(ctx, &oauth2.Token{RefreshToken: s.token.RefreshToken}).Token()
	if err != nil {
		return fmt.Errorf("refresh the tokens: %w", err)
	}
	s.token = token // before anything can fail: the old refresh token may be spent

	id, err := verifyIDToken(ctx, found, token)
	if err != nil {
		return err
	}
	shown, err := readProfile(ctx, found, token, s.subject)
	if err != nil {
		return err
	}
	shown.IDToken, shown.Refreshes = s.shown.IDToken, s.shown.Refreshes+1
	shown.Scope = cmp.Or(shown.Scope, s.shown.Scope)
	if id != nil { // optional after a refresh (OpenID Connect Core §12.2)
		if id.Subject != s.subject {
			return refusal("The new ID token is about somebody else.")
		}
		shown.IDToken = nil
		if err := id.Claims(&shown.IDToken); err != nil {
			return fmt.Errorf("read the ID token: %w", err)
		}
	}
	s.shown = *shown
	return nil
}

// logout ends the session here; the one at the issuer stays.
func (c *client) logout(w http.ResponseWriter, r *http.Request) {
	c.sessions.take(cookieValue(r, sessionCookie))
	c.setCookie(w, sessionCookie, "", -1)
	http.Redirect(w, r, c.base, http.StatusSeeOther)
}

// readProfile asks the UserInfo endpoint, whose answer must be about the ID
// token's subject (OpenID Connect Core §5.3.2).
func readProfile(ctx context.Context, found *issuer, token *oauth2.Token, subject string) (*profile, error) {
	info, err := found.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, fmt.Errorf("ask for the user's claims: %w", err)
	}
	if info.Subject != subject {
		return nil, refusal("The UserInfo answer is about somebody else.")
	}
	p := &profile{AccessToken: peek(token.AccessToken), Refreshable: token.RefreshToken != ""}
	p.Scope, _ = token.Extra("scope").(string)
	if err := info.Claims(&p.UserInfo); err != nil {
		return nil, fmt.Errorf("read the user's claims: %w", err)
	}
	return p, nil
}

// peek decodes an access token without verifying it, to show what is inside.
// Decide nothing by it: for its client an access token is an opaque string.
func peek(token string) claims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil
	}
	var c claims
	if err := json.Unmarshal(payload, &c); err != nil {
		return nil
	}
	return c
}

// setCookie sets a cookie of this application; seconds as in http.Cookie.MaxAge.
// SameSite is Lax because the response arrives by a redirect from another site.
func (c *client) setCookie(w http.ResponseWriter, name, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: c.base, MaxAge: seconds,
		Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func cookieValue(r *http.Request, name string) string {
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}

// store keeps values under random keys and forgets the oldest when it is full.
type store[T any] struct {
	mu     sync.Mutex
	limit  int
	values map[string]T
	order  []string
}

func newStore[T any](limit int) *store[T] {
	return &store[T]{limit: limit, values: map[string]T{}}
}

// add returns the new value's key: 130 random bits.
func (s *store[T]) add(value T) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := rand.Text()
	s.values[key] = value
	s.order = append(s.order, key)
	if len(s.order) > s.limit {
		delete(s.values, s.order[0])
		s.order = s.order[1:]
	}
	return key
}

// find returns the value, or T's zero value.
func (s *store[T]) find(key string) T {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.values[key]
}

// take removes the value and returns it: of two callers one gets it.
func (s *store[T]) take(key string) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, ok := s.values[key]
	delete(s.values, key)
	return value, ok
}
