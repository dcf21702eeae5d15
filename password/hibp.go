package password

import (
	"bufio"
	"context"
	"crypto/sha1" //nolint:gosec // what the service's index is made of
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/bits-and-blooms/bloom/v3"
)

const (
	hibpURL     = "https://api.pwnedpasswords.com/range/"
	hibpTimeout = 5 * time.Second
	// hibpMaxAnswer bounds an answer, in bytes: a range has some two thousand
	// lines of forty.
	hibpMaxAnswer = 1 << 20
	// hibpPrefix is the number of hex digits that the service learns.
	hibpPrefix = 5
)

// ErrHIBP is in the chain of every error of [HIBP]: whether the password is
// known remains open.
var ErrHIBP = errors.New("HaveIBeenPwned.org could not be asked")

// HIBPConfig is what [NewHIBP] needs.
type HIBPConfig struct {
	// UserAgent names the caller, as the service asks for.
	UserAgent string
	// BloomItems is the number of known passwords to remember, so that they are
	// refused without asking again; 0 remembers none.
	BloomItems uint
	// BloomFalsePositives is the share of good passwords that are then refused
	// by mistake when the memory is full, between 0 and 1; other values mean
	// 0.00001.
	BloomFalsePositives float64
	// Transport carries the requests; nil means one that honours HTTPS_PROXY.
	Transport http.RoundTripper
}

// HIBP asks the range API of Pwned Passwords, which learns the first 20 bits of
// the password's SHA-1 and nothing else: even the size of its answer is padded.
// It is safe for concurrent use.
type HIBP struct {
	client    *http.Client
	timeout   time.Duration
	userAgent string
	known     *memory // nil without a filter
}

// NewHIBP makes a client of the service.
func NewHIBP(c HIBPConfig) *HIBP {
	// A redirect would hand the prefix to whom it leads.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	h := &HIBP{client: &http.Client{Transport: c.Transport, CheckRedirect: stay}, timeout: hibpTimeout, userAgent: c.UserAgent}
	if c.Transport == nil {
		h.client.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    8,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	if c.BloomItems > 0 {
		if c.BloomFalsePositives <= 0 || c.BloomFalsePositives >= 1 {
			c.BloomFalsePositives = 0.00001
		}
		h.known = &memory{
			items:  c.BloomItems,
			filter: bloom.NewWithEstimates(c.BloomItems, c.BloomFalsePositives),
		}
	}
	return h
}

// Pwned reports whether plain is known from a breach. It takes five seconds at
// most; every error wraps [ErrHIBP] and does not contain the hash.
func (h *HIBP) Pwned(ctx context.Context, plain string) (bool, error) {
	sum := sha1.Sum([]byte(plain)) //nolint:gosec // what the service's index is made of
	if h.known.has(sum[:]) {
		return true, nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.timeout)
	defer cancel()
	digest := strings.ToUpper(hex.EncodeToString(sum[:]))
	pwned, err := h.ask(ctx, digest[:hibpPrefix], digest[hibpPrefix:])
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrHIBP, err)
	}
	if pwned {
		h.known.add(sum[:])
	}
	return pwned, nil
}

// ask looks for suffix in the range of prefix.
func (h *HIBP) ask(ctx context.Context, prefix, suffix string) (bool, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, hibpURL+prefix, nil)
	if err != nil {
		return false, withoutURL(err)
	}
	req.Header.Set("User-Agent", h.userAgent)
	req.Header.Set("Add-Padding", "true")
	resp, err := h.client.Do(req)
	if err != nil {
		return false, withoutURL(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return false, fmt.Errorf("status %d", resp.StatusCode)
	}
	return findSuffix(resp.Body, suffix)
}

// findSuffix reads lines of the form "<suffix>:<count>" and reports whether
// suffix is among them with a count; a count of zero is padding. The lines are
// read to their end, so that an answer that is not a range is never taken for
// "not known".
func findSuffix(answer io.Reader, suffix string) (bool, error) {
	limited := &io.LimitedReader{R: answer, N: hibpMaxAnswer + 1}
	lines, found, entries, malformed := bufio.NewScanner(limited), false, 0, false
	for !malformed && lines.Scan() {
		if lines.Text() == "" {
			continue
		}
		entry, count, _ := strings.Cut(lines.Text(), ":")
		malformed = len(entry) != len(suffix) || count == "" || strings.Trim(count, "0123456789") != ""
		found = found || strings.EqualFold(entry, suffix) && strings.Trim(count, "0") != ""
		entries++
	}
	switch {
	case lines.Err() != nil:
		return false, fmt.Errorf("read answer: %w", lines.Err())
	case limited.N <= 0: // the last line may be cut
		return false, fmt.Errorf("answer is larger than %d bytes", hibpMaxAnswer)
	case malformed:
		return false, errors.New("answer is not a range")
	case entries == 0:
		return false, errors.New("answer is empty")
	}
	return found, nil
}

// withoutURL drops the address, and with it the prefix, from the client's error.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// memory remembers digests of known passwords. Digests of others are not kept:
// they may become known, and forgetting them costs nothing but a question.
type memory struct {
	mu     sync.Mutex
	items  uint
	added  uint
	filter *bloom.BloomFilter
}

func (m *memory) has(digest []byte) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.filter.Test(digest)
}

// add forgets everything when the filter is full: past that point it would
// refuse more good passwords than was agreed to.
func (m *memory) add(digest []byte) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.added >= m.items {
		m.filter.ClearAll()
		m.added = 0
	}
	if !m.filter.TestAndAdd(digest) {
		m.added++
	}
}
