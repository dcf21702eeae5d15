package main

import (
	"fmt"
	"strings"
	"time"
)

// actIdp prepares an authorization code at the fake provider.
func (r *run) actIdp(st *Step) (any, error) {
	a := r.args(st)
	code := str(a, "code")
	if code == "" {
		code = "code-" + randomString(16, "abcdefghijklmnopqrstuvwxyz0123456789")
	}
	as := str(a, "as")
	if as == "" {
		as = "code"
	}
	g := &idpGrant{Issuer: str(a, "issuer")}
	g.Token, _ = a["token"].(map[string]any)
	g.Docs, _ = a["docs"].(map[string]any)
	g.Claims, _ = a["claims"].(map[string]any)
	g.Status, _ = a["status"].(int)
	f := r.lab.fakes
	f.mu.Lock()
	f.docs[code] = g
	f.mu.Unlock()
	r.vars[as] = code
	r.n.know(code, as)
	return nil, nil
}

// actIdplog observes how a code was redeemed there.
func (r *run) actIdplog(st *Step) (any, error) {
	a := r.args(st)
	f := r.lab.fakes
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := len(f.idpCalls) - 1; i >= 0; i-- {
		if c := f.idpCalls[i]; c.Code == str(a, "code") {
			form := map[string]any{}
			for k := range c.Form {
				form[k] = c.Form.Get(k)
			}
			if v, ok := form["code_verifier"].(string); ok {
				form["code_verifier"] = fmt.Sprintf("<verifier:%d>", len(v))
			}
			if s, ok := form["client_secret"].(string); ok {
				form["client secret"] = s
				delete(form, "client_secret")
			}
			return map[string]any{"idplog": st.Args, "form": r.n.value("", form), "auth": c.Auth}, nil
		}
	}
	return map[string]any{"idplog": st.Args, "call": "none"}, nil
}

// actJwt signs a token.
func (r *run) actJwt(st *Step) (any, error) {
	a := r.args(st)
	claims, _ := a["claims"].(map[string]any)
	header, _ := a["header"].(map[string]any)
	secret := toString(r.vars["jwt_secret"])
	if s := str(a, "secret"); s != "" {
		secret = s
	}
	var tok string
	switch str(a, "alg") {
	case "none":
		tok = signJWT(header, claims, "none", func([]byte) []byte { return nil })
	case "RS256":
		tok = r.lab.fakes.signer.Sign(header, claims)
	default:
		tok = signHS256(header, claims, secret)
	}
	r.vars[str(a, "as")] = tok
	return nil, nil
}

// actIdtoken signs a provider's ID token.
func (r *run) actIdtoken(st *Step) (any, error) {
	a := r.args(st)
	claims, _ := a["claims"].(map[string]any)
	r.vars[str(a, "as")] = r.lab.fakes.signer.IDToken(str(a, "iss"), claims)
	return nil, nil
}

// actTotp computes a one-time code.
func (r *run) actTotp(st *Step) (any, error) {
	a := r.args(st)
	code, err := totp(str(a, "secret"), time.Now().Add(duration(a["offset"], 0)))
	if err != nil {
		return nil, err
	}
	r.vars[str(a, "as")] = code
	return nil, nil
}

// actSiwe signs a message of a wallet (siwe: Ethereum, siws: Solana).
func (r *run) actSiwe(st *Step) (any, error) {
	a := r.args(st)
	chainName, addr, sign := "Ethereum", r.w.ethAddress(), r.w.ethSign
	if st.Action == "siws" {
		chainName, addr, sign = "Solana", r.w.solAddress(), r.w.solSign
	}
	get := func(k, def string) string {
		if v, ok := a[k]; ok {
			return toString(v)
		}
		return def
	}
	chain := "1"
	if st.Action == "siws" {
		chain = "solana:mainnet"
	}
	msg := get("domain", "app.contract.test") + " wants you to sign in with your " + chainName + " account:\n" + get("address", addr) + "\n\n"
	if s := get("statement", "Sign in to the contract app"); s != "" {
		msg += s + "\n\n"
	}
	var lines []string
	add := func(label, v string) {
		if v != "" {
			lines = append(lines, label+": "+v)
		}
	}
	add("URI", get("uri", "https://app.contract.test/"))
	add("Version", get("version", "1"))
	add("Chain ID", get("chain_id", chain))
	add("Nonce", get("nonce", "32891756"))
	add("Issued At", get("issued_at", time.Now().UTC().Format(time.RFC3339)))
	add("Expiration Time", get("expires", ""))
	add("Not Before", get("not_before", ""))
	add("Request ID", get("request_id", ""))
	msg += strings.Join(lines, "\n")
	if x := get("extra", ""); x != "" {
		msg += "\n" + x
	}
	sig := sign(msg)
	if str(a, "sign") == "other" {
		sig = sign(msg + " ")
	}
	r.vars["w3_message"], r.vars["w3_signature"] = msg, sig
	return nil, nil
}

// actSaml builds a SAML response.
func (r *run) actSaml(st *Step) (any, error) {
	a := r.args(st)
	ext := toString(r.vars["external"])
	sa := samlAssertion{
		Entity: str(a, "entity"), NameID: str(a, "name_id"), ACS: ext + "/sso/saml/acs", Audience: ext + "/sso/saml/metadata",
		Format: "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent", TTL: duration(a["ttl"], 10*time.Minute),
	}
	if f := str(a, "format"); f != "" {
		sa.Format = f
	}
	if f := str(a, "audience"); f != "" {
		sa.Audience = f
	}
	sa.Attributes, _ = a["attributes"].(map[string]any)
	sa.Unsigned, _ = a["unsigned"].(bool)
	if req := str(a, "request"); req != "" {
		id, err := samlRequestID(req)
		if err != nil {
			return nil, err
		}
		sa.InResponseTo = id
	}
	r.vars[str(a, "as")] = sa.response()
	return nil, nil
}

// actPasskey creates or uses a passkey.
func (r *run) actPasskey(st *Step) (any, error) {
	a := r.args(st)
	name := str(a, "key")
	if name == "" {
		name = "default"
	}
	au := r.auth[name]
	if au == nil {
		var err error
		if au, err = newAuthenticator(); err != nil {
			return nil, err
		}
		r.auth[name] = au
		r.n.know(b64u.EncodeToString(au.id), "credential_id")
	}
	origin, rp := str(a, "origin"), str(a, "rp")
	if origin == "" {
		origin = "https://app.contract.test"
	}
	if rp == "" {
		rp = "app.contract.test"
	}
	flags := byte(0x05) // user present and verified
	if f, ok := a["flags"].(int); ok {
		flags = byte(f)
	}
	opts, _ := a["options"].(map[string]any)
	ch := str(opts, "challenge")
	if c := str(a, "challenge"); c != "" {
		ch = c
	}
	if str(a, "op") == "create" {
		if u, ok := lookup(opts, "user.id"); ok {
			au.user = toString(u)
		}
		r.vars[str(a, "as")] = au.create(ch, origin, rp, flags)
	} else {
		if u := str(a, "user"); u != "" {
			au.user = b64u.EncodeToString([]byte(u))
		}
		if c, ok := a["count"].(int); ok {
			au.count = uint32(c) - 1
		}
		r.vars[str(a, "as")] = au.get(ch, origin, rp, flags)
	}
	return nil, nil
}
