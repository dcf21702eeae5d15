package conf

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// check looks at every hook with a URI, also at disabled ones.
func (h Hook) check(r *report) {
	for _, hook := range h.points() {
		if hook.point.URI == "" {
			continue
		}
		if err := checkHookURI(hook.point.URI); err != nil {
			r.problem(hook.prefix+"_URI", "%v", err)
		}
		if !strings.HasPrefix(hook.point.URI, "pg-functions:") {
			checkHookSecrets(r, hook.prefix+"_SECRETS", hook.point.Secrets)
		}
	}
}

// checkHookURI does not repeat the URI: it may hold credentials.
func checkHookURI(text string) error {
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("not a valid URI")
	}
	switch u.Scheme {
	case "pg-functions":
		return checkHookFunction(u.Path)
	case "https":
		return nil
	case "http":
		local := []string{"localhost", "127.0.0.1", "::1", "host.docker.internal"}
		if !slices.Contains(local, u.Hostname()) {
			return errors.New("only localhost, 127.0.0.1, and ::1 are supported with http")
		}
		return nil
	}
	return errors.New("only postgres hooks and HTTPS functions are supported at the moment")
}

// checkHookFunction checks /schema/function; both become part of a statement.
func checkHookFunction(path string) error {
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		return errors.New("URI path does not contain enough parts")
	}
	name := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_]{0,62}$`)
	if !name.MatchString(parts[1]) {
		return fmt.Errorf("invalid schema name: %s", parts[1])
	}
	if !name.MatchString(parts[2]) {
		return fmt.Errorf("invalid table name: %s", parts[2])
	}
	return nil
}

// checkHookSecrets accepts both forms of Standard Webhooks, although only the
// symmetric one works.
func checkHookSecrets(r *report, variable string, secrets []string) {
	symmetric := regexp.MustCompile(`^v1,whsec_[A-Za-z0-9+/=]{32,88}$`)
	asymmetric := regexp.MustCompile(`^v1a,whpk_[A-Za-z0-9+/=]{44,}:whsk_[A-Za-z0-9+/=]{44,}$`)
	for _, secret := range secrets {
		switch {
		case symmetric.MatchString(secret):
		case asymmetric.MatchString(secret):
			r.warn(variable, "asymmetric secrets (v1a) are accepted, but every call with one fails")
		default:
			r.problem(variable, "invalid secret format")
			return
		}
	}
}
