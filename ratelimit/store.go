package ratelimit

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"
	"github.com/sirupsen/logrus"
)

const (
	// restAfter is how long a store that failed is not asked, so that an outage
	// costs one request in a while its time, and not each.
	restAfter = time.Second
	// tellEvery is the least time between two log lines of one outage.
	tellEvery = time.Minute
	// connections bounds those of a replica; more callers wait in line.
	connections = 16
	// idleTime is shorter than what middleboxes grant.
	idleTime  = 4 * time.Minute
	keyPrefix = "truegrant:rate:"
)

// errResting says that the store failed a moment ago.
var errResting = errors.New("ratelimit: the store is not asked for now")

// errURL does not quote the URL, which may hold a password.
var errURL = errors.New("the URL of the rate limit store is malformed")

// StoreConfig describes a Store.
type StoreConfig struct {
	// URL is that of a Redis or Valkey server: redis://, rediss:// or unix://.
	URL string
	// Secret is known to all replicas of a project and to nobody else. Keys are
	// hashed with it: projects that share a server do not meet, and the store
	// does not tell whose addresses it holds.
	Secret string
	// Timeout bounds what a request waits for the store.
	Timeout time.Duration
	Log     logrus.FieldLogger
	Now     func() time.Time
}

// Store is a server that counts for several replicas. It is safe for concurrent
// use. Nothing depends on it: while it cannot be asked, each replica counts for
// itself.
type Store struct {
	dial   func(context.Context) (redis.Conn, error)
	script *redis.Script
	secret []byte
	log    logrus.FieldLogger
	now    func() time.Time
	// timeout bounds one question with all that it takes.
	timeout time.Duration
	// serverTime lets the store's clock count. Replicas' clocks differ, and one
	// that is ahead would keep the others' buckets empty.
	serverTime bool

	mu        sync.Mutex
	pool      *redis.Pool
	closed    bool
	restsTill time.Time
	failing   bool
	toldAt    time.Time
}

// NewStore prepares a Store. It does not connect: a server that is away now may
// be back for the first request. An error means that the URL is no such URL.
func NewStore(cfg StoreConfig) (*Store, error) {
	target, err := url.Parse(cfg.URL)
	if err != nil {
		return nil, errURL
	}
	options := []redis.DialOption{
		redis.DialConnectTimeout(cfg.Timeout), redis.DialReadTimeout(cfg.Timeout), redis.DialWriteTimeout(cfg.Timeout),
	}
	s := &Store{
		script: redis.NewScript(1, takeScript), secret: []byte(cfg.Secret),
		log: cfg.Log, now: cfg.Now, timeout: cfg.Timeout, serverTime: true,
	}
	switch {
	case target.Scheme == "unix" && target.Path != "":
		s.dial = func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "unix", target.Path, options...)
		}
	case (target.Scheme == "redis" || target.Scheme == "rediss") && target.Host != "" && databasePath(target.Path):
		s.dial = func(ctx context.Context) (redis.Conn, error) {
			return redis.DialURLContext(ctx, cfg.URL, options...)
		}
	default:
		return nil, errURL
	}
	s.pool = s.newPool()
	return s, nil
}

// databasePath reports whether a path is empty or the number of a database.
func databasePath(path string) bool {
	return regexp.MustCompile(`^(/[0-9]{0,5})?$`).MatchString(path)
}

func (s *Store) newPool() *redis.Pool {
	return &redis.Pool{DialContext: s.dial, MaxIdle: connections, MaxActive: connections, Wait: true, IdleTimeout: idleTime}
}

// Close closes the connections.
func (s *Store) Close() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return s.pool.Close()
}

// key names a client's bucket of a limiter.
func (s *Store) key(limiter, client string) string {
	mac := hmac.New(sha256.New, s.secret)
	fmt.Fprintf(mac, "%d %s%s", len(limiter), limiter, client)
	return keyPrefix + limiter + ":" + hex.EncodeToString(mac.Sum(nil)[:16])
}

// take asks for one event. An error means that nothing was decided.
func (s *Store) take(ctx context.Context, key string, args []string) (allowed bool, err error) {
	pool, err := s.usable()
	if err != nil {
		return false, err
	}
	timeout, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	allowed, err = s.ask(timeout, pool, key, args)
	if err != nil && ctx.Err() != nil {
		return false, ctx.Err() // the caller is gone, which says nothing of the store
	}
	s.note(pool, err)
	return allowed, err
}

func (s *Store) ask(ctx context.Context, pool *redis.Pool, key string, args []string) (allowed bool, err error) {
	conn, err := pool.GetContext(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close() //nolint:errcheck // back to the pool
	values := []any{key}
	for _, arg := range args {
		values = append(values, arg)
	}
	return redis.Bool(s.script.DoContext(ctx, conn, values...))
}

// usable returns the connections, unless the store rests.
func (s *Store) usable() (*redis.Pool, error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || now.Before(s.restsTill) {
		return nil, errResting
	}
	return s.pool, nil
}

// note keeps account of how the store does, and tells of an outage when it
// starts, while it lasts and when it is over.
func (s *Store) note(used *redis.Pool, err error) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err == nil && s.failing && used == s.pool:
		s.failing, s.toldAt = false, time.Time{}
		s.log.Info("the rate limit store is back")
	case err != nil && !s.closed && used == s.pool:
		// The other connections are probably as dead.
		_ = s.pool.Close()
		s.pool = s.newPool()
		s.failing, s.restsTill = true, now.Add(restAfter)
		if s.toldAt.IsZero() || now.Sub(s.toldAt) >= tellEvery {
			s.toldAt = now
			s.log.WithError(err).Warn("the rate limit store cannot be asked: this replica counts for itself")
		}
	}
}
