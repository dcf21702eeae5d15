package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

var (
	reJWT     = regexp.MustCompile(`eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*`)
	reUUID    = regexp.MustCompile(`(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	reTime    = regexp.MustCompile(`\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:?\d\d)?)?`)
	reHex     = regexp.MustCompile(`\b[0-9a-f]{56}\b|\b[0-9a-f]{64}\b`)
	reByteaHx = regexp.MustCompile(`\\x[0-9a-f]{16,}`)
	reSeconds = regexp.MustCompile(`after \d+ seconds?`)
	reGoField = regexp.MustCompile(`Go struct field [A-Za-z0-9_.]+?\.([a-z_]+)`)
	reGoType  = regexp.MustCompile(`Go value of type [A-Za-z0-9_.*]+\.[A-Za-z0-9_]+`)
	reSecret  = regexp.MustCompile(`secret=[A-Z2-7]+`)
	reDigits  = regexp.MustCompile(`^\d{6,10}$`)
	reB64URL  = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	reXMLCert = regexp.MustCompile(`(X509Certificate[^>]*>)[^<]+<`)
	reUnixMap = regexp.MustCompile(`\b(exp|iat|nbf):1\.\d+e\+09`)
	reCursor  = regexp.MustCompile(`cursor=[A-Za-z0-9_-]{20,}`)
)

const zeroUUID = "00000000-0000-0000-0000-000000000000"

// Normalizer replaces the run-specific parts of observed values by typed
// placeholders. UUIDs are numbered in order of first appearance, so equality
// between ids (a token's sub and the user's id, say) is part of the contract.
type Normalizer struct {
	known []knownValue
	uuids map[string]int
}

type knownValue struct{ value, placeholder string }

func newNormalizer() *Normalizer { return &Normalizer{uuids: map[string]int{}} }

// know makes every later occurrence of value appear as <placeholder>.
func (n *Normalizer) know(value, placeholder string) {
	if len(value) < 4 {
		return
	}
	for i, k := range n.known {
		if k.value == value {
			n.known[i].placeholder = placeholder
			return
		}
	}
	n.known = append(n.known, knownValue{value, placeholder})
	sort.SliceStable(n.known, func(i, j int) bool { return len(n.known[i].value) > len(n.known[j].value) })
}

func (n *Normalizer) uuid(s string) string {
	s = strings.ToLower(s)
	if s == zeroUUID {
		return s
	}
	if _, ok := n.uuids[s]; !ok {
		n.uuids[s] = len(n.uuids) + 1
	}
	return fmt.Sprintf("<uuid:%d>", n.uuids[s])
}

func (n *Normalizer) replaceKnown(s string) string {
	for _, k := range n.known {
		s = strings.ReplaceAll(s, k.value, "<"+k.placeholder+">")
		if esc := url.QueryEscape(k.value); esc != k.value {
			s = strings.ReplaceAll(s, esc, "<"+k.placeholder+">")
		}
	}
	return s
}

func (n *Normalizer) text(s string) string {
	s = n.replaceKnown(s)
	s = reJWT.ReplaceAllString(s, "<jwt>")
	s = reUUID.ReplaceAllStringFunc(s, n.uuid)
	s = reTime.ReplaceAllStringFunc(s, func(t string) string {
		if strings.HasPrefix(t, "0001-01-01") {
			return t
		}
		return "<time>"
	})
	s = reByteaHx.ReplaceAllString(s, "<bytea>")
	s = reHex.ReplaceAllStringFunc(s, func(h string) string { return fmt.Sprintf("<hex:%d>", len(h)) })
	s = reUnixMap.ReplaceAllString(s, "$1:<unix>")
	s = reXMLCert.ReplaceAllString(s, "$1<certificate><")
	s = reCursor.ReplaceAllString(s, "cursor=<cursor>")
	s = reSeconds.ReplaceAllString(s, "after <n> seconds")
	s = reGoField.ReplaceAllString(s, "Go struct field <T>.$1")
	s = reGoType.ReplaceAllString(s, "Go value of type <T>")
	s = reSecret.ReplaceAllStringFunc(s, func(m string) string { return fmt.Sprintf("secret=<base32:%d>", len(m)-7) })
	for id, i := range n.uuids {
		if raw, err := hex.DecodeString(strings.ReplaceAll(id, "-", "")); err == nil {
			s = strings.ReplaceAll(s, base64.RawURLEncoding.EncodeToString(raw), fmt.Sprintf("<uuid:%d as base64url>", i))
		}
		s = strings.ReplaceAll(s, base64.RawURLEncoding.EncodeToString([]byte(id)), fmt.Sprintf("<uuid:%d text as base64url>", i))
	}
	return s
}

// unixKeys hold seconds since the epoch in JWT claims and session bodies.
var unixKeys = map[string]bool{"exp": true, "iat": true, "nbf": true, "expires_at": true, "timestamp": true, "auth_time": true, "updated_at": true, "created_at": true, "client_id_issued_at": true}

// urlKeys hold links whose parts are compared one by one.
var urlKeys = map[string]bool{"redirect_url": true, "action_link": true, "url": true}

// remaining rounds a lifetime that lost a second or two to its full value.
func remaining(s string) string {
	if i, err := strconv.Atoi(s); err == nil && i%10 >= 8 {
		return strconv.Itoa(i + 10 - i%10)
	}
	return s
}

// keyed normalises a string by the name of the field it was found in.
func (n *Normalizer) keyed(key, s string) (string, bool) {
	if s == "" {
		return s, false
	}
	switch key {
	case "refresh_token":
		if reB64URL.MatchString(s) && !strings.HasPrefix(s, "fake-") {
			return fmt.Sprintf("<refresh_token:%d>", len(s)), true
		}
	case "expires_in":
		return remaining(s), true
	case "secret":
		return fmt.Sprintf("<secret:%d>", len(s)), true
	case "client_secret":
		return fmt.Sprintf("<client_secret:%d>", len(s)), true
	case "qr_code":
		if i := strings.Index(s, "<svg"); i >= 0 {
			return s[:i] + "<svg…>", true
		}
	case "email_otp", "otp", "token", "phone_otp", "token_new", "code":
		if reDigits.MatchString(s) {
			return fmt.Sprintf("<otp:%d>", len(s)), true
		}
		if key == "code" && len(s) >= 20 && reB64URL.MatchString(s) && !reUUID.MatchString(s) && !strings.HasPrefix(s, "code-") {
			return fmt.Sprintf("<code:%d>", len(s)), true
		}
	case "authorization_id":
		return fmt.Sprintf("<authorization_id:%d>", len(s)), true
	case "challenge":
		if len(s) >= 40 && reB64URL.MatchString(s) {
			return fmt.Sprintf("<challenge:%d>", len(s)), true
		}
	case "code_challenge", "code_verifier":
		if len(s) == 43 && reB64URL.MatchString(s) {
			for _, k := range n.known {
				if k.value == s {
					return "<" + k.placeholder + ">", true
				}
			}
			return fmt.Sprintf("<%s:43>", key), true
		}
	case "error_id", "at_hash":
		return "<" + key + ">", true
	case "SAMLRequest", "SAMLResponse", "Signature", "RelayState":
		return "<" + key + ">", true
	case "X509Certificate":
		return "<certificate>", true
	case "cursor", "next_cursor", "after", "before":
		if len(s) > 20 && reB64URL.MatchString(s) {
			return "<cursor>", true
		}
	}
	return s, false
}

func (n *Normalizer) value(key string, v any) any {
	switch t := v.(type) {
	case map[string]any:
		out := map[string]any{}
		for _, k := range sortedNames(t) {
			out[n.text(k)] = n.value(k, t[k])
		}
		return out
	case []any:
		if key == "aud" && len(t) == 1 { // a single audience may come bare or as a list
			return n.value(key, t[0])
		}
		out := make([]any, len(t))
		for i, e := range t {
			out[i] = n.value(key, e)
		}
		if key == "amr" { // entries of the same second come in any order
			sort.SliceStable(out, func(i, j int) bool { return full(out[i]) < full(out[j]) })
		}
		return out
	case string:
		if m := reJWT.FindString(t); m == t && m != "" {
			if d := n.jwt(t); d != nil {
				return d
			}
		}
		if s, ok := n.keyed(key, t); ok {
			return s
		}
		if urlKeys[key] && strings.Contains(t, "://") && strings.ContainsAny(t, "?#") {
			return n.location(t)
		}
		return n.text(t)
	case json.Number:
		if key == "expires_in" {
			return json.Number(remaining(t.String()))
		}
		for _, k := range n.known {
			if k.value == t.String() {
				return "<" + k.placeholder + "> (number)"
			}
		}
		if unixKeys[key] {
			if i, err := t.Int64(); err == nil && i > 1_000_000_000 {
				return "<unix>"
			}
		}
		return t
	case time.Time:
		return "<time>"
	default:
		return v
	}
}

// jwt decodes a token into its header and claims. exp is shown relative to iat.
func (n *Normalizer) jwt(tok string) any {
	parts := strings.Split(tok, ".")
	dec := func(p string) map[string]any {
		raw, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			return nil
		}
		d := json.NewDecoder(strings.NewReader(string(raw)))
		d.UseNumber()
		var m map[string]any
		if d.Decode(&m) != nil {
			return nil
		}
		return m
	}
	h, c := dec(parts[0]), dec(parts[1])
	if h == nil || c == nil {
		return nil
	}
	iat, iok := c["iat"].(json.Number)
	exp, eok := c["exp"].(json.Number)
	claims := n.value("", c).(map[string]any)
	if iok && eok {
		i, _ := iat.Int64()
		e, _ := exp.Int64()
		claims["exp"] = "<iat+" + strconv.FormatInt(e-i, 10) + ">"
	}
	return map[string]any{"<jwt>": map[string]any{"header": n.value("", h), "claims": claims}}
}

// location splits a redirect target into its parts.
func (n *Normalizer) location(loc string) any {
	u, err := url.Parse(loc)
	if err != nil {
		return n.text(loc)
	}
	out := map[string]any{}
	params := func(raw string) any {
		vals, err := url.ParseQuery(raw)
		if err != nil {
			return n.text(raw)
		}
		m := map[string]any{}
		for k, vs := range vals {
			if len(vs) == 1 {
				m[k] = vs[0]
			} else {
				var l []any
				for _, v := range vs {
					l = append(l, v)
				}
				m[k] = l
			}
		}
		res := n.value("", m).(map[string]any)
		for k := range unixKeys {
			if s, ok := res[k].(string); ok && len(s) >= 10 && reDigits.MatchString(s) {
				res[k] = "<unix>"
			}
		}
		return res
	}
	if u.RawQuery != "" {
		out["query"] = params(u.RawQuery)
	}
	if u.Fragment != "" {
		out["fragment"] = params(u.EscapedFragment())
	}
	u.RawQuery, u.Fragment, u.RawFragment = "", "", ""
	out["url"] = n.text(u.String())
	return out
}

// lookup walks a dotted path; numbers index arrays.
func lookup(v any, path string) (any, bool) {
	if path == "" || path == "." {
		return v, true
	}
	for _, p := range strings.Split(path, ".") {
		switch t := v.(type) {
		case map[string]any:
			x, ok := t[p]
			if !ok {
				return nil, false
			}
			v = x
		case []any:
			i, err := strconv.Atoi(p)
			if err != nil {
				return nil, false
			}
			if i < 0 {
				i += len(t)
			}
			if i < 0 || i >= len(t) {
				return nil, false
			}
			v = t[i]
		default:
			return nil, false
		}
	}
	return v, true
}

// drop replaces the value at a dotted path by "<ignored>"; * matches every key.
func drop(v any, path []string) {
	if len(path) == 0 {
		return
	}
	switch t := v.(type) {
	case map[string]any:
		for k := range t {
			if k == path[0] || path[0] == "*" {
				if len(path) == 1 {
					t[k] = "<ignored>"
				} else {
					drop(t[k], path[1:])
				}
			}
		}
	case []any:
		for i := range t {
			if path[0] == "*" || path[0] == strconv.Itoa(i) {
				if len(path) == 1 {
					t[i] = "<ignored>"
				} else {
					drop(t[i], path[1:])
				}
			}
		}
	}
}
