package apitest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// secrets are the values that a server was told or has told, and that its log
// must not repeat: whatever is secret, and addresses of people.
type secrets struct {
	mu    sync.Mutex
	known map[string]string // where each comes from, for the failure
}

// secretNames are the members and parameters whose values count, wherever they
// stand.
const secretNames = ` password current_password password_hash nonce captcha_token email phone new_email new_phone
	token token_hash hashed_token email_otp action_link access_token refresh_token id_token provider_token
	code codes auth_code code_verifier client_secret client_assertion registration_access_token
	device_code user_code subject_token otp secret uri authorization_id login_hint id_token_hint `

// plainWord is text that cannot be told from the words of a log.
var plainWord = regexp.MustCompile(`^[a-z_-]{1,15}$`)

// minSecret is the length below which a value is too common to be looked for.
const minSecret = 6

// remember adds a value, if it is one that can be recognised.
func (s *secrets) remember(value, where string) {
	value = strings.TrimSpace(value)
	if len(value) < minSecret || plainWord.MatchString(value) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.known == nil {
		s.known = map[string]string{}
	}
	s.known[value] = where
}

// rememberNamed adds a value that stands under a name.
func (s *secrets) rememberNamed(name, value, where string) {
	if slices.Contains(strings.Fields(secretNames), strings.ToLower(name)) {
		s.remember(value, name+" of "+where)
	}
}

// rememberExchange adds what a request and its answer hold.
func (s *secrets) rememberExchange(r *http.Request, sent []byte, answer *Response) {
	where := r.Method + " " + r.URL.Path
	if scheme, credentials, found := strings.Cut(r.Header.Get("Authorization"), " "); found {
		s.remember(credentials, scheme+" credentials of "+where)
	}
	if _, password, ok := r.BasicAuth(); ok {
		s.remember(password, "Basic password of "+where)
	}
	s.rememberQuery(r.URL.RawQuery, where)
	s.rememberBody(sent, where)

	where = "the answer to " + where
	if answer.Status >= http.StatusBadRequest {
		return // an error's code is no secret
	}
	s.rememberBody(answer.Body, where)
	if target, err := url.Parse(answer.Header.Get("Location")); err == nil {
		s.rememberQuery(target.RawQuery, where)
		s.rememberQuery(target.Fragment, where)
	}
}

func (s *secrets) rememberQuery(raw, where string) {
	values, _ := url.ParseQuery(raw) // what is malformed is left out
	for name, each := range values {
		for _, value := range each {
			s.rememberNamed(name, value, where)
		}
	}
}

// rememberBody adds the members of a JSON document, or the parameters of a form.
func (s *secrets) rememberBody(raw []byte, where string) {
	var document any
	if json.Unmarshal(raw, &document) != nil {
		s.rememberQuery(string(raw), where)
		return
	}
	s.rememberValue("", document, where)
}

func (s *secrets) rememberValue(name string, value any, where string) {
	switch value := value.(type) {
	case string:
		s.rememberNamed(name, value, where)
	case []any:
		for _, each := range value {
			s.rememberValue(name, each, where)
		}
	case map[string]any:
		for member, each := range value {
			s.rememberValue(member, each, where)
		}
	}
}

var (
	mailedCode = regexp.MustCompile(`\b\d{6,10}\b`)
	mailedHash = regexp.MustCompile(`[?&;]token=([^&"]+)`)
)

// rememberLetter adds the codes and links of a mail.
func (s *secrets) rememberLetter(letter Letter) {
	const where = "a mail"
	s.remember(letter.To, "the recipient of "+where)
	for _, code := range mailedCode.FindAllString(letter.Subject+" "+letter.Body, -1) {
		s.remember(code, "a code in "+where)
	}
	for _, link := range mailedHash.FindAllStringSubmatch(letter.Body, -1) {
		s.remember(link[1], "a link in "+where)
	}
}

// leaks says which of the values a log repeats, and where each comes from.
func (s *secrets) leaks(log *Log) []string {
	said := log.said()
	s.mu.Lock()
	defer s.mu.Unlock()
	var leaks []string
	for value, where := range s.known {
		if repeats(said, value) || repeats(said, url.QueryEscape(value)) {
			leaks = append(leaks, where+": "+value)
		}
	}
	return leaks
}

// repeats looks for a value, as a word of its own when it is short: a code of
// six digits is also part of many a number.
func repeats(said, value string) bool {
	const short = 12
	for rest := said; ; {
		at := strings.Index(rest, value)
		if at < 0 {
			return false
		}
		end := at + len(value)
		if len(value) > short || (at == 0 || !alphanumeric(rest[at-1])) && (end == len(rest) || !alphanumeric(rest[end])) {
			return true
		}
		rest = rest[end:]
	}
}

func alphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
