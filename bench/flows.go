package main

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/truegrant/truegrant/secret"
)

const (
	jsonType    = "application/json"
	formType    = "application/x-www-form-urlencoded"
	methodOAuth = "oauth_provider/authorization_code"
)

// operation is what a caller does again and again.
type operation func(ctx context.Context) error

// flow is a request, or a chain of them, that is measured.
type flow struct {
	name string
	// target is the least share of the bare rate that we accept at 16 callers,
	// in percent; 0 for none.
	target int
	// codes tells that codes have to be prepared before a turn.
	codes bool
	// redeems tells that each operation redeems a code.
	redeems bool
	// members tells that members need a pending code before a turn.
	members bool
	// bcrypt tells that each operation hashes a password, which the bare SQL does
	// not.
	bcrypt bool
	http   func(w *wire, caller int) operation
	bare   func(caller int) operation
}

func (w *world) flows() []flow {
	flows := []flow{
		{name: "refresh", target: 40, http: w.refresh, bare: w.bareRefresh},
		{name: "user", target: 20, http: w.getUser, bare: w.bareUser},
		{name: "userinfo", target: 20, http: w.userInfo, bare: w.bareUserInfo},
		{name: "token", target: 40, codes: true, redeems: true, http: w.token, bare: w.bareToken},
		{name: "authorize-to-token", redeems: true, http: w.flow, bare: w.bareFlow},
		{name: "password-login", bcrypt: true, http: w.login, bare: w.bareLogin},
		{name: "sign-up", bcrypt: true, http: w.signup, bare: w.bareSignup},
		{name: "verify", members: true, http: w.verify, bare: w.bareVerify},
	}
	for _, page := range w.pages {
		flows = append(flows, flow{name: page.name, http: page.http, bare: w.barePage(page)})
	}
	return flows
}

// next returns the caller's next user. No two callers have a user in common.
func (w *world) next(n *int) *user {
	u := w.users[*n]
	if *n += w.step; *n >= len(w.users)/w.step*w.step {
		*n %= w.step
	}
	return u
}

// refresh: POST /token?grant_type=refresh_token
func (w *world) refresh(conn *wire, n int) operation {
	return func(context.Context) error {
		u := w.next(&n)
		conn.request(http.MethodPost, "/token?grant_type=refresh_token", "", jsonType)
		token := secret.FormatRefreshToken(u.session, uint64(u.generation), u.key) //nolint:gosec // starts at 0 and grows
		u.generation++
		return conn.do(`{"refresh_token":"`+token+`"}`, http.StatusOK)
	}
}

// getUser: GET /user
func (w *world) getUser(conn *wire, n int) operation {
	return func(context.Context) error {
		conn.request(http.MethodGet, "/user", w.next(&n).accessToken, "")
		return conn.do("", http.StatusOK)
	}
}

// userInfo: GET /oauth/userinfo
func (w *world) userInfo(conn *wire, n int) operation {
	return func(context.Context) error {
		conn.request(http.MethodGet, "/oauth/userinfo", w.next(&n).clientToken, "")
		return conn.do("", http.StatusOK)
	}
}

// token: POST /oauth/token with a code that was prepared.
func (w *world) token(conn *wire, _ int) operation {
	return func(context.Context) error {
		code, err := w.codes.take()
		if err != nil {
			return err
		}
		return w.redeem(conn, code.text)
	}
}

func (w *world) redeem(conn *wire, code string) error {
	conn.request(http.MethodPost, "/oauth/token", "", formType)
	return conn.do("grant_type=authorization_code&client_id="+w.client.String()+"&code="+code+
		"&redirect_uri="+url.QueryEscape(redirectURI)+"&code_verifier="+w.verifier, http.StatusOK)
}

// flow: authorization request, consent page, approval, token.
func (w *world) flow(conn *wire, n int) operation {
	target := "/oauth/authorize?" + url.Values{
		"response_type": {"code"}, "client_id": {w.client.String()}, "redirect_uri": {redirectURI},
		"scope": {scope}, "state": {"state"},
		"code_challenge": {w.challenge()}, "code_challenge_method": {"S256"},
	}.Encode()
	return func(context.Context) error {
		token := w.next(&n).accessToken
		conn.request(http.MethodGet, target, "", "")
		if err := conn.do("", http.StatusFound); err != nil {
			return err
		}
		handle, err := parameter(conn.location, "authorization_id")
		if err != nil {
			return err
		}
		code, err := approve(conn, "/oauth/authorizations/"+handle, token)
		if err != nil {
			return err
		}
		return w.redeem(conn, code)
	}
}

// approve reads a request as the consent page does, approves it and returns the
// code.
func approve(conn *wire, target, token string) (string, error) {
	conn.request(http.MethodGet, target, token, "")
	if err := conn.do("", http.StatusOK); err != nil {
		return "", err
	}
	conn.request(http.MethodPost, target+"/consent", token, jsonType)
	if err := conn.do(`{"action":"approve"}`, http.StatusOK); err != nil {
		return "", err
	}
	redirect, err := member(conn.body, "redirect_url")
	if err != nil {
		return "", err
	}
	// JSON may write the & as an escape.
	return parameter([]byte(strings.ReplaceAll(redirect, `\u0026`, "&")), "code")
}
