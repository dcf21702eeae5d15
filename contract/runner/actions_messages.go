package main

import (
	"fmt"
	"html"
	"net/url"
	"regexp"
	"strings"
	"time"
)

var (
	reLink = regexp.MustCompile(`https?://[^\s"'<>]*/verify\?[^\s"'<>]+`)
	reOTP  = regexp.MustCompile(`\b\d{6}\b`)
	reTok  = regexp.MustCompile(`Token=(\d{6,10})\b`)
	reHash = regexp.MustCompile(`TokenHash=([a-z0-9_]+)`)
)

// actMail takes the next mail to an address and sets AS_otp, AS_token, AS_link, AS_hash.
func (r *run) actMail(st *Step) (any, error) {
	a := r.args(st)
	m, ok := r.lab.fakes.takeMail(str(a, "to"), duration(a["timeout"], 5*time.Second))
	if !ok {
		return nil, fmt.Errorf("no mail for %s", st.Args)
	}
	p := str(a, "as")
	if p == "" {
		p = "mail"
	}
	body := html.UnescapeString(m.Body)
	otp := ""
	if x := reTok.FindStringSubmatch(body); x != nil {
		otp = x[1]
	} else {
		otp = reOTP.FindString(m.Subject + " " + body)
	}
	if otp != "" {
		r.setVar(p+"_otp", otp)
	}
	if x := reHash.FindStringSubmatch(body); x != nil {
		r.setVar(p+"_hash", x[1])
	}
	obs := map[string]any{"mail": st.Args, "from": m.Headers.Get("From"), "to": m.Headers.Get("To"), "subject": m.Subject}
	for h, v := range m.Headers {
		if strings.HasPrefix(h, "X-") {
			obs["header "+h] = strings.Join(v, ", ")
		}
	}
	if link := reLink.FindString(body); link != "" {
		r.vars[p+"_link"] = link
		if u, err := url.Parse(link); err == nil {
			r.setVar(p+"_token", u.Query().Get("token"))
			r.vars[p+"_type"] = u.Query().Get("type")
		}
		obs["link"] = r.n.location(link)
		body = strings.ReplaceAll(body, link, "<link>")
	}
	if st.Setup {
		return nil, nil
	}
	obs["body"] = body
	return r.n.value("", obs), nil
}

// actNomail observes that no mail arrives.
func (r *run) actNomail(st *Step) (any, error) {
	a := r.args(st)
	if _, ok := r.lab.fakes.takeMail(str(a, "to"), duration(a["timeout"], 400*time.Millisecond)); ok {
		return map[string]any{"nomail": st.Args, "mail": "arrived"}, nil
	}
	return map[string]any{"nomail": st.Args, "mail": "none"}, nil
}

// actSms takes the next text message, from the hook or the gateway.
func (r *run) actSms(st *Step) (any, error) {
	a := r.args(st)
	p := str(a, "as")
	if p == "" {
		p = "sms"
	}
	if str(a, "via") == "net" {
		n, ok := r.lab.fakes.takeNet(str(a, "to"), 5*time.Second)
		if !ok {
			return nil, fmt.Errorf("no SMS request for %v", st.Args)
		}
		text, _ := url.QueryUnescape(n.Raw)
		if otp := reOTP.FindString(strings.ReplaceAll(text, str(a, "to"), "")); otp != "" {
			r.setVar(p+"_otp", otp)
		}
		if st.Setup {
			return nil, nil
		}
		form := map[string]any{}
		for k := range n.Form {
			form[k] = n.Form.Get(k)
		}
		return map[string]any{"sms": st.Args, "host": n.Host, "path": n.Path, "form": r.n.value("", form)}, nil
	}
	h, ok := r.lab.fakes.takeHook("send-sms", str(a, "to"), 5*time.Second)
	if !ok {
		return nil, fmt.Errorf("no SMS for %v", st.Args)
	}
	if otp, ok := lookup(h.Body, "sms.otp"); ok {
		r.setVar(p+"_otp", otp)
	}
	if st.Setup {
		return nil, nil
	}
	sms, _ := lookup(h.Body, "sms")
	return map[string]any{"sms": st.Args, "signature": h.Sig, "payload": r.n.value("", sms)}, nil
}

// actHook sets how a hook answers.
func (r *run) actHook(st *Step) (any, error) {
	a := r.args(st)
	rule := &hookRule{Name: str(a, "name"), Match: str(a, "match"), Body: a["body"]}
	if rule.Match == "" {
		return nil, fmt.Errorf("hook needs a match")
	}
	rule.Status, _ = a["status"].(int)
	rule.Times, _ = a["times"].(int)
	rule.Headers, _ = a["headers"].(map[string]any)
	rule.Set, _ = a["set"].(map[string]any)
	rule.Del, _ = a["del"].([]any)
	rule.Delay = duration(a["delay"], 0)
	if s, ok := a["raw"].(string); ok {
		rule.RawBody = &s
	}
	f := r.lab.fakes
	f.mu.Lock()
	f.rules = append(f.rules, rule)
	f.mu.Unlock()
	return nil, nil
}

// actHooklog takes the next call of a hook.
func (r *run) actHooklog(st *Step) (any, error) {
	a := r.args(st)
	h, ok := r.lab.fakes.takeHook(str(a, "name"), str(a, "match"), duration(a["timeout"], 3*time.Second))
	if !ok {
		return map[string]any{"hooklog": st.Args, "call": "none"}, nil
	}
	if m, ok := st.Opt["save"].(map[string]any); ok {
		for k, p := range m {
			v, ok := lookup(h.Body, toString(p))
			if !ok {
				return nil, fmt.Errorf("hook capture %s: no %v", k, p)
			}
			r.setVar(k, v)
		}
	}
	if list, ok := st.Opt["ignore"].([]any); ok {
		for _, p := range list {
			drop(h.Body, strings.Split(toString(p), "."))
		}
	}
	drop(h.Body, []string{"metadata", "ip_address"})
	return map[string]any{"hooklog": st.Args, "signature": h.Sig, "payload": r.n.value("", h.Body)}, nil
}

// actNetlog takes the next request to a public host.
func (r *run) actNetlog(st *Step) (any, error) {
	a := r.args(st)
	n, ok := r.lab.fakes.takeNet(str(a, "match"), 3*time.Second)
	if !ok {
		return map[string]any{"netlog": st.Args, "call": "none"}, nil
	}
	form := map[string]any{}
	for k := range n.Form {
		form[k] = n.Form.Get(k)
	}
	delete(form, "remoteip")
	return map[string]any{"netlog": st.Args, "host": n.Host, "method": n.Method, "path": n.Path, "form": r.n.value("", form)}, nil
}
