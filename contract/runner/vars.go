package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var reVar = regexp.MustCompile(`\{\{\s*([^{}]+?)\s*\}\}`)

// eval computes one {{expression}}.
func (r *run) eval(expr string) any {
	if v, ok := r.vars[expr]; ok {
		return v
	}
	str := func(name string) string {
		if v, ok := r.vars[name]; ok {
			return toString(v)
		}
		return name
	}
	for _, p := range []string{"now", "iso"} {
		if expr == p || strings.HasPrefix(expr, p+"+") || strings.HasPrefix(expr, p+"-") {
			off := 0
			if len(expr) > len(p) {
				off, _ = strconv.Atoi(expr[len(p):])
			}
			t := time.Now().Add(time.Duration(off) * time.Second)
			if p == "now" {
				return json.Number(strconv.FormatInt(t.Unix(), 10))
			}
			return t.UTC().Format(time.RFC3339)
		}
	}
	fn, arg, ok := strings.Cut(expr, ":")
	if !ok {
		panic(stepError{fmt.Sprintf("unknown variable {{%s}}", expr)})
	}
	switch fn {
	case "basic":
		a, b, _ := strings.Cut(arg, ":")
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(str(a)+":"+str(b)))
	case "s256":
		sum := sha256.Sum256([]byte(str(arg)))
		return b64u.EncodeToString(sum[:])
	case "sha256hex":
		return fmt.Sprintf("%x", sha256.Sum256([]byte(str(arg))))
	case "b64":
		return base64.StdEncoding.EncodeToString([]byte(str(arg)))
	case "upper":
		return strings.ToUpper(str(arg))
	case "title":
		s := str(arg)
		return strings.ToUpper(s[:1]) + s[1:]
	case "urlq":
		return url.QueryEscape(str(arg))
	case "drop1":
		s := str(arg)
		return s[:len(s)-1]
	case "flip":
		// change the last character, keeping the alphabet
		s := str(arg)
		c := byte('a')
		if s[len(s)-1] == 'a' {
			c = 'b'
		}
		if s[len(s)-1] >= '0' && s[len(s)-1] <= '9' {
			c = '0' + (s[len(s)-1]-'0'+1)%10
		}
		return s[:len(s)-1] + string(c)
	case "flipmid":
		s := str(arg)
		i := len(s) / 2
		c := "a"
		if s[i] == 'a' {
			c = "b"
		}
		return s[:i] + c + s[i+1:]
	case "repeat":
		a, n, _ := strings.Cut(arg, ":")
		c, _ := strconv.Atoi(n)
		return strings.Repeat(str(a), c)
	case "after":
		// part of a variable after the last occurrence of a separator: after:name:sep
		a, sep, _ := strings.Cut(arg, ":")
		s := str(a)
		return s[strings.LastIndex(s, sep)+len(sep):]
	case "jwtsplice":
		// header.payload of the token with a broken signature
		s := str(arg)
		return s[:strings.LastIndex(s, ".")] + ".AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	case "hex":
		raw := []byte{}
		for _, h := range strings.Fields(arg) {
			b, _ := strconv.ParseUint(h, 16, 8)
			raw = append(raw, byte(b))
		}
		return string(raw)
	}
	panic(stepError{fmt.Sprintf("unknown variable {{%s}}", expr)})
}

func toString(v any) string {
	switch t := v.(type) {
	case string:
		return t
	case json.Number:
		return t.String()
	case nil:
		return ""
	case map[string]any, []any:
		b, _ := json.Marshal(t)
		return string(b)
	default:
		return fmt.Sprint(v)
	}
}

// sub substitutes variables; a string that is exactly one {{x}} keeps x's type.
func (r *run) sub(v any) any {
	switch t := v.(type) {
	case string:
		if m := reVar.FindStringSubmatch(t); m != nil && m[0] == t {
			return r.eval(m[1])
		}
		return reVar.ReplaceAllStringFunc(t, func(s string) string {
			return toString(r.eval(reVar.FindStringSubmatch(s)[1]))
		})
	case map[string]any:
		out := map[string]any{}
		for k, x := range t {
			out[r.str(k)] = r.sub(x)
		}
		return out
	case []any:
		out := make([]any, len(t))
		for i, x := range t {
			out[i] = r.sub(x)
		}
		return out
	default:
		return v
	}
}

func (r *run) str(s string) string { return toString(r.sub(s)) }

var reSecretish = regexp.MustCompile(`^[A-Za-z0-9_\-=+/.]{12,}$`)

func (r *run) setVar(name string, v any) {
	r.vars[name] = v
	s, ok := v.(string)
	if !ok {
		return
	}
	switch {
	case reUUID.FindString(s) == s && s != "" && s != zeroUUID:
		r.n.know(s, name)
		r.n.know(b64u.EncodeToString([]byte(s)), name+" as base64url")
	case reJWT.MatchString(s):
	case reDigits.MatchString(s):
		r.n.know(s, name)
	case reSecretish.MatchString(s) && strings.ContainsAny(s, "0123456789"):
		r.n.know(s, name)
	}
}

func (r *run) capture(src string) (any, error) {
	switch {
	case strings.HasPrefix(src, "="):
		return r.sub(src[1:]), nil
	case src == "location":
		if r.last.loc == nil {
			return nil, fmt.Errorf("no redirect")
		}
		return r.last.loc.String(), nil
	case strings.HasPrefix(src, "?"), strings.HasPrefix(src, "#"):
		if r.last.loc == nil {
			return nil, fmt.Errorf("no redirect")
		}
		q := r.last.loc.Query()
		if src[0] == '#' {
			q, _ = url.ParseQuery(r.last.loc.EscapedFragment())
		}
		if !q.Has(src[1:]) {
			return nil, fmt.Errorf("not in %s", r.last.loc)
		}
		return q.Get(src[1:]), nil
	case strings.HasPrefix(src, "header:"):
		return r.last.header.Get(src[7:]), nil
	case strings.HasPrefix(src, "jwt:"):
		name, path, _ := strings.Cut(src[4:], ".")
		tok, ok := r.vars[name]
		if !ok {
			if tok, ok = lookup(r.last.body, name); !ok {
				return nil, fmt.Errorf("no such token")
			}
		}
		parts := strings.Split(toString(tok), ".")
		if len(parts) != 3 {
			return nil, fmt.Errorf("not a JWT")
		}
		raw, err := b64u.DecodeString(parts[1])
		if err != nil {
			return nil, err
		}
		v, ok := lookup(decodeJSON(raw), path)
		if !ok {
			return nil, fmt.Errorf("no such claim")
		}
		return v, nil
	}
	path, param, isURL := strings.Cut(src, "?")
	v, ok := lookup(r.last.body, path)
	if ok && isURL {
		u, err := url.Parse(toString(v))
		if err != nil || !u.Query().Has(param) {
			return nil, fmt.Errorf("not in URL %v", v)
		}
		return u.Query().Get(param), nil
	}
	if !ok {
		return nil, fmt.Errorf("not in body %s", show(r.last.body))
	}
	return v, nil
}
