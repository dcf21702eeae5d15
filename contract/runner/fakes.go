package main

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Fakes are the loopback counterparts of the server under test: a mail sink,
// a hook receiver, OAuth/OIDC providers, SMS gateways and captcha verifiers.
type Fakes struct {
	mu       sync.Mutex
	base     string
	mails    []Mail
	rules    []*hookRule
	hooks    []hookCall
	docs     map[string]*idpGrant // by authorization code
	idpCalls []idpCall
	net      []netCall // intercepted outbound requests
	signer   *Signer
}

type netCall struct {
	Host, Method, Path, Raw string
	Form                    url.Values
	taken                   bool
}

const hookSecretB64 = "Y29udHJhY3QtaG9vay1zZWNyZXQtMzItYnl0ZXMhISE="

func newFakes(s *Signer) *Fakes { return &Fakes{docs: map[string]*idpGrant{}, signer: s} }

func (f *Fakes) listen(httpAddr, smtpAddr string) error {
	hl, err := net.Listen("tcp", httpAddr)
	if err != nil {
		return err
	}
	f.base = "http://" + hl.Addr().String()
	go http.Serve(hl, http.HandlerFunc(f.serveHTTP))
	sl, err := net.Listen("tcp", smtpAddr)
	if err != nil {
		return err
	}
	go func() {
		for {
			c, err := sl.Accept()
			if err != nil {
				return
			}
			go f.smtpSession(c)
		}
	}()
	return nil
}

// ---- HTTP ----

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func (f *Fakes) serveHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/hook/"):
		f.serveHook(w, r, strings.TrimPrefix(r.URL.Path, "/hook/"))
	case strings.HasPrefix(r.URL.Path, "/template/"):
		f.serveTemplate(w, strings.TrimPrefix(r.URL.Path, "/template/"))
	default:
		f.serveIDP(w, r, f.base)
	}
}

func (f *Fakes) serveTemplate(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprintf(w, "<p>template=%s</p>\n", name)
	for _, v := range []string{"SiteURL", "ConfirmationURL", "Email", "NewEmail", "SendingTo", "Token", "TokenHash", "RedirectTo", "Data", "OldEmail", "Phone", "OldPhone", "Provider", "FactorType"} {
		fmt.Fprintf(w, "<p>%s={{ .%s }}</p>\n", v, v)
	}
}

// serveOutbound answers intercepted HTTPS requests to well-known hosts.
func (f *Fakes) serveOutbound(w http.ResponseWriter, r *http.Request) {
	raw, _ := io.ReadAll(r.Body)
	form, _ := url.ParseQuery(string(raw))
	f.mu.Lock()
	f.net = append(f.net, netCall{Host: r.Host, Method: r.Method, Path: r.URL.Path, Raw: string(raw), Form: form})
	f.mu.Unlock()
	host := strings.TrimSuffix(r.Host, ":443")
	switch {
	case strings.HasSuffix(r.URL.Path, "/siteverify"):
		if tok := form.Get("response"); strings.HasPrefix(tok, "good") {
			writeJSON(w, 200, map[string]any{"success": true, "hostname": "contract.test"})
		} else if strings.HasPrefix(tok, "garbage") {
			w.WriteHeader(500)
			_, _ = io.WriteString(w, "<html>oops</html>")
		} else {
			writeJSON(w, 200, map[string]any{"success": false, "error-codes": []string{"invalid-input-response", "other-code"}})
		}
	case host == "api.pwnedpasswords.com":
		sum := fmt.Sprintf("%X", sha1.Sum([]byte("leaked-password-1A")))
		fmt.Fprintf(w, "%s:1\r\n", strings.Repeat("0", 35))
		if strings.HasSuffix(r.URL.Path, sum[:5]) {
			fmt.Fprintf(w, "%s:42\r\n", sum[5:])
		}
	case strings.HasSuffix(r.URL.Path, "/saml-metadata"):
		w.Header().Set("Content-Type", "application/xml")
		_, _ = io.WriteString(w, samlMetadata("https://"+host+strings.TrimSuffix(r.URL.Path, "/saml-metadata")))
	case host == "api.twilio.com":
		to := form.Get("To")
		if strings.HasSuffix(to, "0000") {
			writeJSON(w, 400, map[string]any{"code": 21211, "message": "Invalid 'To' Phone Number", "more_info": "https://www.twilio.com/docs/errors/21211", "status": 400})
			return
		}
		writeJSON(w, 201, map[string]any{"sid": "SMfake", "status": "queued", "body": form.Get("Body"), "to": to, "from": form.Get("From"), "error_code": nil, "error_message": nil})
	case host == "verify.twilio.com":
		if strings.HasSuffix(r.URL.Path, "VerificationCheck") {
			st := "pending"
			if form.Get("Code") == "123456" {
				st = "approved"
			}
			writeJSON(w, 200, map[string]any{"sid": "VEfake", "status": st, "to": form.Get("To"), "valid": st == "approved", "channel": "sms"})
			return
		}
		writeJSON(w, 201, map[string]any{"sid": "VEfake", "status": "pending", "to": form.Get("To"), "channel": form.Get("Channel")})
	case host == "rest.nexmo.com":
		writeJSON(w, 200, map[string]any{"messages": []any{map[string]any{"message-id": "fake", "status": "0", "to": form.Get("to")}}})
	case host == "rest.messagebird.com":
		writeJSON(w, 201, map[string]any{"id": "fake", "type": "sms", "recipients": map[string]any{"totalSentCount": 1}})
	case host == "api.textlocal.in":
		writeJSON(w, 200, map[string]any{"status": "success", "messages": []any{map[string]any{"id": "fake"}}})
	default:
		r.Body = io.NopCloser(strings.NewReader(string(raw)))
		f.serveIDP(w, r, "https://"+host)
	}
}

// ---- SMTP ----

// ---- access for scenario steps ----

func waitFor(timeout time.Duration, try func() bool) bool {
	deadline := time.Now().Add(timeout)
	for {
		if try() {
			return true
		}
		if time.Now().After(deadline) {
			return false
		}
		time.Sleep(15 * time.Millisecond)
	}
}

func (f *Fakes) takeNet(match string, timeout time.Duration) (netCall, bool) {
	var got netCall
	ok := waitFor(timeout, func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		for i := range f.net {
			n := &f.net[i]
			if !n.taken && (strings.Contains(n.Raw, match) || strings.Contains(n.Raw, url.QueryEscape(match))) {
				n.taken = true
				got = *n
				return true
			}
		}
		return false
	})
	return got, ok
}

func decodeJSON(raw []byte) any {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil
	}
	return v
}
