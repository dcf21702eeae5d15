package mailer

import (
	"context"
	"html/template"
	"net/http"
	"sync"
	"time"

	"github.com/sirupsen/logrus"
	"golang.org/x/sync/singleflight"
)

// fetchTimeout limits loading one template, from dialling to the last byte.
const fetchTimeout = 10 * time.Second

// edition is a kind of mail in a language, "" being the one of the texts that
// are configured without a language.
type edition struct {
	kind     Kind
	language string
}

// library loads bodies from their addresses when they are needed and keeps them
// for a while. It is safe for concurrent use.
type library struct {
	client    *http.Client
	addresses map[edition]address
	maxBytes  int64
	maxAge    time.Duration
	retry     time.Duration
	timeout   time.Duration
	reload    *reloading
	now       func() time.Time
	logger    logrus.FieldLogger

	flights singleflight.Group
	mu      sync.Mutex
	entries map[edition]entry
}

// entry is what is known about one body.
type entry struct {
	body    *template.Template // the last good one, nil before that
	loaded  time.Time
	retryAt time.Time // no attempt before
}

// newLibrary makes the library of a configuration.
func newLibrary(c Config) *library {
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     30 * time.Second,
	}
	l := &library{
		client:    &http.Client{Transport: transport},
		addresses: make(map[edition]address),
		maxBytes:  c.TemplateMaxBytes,
		maxAge:    c.TemplateMaxAge,
		retry:     c.TemplateRetry,
		timeout:   fetchTimeout,
		reload:    newReloading(c),
		now:       c.Now,
		logger:    c.Logger,
		entries:   make(map[edition]entry),
	}
	l.add(c.SiteURL, "", c.Templates)
	for language, texts := range c.Translations {
		l.add(c.SiteURL, language, texts.Templates)
	}
	if c.Previous != nil {
		l.follow(c.Previous.library)
	}
	return l
}

// follow takes over what an earlier library has loaded from the same addresses.
func (l *library) follow(earlier *library) {
	earlier.mu.Lock()
	defer earlier.mu.Unlock()
	for e, known := range earlier.entries {
		if earlier.addresses[e] == l.addresses[e] {
			l.entries[e] = known
		}
	}
}

func (l *library) add(siteURL, language string, templates map[Kind]string) {
	for kind, text := range templates {
		if text != "" {
			l.addresses[edition{kind, language}] = parseAddress(siteURL, text)
		}
	}
}

// body returns the body of an edition: the loaded one, an older one if that
// cannot be had, nil if there is none. It waits for loading no longer than ctx
// allows; the loading goes on for those who come later.
func (l *library) body(ctx context.Context, e edition) *template.Template {
	if _, found := l.addresses[e]; !found {
		return nil
	}
	known, now := l.entry(e), l.now()
	switch fresh := known.body != nil && now.Sub(known.loaded) < l.maxAge; {
	case now.Before(known.retryAt):
	case !fresh:
		select {
		case <-l.load(ctx, e):
			known = l.entry(e)
		case <-ctx.Done():
		}
	case l.reload.enabled && l.nearsAge(known, now):
		l.load(ctx, e)
	}
	l.used(now)
	return known.body
}

func (l *library) entry(e edition) entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.entries[e]
}

// load starts loading the body of an edition, unless that is under way.
func (l *library) load(ctx context.Context, e edition) <-chan singleflight.Result {
	return l.flights.DoChan(string(e.kind)+" "+e.language, func() (any, error) {
		// It must survive the request that happened to start it.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
		defer cancel()
		body, err := l.fetch(ctx, e)
		if err != nil {
			l.logger.WithFields(logrus.Fields{"kind": e.kind, "language": e.language}).WithError(err).
				Warn("mail template could not be loaded, the previous or built-in one is used")
		}
		l.store(e, body, err)
		return nil, nil
	})
}

func (l *library) store(e edition, body *template.Template, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := l.entries[e]
	if err != nil {
		known.retryAt = l.now().Add(l.retry)
	} else {
		known = entry{body: body, loaded: l.now()}
	}
	l.entries[e] = known
}

// fetch loads and parses the body of an edition.
func (l *library) fetch(ctx context.Context, e edition) (*template.Template, error) {
	text, err := l.read(ctx, l.addresses[e])
	if err != nil {
		return nil, err
	}
	return parse(e.kind, text)
}
