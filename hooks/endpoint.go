package hooks

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// endpoint is a parsed target: a function, an HTTP address, or neither.
type endpoint struct {
	uri string // as configured

	schema   string
	function string

	address    string
	signers    []*standardwebhooks.Webhook
	unsignable bool // a secret is of the asymmetric kind
}

// parseTarget reads a target's URI and secrets. Its errors name neither, since
// an address may carry a key in its query.
func parseTarget(t Target) (endpoint, error) {
	e := endpoint{uri: t.URI}
	if t.URI == "" {
		return e, nil
	}
	u, err := url.Parse(t.URI)
	if err != nil {
		return endpoint{}, errors.New("URI is malformed")
	}
	switch {
	case u.Scheme == "pg-functions":
		err = e.parseFunction(u.Path)
		return e, err
	case u.Scheme == "https" && u.Host != "", u.Scheme == "http" && localHost(u.Hostname()):
		e.address = t.URI
		err = e.parseSecrets(t.Secrets) // functions have no use for them
		return e, err
	case u.Scheme == "http":
		return endpoint{}, errors.New("only localhost, 127.0.0.1, and ::1 are supported with http")
	}
	return endpoint{}, errors.New("only postgres hooks and HTTPS functions are supported at the moment")
}

// localHost reports whether plain HTTP may be used: the address is this
// machine, as seen from it or from a container on it.
func localHost(host string) bool {
	switch host {
	case "localhost", "127.0.0.1", "::1", "host.docker.internal":
		return true
	}
	return false
}

// parseFunction reads "/schema/function".
func (e *endpoint) parseFunction(path string) error {
	parts := strings.Split(path, "/")
	if len(parts) < 3 {
		return errors.New("URI path does not contain enough parts")
	}
	if !identifier(parts[1]) {
		return fmt.Errorf("invalid schema name: %s", parts[1])
	}
	if !identifier(parts[2]) {
		return fmt.Errorf("invalid table name: %s", parts[2]) // GoTrue's wording
	}
	e.schema, e.function = parts[1], parts[2]
	return nil
}

// identifier reports whether s matches ^[a-zA-Z_][a-zA-Z0-9_]{0,62}$.
func identifier(s string) bool {
	if s == "" || len(s) > 63 {
		return false
	}
	for i, c := range []byte(s) {
		letter := c == '_' || 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}

// parseSecrets reads the signing secrets. The asymmetric kind, v1a, is accepted
// like GoTrue accepts it: calls fail, the start does not.
func (e *endpoint) parseSecrets(secrets []string) error {
	for _, secret := range secrets {
		if strings.HasPrefix(secret, "v1a,whpk_") {
			e.unsignable = true
			continue
		}
		encoded, ok := strings.CutPrefix(secret, "v1,whsec_")
		if !ok {
			return errors.New("invalid secret format")
		}
		// Padding is a matter of who wrote the secret down.
		key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
		if err != nil || len(key) == 0 {
			return errors.New("invalid secret format")
		}
		signer, err := standardwebhooks.NewWebhookRaw(key)
		if err != nil {
			return errors.New("invalid secret format")
		}
		e.signers = append(e.signers, signer)
	}
	return nil
}
