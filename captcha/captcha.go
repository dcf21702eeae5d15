package captcha

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/observability"
)

const (
	// maxAnswer bounds the header and the body of an answer, each in bytes.
	maxAnswer = 64 << 10
	// maxCodes and maxCode bound what of it is repeated to the caller.
	maxCodes = 10
	maxCode  = 100 // bytes
)

// ErrMissing says that there is no token. GoTrue answers it with "captcha
// protection: request disallowed (no captcha_token found)".
var ErrMissing = errors.New("no captcha_token found")

// ErrUnavailable is in the chain of every error that leaves open whether the
// token is good. GoTrue answers it with "captcha verification process failed".
var ErrUnavailable = errors.New("captcha verification process failed")

// Refused says that the provider does not take the token for a proof.
type Refused struct {
	// Codes are the provider's reasons, such as "invalid-input-response"; there
	// may be none. GoTrue shows them to the caller, joined by ", ".
	Codes []string
}

// Error lists the codes.
func (r *Refused) Error() string {
	return "captcha refused (" + strings.Join(r.Codes, ", ") + ")"
}

// A Verifier asks one provider about tokens. It is safe for concurrent use.
type Verifier struct {
	client   *http.Client
	endpoint string
	secret   string
	timeout  time.Duration
}

// New makes a verifier, whether or not the configuration enables it. A nil
// client means one that honours HTTPS_PROXY; redirects are not followed. It is an error if the provider is
// unknown or there is no secret or time limit.
func New(c conf.Captcha, client *http.Client) (*Verifier, error) {
	v := &Verifier{client: newClient(client), secret: strings.TrimSpace(c.Secret), timeout: c.Timeout}
	switch c.Provider {
	case "hcaptcha":
		v.endpoint = "https://hcaptcha.com/siteverify"
	case "turnstile":
		v.endpoint = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
	default:
		return nil, fmt.Errorf("captcha: provider %q is not supported", c.Provider)
	}
	if v.secret == "" {
		return nil, errors.New("captcha: the secret is missing")
	}
	if v.timeout <= 0 {
		return nil, errors.New("captcha: the timeout is missing")
	}
	return v, nil
}

// newClient is a copy of given, or of a default, that follows no redirect: the
// secret goes to the provider only.
func newClient(given *http.Client) *http.Client {
	var client http.Client
	if given != nil {
		client = *given
	} else {
		client.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    32, // each sign-up and login asks
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: maxAnswer,
		}
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &client
}

// Verify returns nil if the provider says that token is good and was solved by
// remoteIP, which may be empty. Other outcomes are [ErrMissing], a [*Refused],
// and errors that wrap [ErrUnavailable]. A token is good once: the providers
// refuse it the second time.
func (v *Verifier) Verify(ctx context.Context, token, remoteIP string) error {
	if token = strings.TrimSpace(token); token == "" {
		return ErrMissing
	}
	form := url.Values{"secret": {v.secret}, "response": {token}}
	if remoteIP != "" {
		form.Set("remoteip", remoteIP)
	}
	ctx, done := observability.Call(ctx, "captcha", "verify")
	said, err := v.ask(ctx, form)
	done(err)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case !*said.Success:
		return &Refused{Codes: presentable(said.Codes)}
	}
	return nil
}

// answer is what both providers say.
type answer struct {
	Success *bool    `json:"success"`
	Codes   []string `json:"error-codes"`
}

// ask posts the form. Success of the answer is not nil.
func (v *Verifier) ask(ctx context.Context, form url.Values) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, v.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := v.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	if len(body) > maxAnswer {
		return answer{}, fmt.Errorf("answer is larger than %d bytes", maxAnswer)
	}
	// A refusal may come with a status that says so.
	var said answer
	if json.Unmarshal(body, &said) != nil || said.Success == nil {
		return answer{}, fmt.Errorf("answer with status %d is not a verdict", resp.StatusCode)
	}
	if *said.Success && resp.StatusCode != http.StatusOK {
		return answer{}, fmt.Errorf("success with status %d", resp.StatusCode)
	}
	return said, nil
}

// presentable bounds codes and frees them of control characters.
func presentable(codes []string) []string {
	var all []string
	for _, code := range codes[:min(len(codes), maxCodes)] {
		code = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return -1
			}
			return r
		}, code)
		all = append(all, strings.ToValidUTF8(code[:min(len(code), maxCode)], ""))
	}
	return all
}
