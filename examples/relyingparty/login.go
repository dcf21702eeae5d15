package relyingparty

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// attempt is a login that has been started: what its response must fit.
type attempt struct {
	state    string // RFC 6749 §10.12: the response is for this browser
	nonce    string // OpenID Connect Core §3.1.2.1: the ID token is for this login
	verifier string // RFC 7636 §4.1: the code is redeemed by who asked for it
}

// refusal is an error that lies in the request or in the user's answer, not in
// the connection to the issuer.
type refusal string

func (r refusal) Error() string { return string(r) }

func isRefusal(err error) bool {
	var r refusal
	return errors.As(err, &r)
}

// login sends the browser to the authorization endpoint.
func (c *client) login(w http.ResponseWriter, r *http.Request) {
	found, err := c.issuer.find(r.Context())
	if err != nil {
		c.fail(w, err)
		return
	}
	a := attempt{state: rand.Text(), nonce: rand.Text(), verifier: oauth2.GenerateVerifier()}
	c.setCookie(w, attemptCookie, c.attempts.add(a), attemptSeconds)
	target := found.oauth.AuthCodeURL(a.state, oidc.Nonce(a.nonce), oauth2.S256ChallengeOption(a.verifier))
	http.Redirect(w, r, target, http.StatusFound)
}

// callback receives the authorization response (RFC 6749 §4.1.2).
func (c *client) callback(w http.ResponseWriter, r *http.Request) {
	a, ok := c.attempts.take(cookieValue(r, attemptCookie))
	c.setCookie(w, attemptCookie, "", -1)
	if !ok {
		c.fail(w, refusal("This browser has not started a login, or too long ago."))
		return
	}
	found, err := c.issuer.find(r.Context())
	if err != nil {
		c.fail(w, err)
		return
	}
	code, err := checkResponse(r.URL.Query(), a, c.config.Issuer, found.namesItself)
	if err != nil {
		c.fail(w, err)
		return
	}
	s, err := c.redeem(r.Context(), found, code, a)
	if err != nil {
		c.fail(w, err)
		return
	}
	// A new session id for a new user: a session that was set before the
	// login is not carried over.
	c.sessions.take(cookieValue(r, sessionCookie))
	c.setCookie(w, sessionCookie, c.sessions.add(s), 0)
	http.Redirect(w, r, c.base, http.StatusSeeOther)
}

// checkResponse returns the code of an authorization response, once the
// response is known to belong to the attempt and to come from the issuer.
func checkResponse(q url.Values, a attempt, issuerID string, issRequired bool) (string, error) {
	if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(a.state)) != 1 {
		return "", refusal("The response does not belong to this login.")
	}
	// RFC 9207 §2.4; also for error responses.
	if q.Has("iss") || issRequired {
		if q.Get("iss") != issuerID {
			return "", refusal("The response comes from another issuer.")
		}
	}
	if q.Get("error") != "" {
		return "", refusal(fmt.Sprintf("The login was refused: %s (%s)", q.Get("error"), q.Get("error_description")))
	}
	if q.Get("code") == "" {
		return "", refusal("The response has no code.")
	}
	return q.Get("code"), nil
}

// redeem exchanges the code and reads who has logged in.
func (c *client) redeem(ctx context.Context, found *issuer, code string, a attempt) (*session, error) {
	ctx = oidc.ClientContext(ctx, c.config.HTTPClient)
	token, err := found.oauth.Exchange(ctx, code, oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, fmt.Errorf("exchange the code: %w", err)
	}
	id, err := verifyIDToken(ctx, found, token)
	if err != nil {
		return nil, err
	}
	if id == nil {
		return nil, refusal("The issuer sent no ID token.")
	}
	if subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(a.nonce)) != 1 {
		return nil, refusal("The ID token was made for another login.")
	}
	p, err := readProfile(ctx, found, token, id.Subject)
	if err != nil {
		return nil, err
	}
	if err := id.Claims(&p.IDToken); err != nil {
		return nil, fmt.Errorf("read the ID token: %w", err)
	}
	p.Scope = cmp.Or(p.Scope, strings.Join(c.config.Scopes, " "))
	return &session{token: token, shown: *p, subject: id.Subject}, nil
}

// verifyIDToken checks the response's ID token: signature, issuer, audience,
// expiry and, if it is bound to the access token, at_hash (OpenID Connect Core
// §3.1.3.7, §3.1.3.8). It returns nil if there is none.
func verifyIDToken(ctx context.Context, found *issuer, token *oauth2.Token) (*oidc.IDToken, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, nil
	}
	id, err := found.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, fmt.Errorf("verify the ID token: %w", err)
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return nil, fmt.Errorf("verify the ID token: %w", err)
		}
	}
	return id, nil
}

// publicText is what the page says about an error. It names what the issuer
// answered, and never a token or a secret.
func publicText(err error) string {
	var refused refusal
	var answer *oauth2.RetrieveError
	switch {
	case errors.As(err, &refused):
		return refused.Error()
	case errors.As(err, &answer):
		return fmt.Sprintf("The issuer refused: %s (%s)", answer.ErrorCode, answer.ErrorDescription)
	}
	return err.Error()
}
