package main

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

func (r *run) normBody(st *Step, resp *http.Response, raw []byte) any {
	if len(raw) == 0 {
		return nil
	}
	mt, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if v := decodeJSON(raw); v != nil && (strings.Contains(mt, "json") || raw[0] == '{' || raw[0] == '[') {
		if list, ok := st.Opt["unordered"].([]any); ok {
			for _, p := range list {
				sortAt(v, toString(p))
			}
		}
		if list, ok := st.Opt["ignore"].([]any); ok {
			for _, p := range list {
				drop(v, strings.Split(toString(p), "."))
			}
		}
		if list, ok := st.Opt["pick"].([]any); ok {
			picked := map[string]any{}
			for _, p := range list {
				if x, ok := lookup(v, toString(p)); ok {
					picked[toString(p)] = r.n.value(lastPart(toString(p)), x)
				} else {
					picked[toString(p)] = "(absent)"
				}
			}
			return picked
		}
		return r.n.value("", v)
	}
	s := string(raw)
	if len(s) > 4000 {
		s = s[:4000] + "…"
	}
	return r.n.text(s)
}

func lastPart(p string) string { return p[strings.LastIndex(p, ".")+1:] }

// sortAt sorts the array at path by a stable rendering without random parts.
func sortAt(v any, path string) {
	x, ok := lookup(v, path)
	if !ok {
		return
	}
	list, ok := x.([]any)
	if !ok {
		return
	}
	key := func(e any) string {
		s := full(e)
		s = reUUID.ReplaceAllString(s, "")
		s = reTime.ReplaceAllString(s, "")
		return s
	}
	for i := range list {
		for j := i; j > 0 && key(list[j]) < key(list[j-1]); j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

func (r *run) remember(resp *http.Response, raw []byte) {
	r.last.body = decodeJSON(raw)
	r.last.header = resp.Header
	r.last.loc, _ = url.Parse(resp.Header.Get("Location"))
}

// save stores captures: "a.b" JSON path, "?x" redirect query, "#x" redirect
// fragment, "a.b?x" query of a URL in the body, "header:X", "jwt:<var or path>.claim", "location", "=literal".
func (r *run) save(st *Step) error {
	m, ok := st.Opt["save"].(map[string]any)
	if !ok {
		return nil
	}
	for _, name := range sortedNames(m) {
		src := toString(m[name])
		v, err := r.capture(src)
		if err != nil {
			return fmt.Errorf("capture %s from %q: %w", name, src, err)
		}
		r.setVar(name, v)
	}
	return nil
}

func trimAddr(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
