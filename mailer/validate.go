package mailer

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/truegrant/truegrant/conf"
)

// validateTimeout limits the questions about one address, all together.
const validateTimeout = 3 * time.Second

// ErrInvalidAddress says that mail to an address can reach nobody. GoTrue
// answers it with email_address_invalid.
var ErrInvalidAddress = errors.New("mail to this address can reach nobody")

// ErrBlockedMX says that the configuration refuses the host that takes mail for
// an address. GoTrue treats it as a mail that could not be sent.
var ErrBlockedMX = errors.New("the mail host of this address is blocked")

// A Resolver asks the DNS; [net.Resolver] is one. Names end in a dot.
type Resolver interface {
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupHost(ctx context.Context, name string) ([]string, error)
}

// A Validator refuses addresses that cannot work before mail is sent to them.
// It is safe for concurrent use.
type Validator struct {
	extended bool
	blocked  []string
	service  *validationService // nil without one
	resolver Resolver
	timeout  time.Duration
}

// NewValidator makes what the configuration asks for, which may be a validator
// that takes every address. A nil resolver means the system's; the validation
// service is the operator's and reached through transport, nil meaning one that
// honours HTTPS_PROXY.
func NewValidator(c conf.Mailer, resolver Resolver, transport http.RoundTripper) *Validator {
	v := &Validator{
		extended: c.EmailValidationExtended,
		service:  newValidationService(c.EmailValidationServiceURL, c.EmailValidationServiceHeaders, transport),
		resolver: resolver,
		timeout:  validateTimeout,
	}
	for _, host := range c.EmailValidationBlockedMX {
		v.blocked = append(v.blocked, bareHost(host))
	}
	if v.resolver == nil {
		v.resolver = new(net.Resolver)
	}
	return v
}

// Validate returns [ErrInvalidAddress] or [ErrBlockedMX] for an address that is
// certain not to work, and nil for all others: also when DNS or service do not
// answer within three seconds. The errors do not contain the address.
func (v *Validator) Validate(ctx context.Context, address string) error {
	if !v.extended && v.service == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()

	host := ""
	if v.extended {
		var ok bool
		if host, ok = plausible(address); !ok {
			return ErrInvalidAddress
		}
	}
	serviceRefuses := make(chan bool, 1)
	go func() { serviceRefuses <- v.service.refuses(ctx, address) }()
	if v.extended && !slices.Contains(wellKnownHosts(), host) {
		if err := v.checkHost(ctx, host); err != nil {
			return err
		}
	}
	if <-serviceRefuses {
		return ErrInvalidAddress
	}
	return nil
}

// checkHost refuses a host that the DNS says takes no mail (RFC 5321 §5.1, RFC
// 7505 §3), and one whose mail goes to a blocked host.
func (v *Validator) checkHost(ctx context.Context, host string) error {
	records, err := v.resolver.LookupMX(ctx, host+".")
	var takers []string
	switch {
	case len(records) == 1 && records[0].Host == ".":
		return ErrInvalidAddress
	case len(records) > 0: // also beside an error, if only some are malformed
		for _, mx := range records {
			takers = append(takers, mx.Host)
		}
	case err != nil && !isNotFound(err):
		return nil
	default: // without MX records the host itself takes the mail
		addresses, err := v.resolver.LookupHost(ctx, host+".")
		if isNotFound(err) {
			return ErrInvalidAddress
		}
		takers = append(addresses, host)
	}
	for _, taker := range takers {
		if slices.Contains(v.blocked, bareHost(taker)) {
			return ErrBlockedMX
		}
	}
	return nil
}

// isNotFound: an authority said that there is no such record.
func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound && !dns.IsTimeout && !dns.IsTemporary
}

// bareHost makes names comparable.
func bareHost(name string) string {
	return strings.ToLower(strings.TrimSuffix(strings.TrimSpace(name), "."))
}

// plausible returns the host of an address, false if no person reads its mail:
// it is not a bare address (RFC 5322 §3.4.1), reserved for examples (RFC 2606)
// or misspelt.
func plausible(address string) (host string, ok bool) {
	parsed, err := mail.ParseAddress(address)
	if err != nil || parsed.Name != "" || parsed.Address != address {
		return "", false
	}
	address = strings.ToLower(address)
	at := strings.LastIndexByte(address, '@')
	local, host := address[:at], address[at+1:]
	switch {
	case slices.Contains(placeholderAddresses(), address),
		slices.Contains(deadHosts(), host),
		slices.ContainsFunc(deadSuffixes(), func(suffix string) bool { return strings.HasSuffix(host, suffix) }),
		!strings.Contains(host, "."),
		host == "gmail.com" && len(local) < gmailMinLocal:
		return "", false
	}
	return host, true
}
