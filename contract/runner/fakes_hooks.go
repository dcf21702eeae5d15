package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type hookRule struct {
	Name, Match string
	Status      int
	Body        any
	RawBody     *string
	Headers     map[string]any
	Set         map[string]any // custom-access-token: claims to set
	Del         []any          // custom-access-token: claims to remove
	Times       int            // 0 means always
	Delay       time.Duration
}

type hookCall struct {
	Name  string
	Raw   string
	Body  any
	Sig   string
	taken bool
}

func (f *Fakes) serveHook(w http.ResponseWriter, r *http.Request, name string) {
	raw, _ := io.ReadAll(r.Body)
	body := decodeJSON(raw)
	sig := "missing"
	if s := r.Header.Get("webhook-signature"); s != "" {
		key, _ := base64.StdEncoding.DecodeString(hookSecretB64)
		mac := hmac.New(sha256.New, key)
		fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get("webhook-id"), r.Header.Get("webhook-timestamp"), raw)
		sig = "invalid"
		if strings.Contains(s, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))) {
			sig = "valid"
		}
	}
	f.mu.Lock()
	f.hooks = append(f.hooks, hookCall{Name: name, Raw: string(raw), Body: body, Sig: sig})
	var rule *hookRule
	for i := len(f.rules) - 1; i >= 0; i-- {
		c := f.rules[i]
		if c.Name == name && strings.Contains(string(raw), c.Match) {
			if c.Times > 0 {
				c.Times--
				if c.Times == 0 {
					c.Name = "" // spent
				}
			}
			rule = c
			break
		}
	}
	f.mu.Unlock()
	if rule == nil {
		rule = &hookRule{}
	}
	if rule.Delay > 0 {
		time.Sleep(rule.Delay)
	}
	var out any = map[string]any{}
	switch name {
	case "custom-access-token":
		m, _ := body.(map[string]any)
		claims, _ := m["claims"].(map[string]any)
		if claims == nil {
			claims = map[string]any{}
		}
		for k, v := range rule.Set {
			claims[k] = v
		}
		for _, k := range rule.Del {
			delete(claims, fmt.Sprint(k))
		}
		out = map[string]any{"claims": claims}
	case "mfa-verification", "password-verification":
		out = map[string]any{"decision": "continue"}
	}
	if rule.Body != nil {
		out = rule.Body
	}
	status := rule.Status
	if status == 0 {
		status = 200
	}
	w.Header().Set("Content-Type", "application/json")
	for k, v := range rule.Headers {
		if s := fmt.Sprint(v); s == "" {
			w.Header()["Content-Type"] = nil
		} else {
			w.Header().Set(k, s)
		}
	}
	w.WriteHeader(status)
	if status == 204 {
		return
	}
	if rule.RawBody != nil {
		_, _ = io.WriteString(w, *rule.RawBody)
		return
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (f *Fakes) takeHook(name, match string, timeout time.Duration) (hookCall, bool) {
	var got hookCall
	ok := waitFor(timeout, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i := range f.hooks {
			h := &f.hooks[i]
			if !h.taken && h.Name == name && strings.Contains(h.Raw, match) {
				h.taken = true
				got = *h
				return true
			}
		}
		return false
	})
	return got, ok
}
