package mailer

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/singleflight"
)

// fetchTimeout limits loading one template, from dialling to the last byte.
const fetchTimeout = 10 * time.Second

// remote loads bodies from URLs when they are needed and keeps them for a
// while. It is safe for concurrent use.
type remote struct {
	client   *http.Client
	urls     map[Kind]string
	maxBytes int64
	maxAge   time.Duration
	retry    time.Duration
	timeout  time.Duration
	early    bool // reload before the age is reached, without making a mail wait
	now      func() time.Time
	logger   logrus.FieldLogger

	flights singleflight.Group
	mu      sync.Mutex
	entries map[Kind]entry
}

// entry is what is known about one URL.
type entry struct {
	body    *template.Template // the last good one, nil before that
	loaded  time.Time
	retryAt time.Time // no attempt before
}

// body returns the template of a kind: the fetched one, an older one if that
// cannot be had, nil for the built-in one. It waits for a fetch no longer than
// ctx allows; the fetch goes on for those who come later.
func (r *remote) body(ctx context.Context, kind Kind) *template.Template {
	if r.urls[kind] == "" {
		return nil
	}
	known, now := r.entry(kind), r.now()
	age := now.Sub(known.loaded)
	switch fresh := known.body != nil && age < r.maxAge; {
	case now.Before(known.retryAt):
	case !fresh:
		select {
		case <-r.load(ctx, kind):
			known = r.entry(kind)
		case <-ctx.Done():
		}
	case r.early && age >= r.maxAge/10*9:
		r.load(ctx, kind)
	}
	return known.body
}

func (r *remote) entry(kind Kind) entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entries[kind]
}

// fetched are the entries of addresses that are in urls too.
func (m *Mailer) fetched(urls map[Kind]string) map[Kind]entry {
	entries := make(map[Kind]entry)
	if m == nil {
		return entries
	}
	m.remote.mu.Lock()
	defer m.remote.mu.Unlock()
	for kind, known := range m.remote.entries {
		if m.remote.urls[kind] == urls[kind] {
			entries[kind] = known
		}
	}
	return entries
}

// load starts fetching the body of a kind, unless that is under way.
func (r *remote) load(ctx context.Context, kind Kind) <-chan singleflight.Result {
	return r.flights.DoChan(string(kind), func() (any, error) {
		// It must survive the request that happened to start it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.timeout)
		defer cancel()
		body, err := r.fetch(ctx, kind)
		if err != nil {
			r.logger.WithField("kind", kind).WithError(err).Warn("mail template could not be loaded, the previous or built-in one is used")
		}
		r.store(kind, body, err)
		return nil, nil
	})
}

func (r *remote) store(kind Kind, body *template.Template, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[kind]
	if err != nil {
		e.retryAt = r.now().Add(r.retry)
	} else {
		e = entry{body: body, loaded: r.now()}
	}
	r.entries[kind] = e
}

// fetch loads and parses the body of a kind. Its errors do not name the URL,
// which may carry a key.
func (r *remote) fetch(ctx context.Context, kind Kind) (*template.Template, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.urls[kind], nil)
	if err != nil {
		return nil, withoutURL(err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, withoutURL(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read only
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, r.maxBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read: %w", err)
	case int64(len(text)) > r.maxBytes:
		return nil, fmt.Errorf("larger than %d bytes", r.maxBytes)
	case !utf8.Valid(text):
		return nil, errors.New("not UTF-8")
	case strings.TrimSpace(string(text)) == "":
		return nil, errors.New("empty")
	}
	return parse(kind, string(text))
}

// templateURLs completes the configured addresses: one that does not start with
// "http" is a path below the site.
func templateURLs(siteURL string, templates map[Kind]string) map[Kind]string {
	urls := make(map[Kind]string, len(templates))
	for kind, address := range templates {
		if address != "" && !strings.HasPrefix(address, "http") {
			address = strings.TrimRight(siteURL, "/") + "/" + strings.TrimLeft(address, "/")
		}
		urls[kind] = address
	}
	return urls
}

// withoutURL drops the address from the client's error.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
