package main

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// run executes one scenario against one server.
type run struct {
	srv  *Server
	lab  *Lab
	sc   *Scenario
	vars map[string]any
	n    *Normalizer
	http *http.Client
	w    *wallets
	auth map[string]*authenticator

	last struct {
		body   any
		header http.Header
		loc    *url.URL
	}
}

func randomString(n int, alphabet string) string {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

func newRun(srv *Server, sc *Scenario) (*run, error) {
	id := "k" + randomString(9, "abcdefghijkmnpqrstuvwxyz23456789")
	r := &run{srv: srv, lab: srv.lab, sc: sc, vars: map[string]any{}, n: newNormalizer(), auth: map[string]*authenticator{}}
	r.http = &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     &http.Transport{DisableCompression: true, Proxy: nil, DisableKeepAlives: true},
	}
	var err error
	if r.w, err = newWallets(); err != nil {
		return nil, err
	}
	set := func(k, v string) { r.vars[k] = v; r.n.know(v, k) }
	set("id", id)
	for i, suf := range []string{"", "2", "3", "4"} {
		set("email"+suf, fmt.Sprintf("%s.%s@example.com", string(rune('a'+i)), id))
		set("phone"+suf, fmt.Sprintf("1555%d%s", i+1, randomString(6, "123456789")))
	}
	for _, k := range []string{"num", "num2"} {
		v := "7" + randomString(8, "123456789")
		r.vars[k] = json.Number(v)
		r.n.know(v, k)
	}
	r.vars["saml_metadata"] = samlMetadata("https://idp.contract.test/" + id)
	r.vars["saml_metadata2"] = samlMetadata("https://idp2.contract.test/" + id)
	set("verifier", randomString(64, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
	r.n.know(samlCert, "certificate")
	sum := sha256.Sum256([]byte(r.vars["verifier"].(string)))
	set("challenge", b64u.EncodeToString(sum[:]))
	set("eth_address", r.w.ethAddress())
	set("sol_address", r.w.solAddress())
	r.vars["pw"] = "correct-horse-9A"
	r.vars["pw2"] = "battery-staple-7B"
	r.vars["fakes"] = srv.lab.fakes.base
	r.n.know(srv.lab.fakes.base, "fakes")
	r.n.know(srv.Base, "server")
	r.vars["external"] = srv.env["API_EXTERNAL_URL"]
	now := time.Now().Unix()
	secret := srv.env["GOTRUE_JWT_SECRET"]
	r.vars["jwt_secret"] = secret
	r.vars["service"] = signHS256(nil, map[string]any{"role": "service_role", "aud": "authenticated", "iat": now - 5, "exp": now + 3600}, secret)
	r.vars["anon"] = signHS256(nil, map[string]any{"role": "anon", "iat": now - 5, "exp": now + 3600}, secret)
	for _, k := range sortedNames(sc.Vars) {
		r.vars[k] = r.sub(sc.Vars[k])
	}
	return r, nil
}

type stepError struct{ msg string }

func (e stepError) Error() string { return e.msg }

var recordedHeaders = []string{
	"Content-Type", "X-Sb-Error-Code", "X-Supabase-Api-Version", "Link", "X-Total-Count",
	"WWW-Authenticate", "Cache-Control", "Allow", "Retry-After", "Pragma", "Content-Disposition",
}

// step executes one step and returns its normalised observation.
func (r *run) step(st *Step) (obs any, err error) {
	defer func() {
		if p := recover(); p != nil {
			if se, ok := p.(stepError); ok {
				err = se
				return
			}
			panic(p)
		}
	}()
	if st.Action != "" {
		return r.action(st)
	}
	times := 1
	if t, ok := st.Opt["times"].(int); ok {
		times = t
	}
	var out map[string]any
	var statuses []int
	for i := 0; i < times; i++ {
		if out, err = r.request(st); err != nil {
			return nil, err
		}
		statuses = append(statuses, out["status"].(int))
	}
	if times > 1 {
		out["statuses"] = runLength(statuses)
	}
	if err := r.save(st); err != nil {
		return out, err
	}
	return out, nil
}

func runLength(s []int) string {
	var out []string
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] == s[i] {
			j++
		}
		out = append(out, fmt.Sprintf("%dx%d", s[i], j-i))
		i = j
	}
	return strings.Join(out, " ")
}

func (r *run) request(st *Step) (map[string]any, error) {
	path := r.str(st.Path)
	if ext := toString(r.vars["external"]); ext != "" {
		path = strings.TrimPrefix(path, ext)
	}
	var body io.Reader
	ctype := ""
	switch {
	case st.Opt["raw"] != nil:
		body, ctype = strings.NewReader(r.str(st.Opt["raw"].(string))), "application/json"
	case st.Opt["form"] != nil:
		vals := url.Values{}
		for k, v := range r.sub(st.Opt["form"]).(map[string]any) {
			vals.Set(k, toString(v))
		}
		body, ctype = strings.NewReader(vals.Encode()), "application/x-www-form-urlencoded"
	case st.HasBody:
		b, err := json.Marshal(r.sub(st.Body))
		if err != nil {
			return nil, err
		}
		body, ctype = bytes.NewReader(b), "application/json"
	}
	req, err := http.NewRequest(st.Method, r.srv.Base+path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "contract/1")
	req.Header.Set("X-Contract-Client", toString(r.vars["id"]))
	if ctype != "" {
		req.Header.Set("Content-Type", ctype)
	}
	if a, ok := st.Opt["auth"].(string); ok && a != "" {
		a = r.str(a)
		if v, ok := r.vars[a]; ok {
			a = "Bearer " + toString(v)
		} else if !strings.Contains(a, " ") {
			a = "Bearer " + a
		}
		req.Header.Set("Authorization", a)
	}
	if h, ok := st.Opt["headers"].(map[string]any); ok {
		for k, v := range h {
			if s := r.str(toString(v)); s == "" {
				req.Header.Del(k)
			} else {
				req.Header.Set(k, s)
			}
		}
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("request failed: %w", trimAddr(err))
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 4<<20))
	if err != nil {
		return nil, err
	}
	title := st.Method + " " + st.Path
	if st.Setup {
		r.remember(resp, raw)
		return map[string]any{"request": title, "status": resp.StatusCode}, nil
	}
	out := map[string]any{"request": title, "status": resp.StatusCode}
	headers := map[string]any{}
	for _, h := range recordedHeaders {
		if (h == "Link" || h == "X-Total-Count") && st.Opt["pick"] != nil && r.sc.Instance == "" {
			continue // totals of a database shared with other scenarios
		}
		if v := resp.Header.Values(h); len(v) > 0 {
			s := strings.Join(v, ", ")
			if h == "Allow" {
				methods := strings.Split(s, ", ")
				sort.Strings(methods)
				s = strings.Join(methods, ", ")
			}
			headers[h] = r.n.text(s)
		}
	}
	if req.Header.Get("Origin") != "" {
		for h, v := range resp.Header {
			if strings.HasPrefix(h, "Access-Control-") || h == "Vary" {
				headers[h] = strings.Join(v, ", ")
			}
		}
	}
	if loc := resp.Header.Get("Location"); loc != "" {
		headers["Location"] = r.n.location(loc)
	}
	out["headers"] = headers
	r.remember(resp, raw)
	if resp.StatusCode < 300 || resp.StatusCode >= 400 {
		out["body"] = r.normBody(st, resp, raw)
	}
	switch o := st.Opt["only"].(type) {
	case string:
		out = map[string]any{"request": title, "status": resp.StatusCode, o: out[o]}
	}
	return out, nil
}
