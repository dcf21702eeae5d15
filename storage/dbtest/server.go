package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/truegrant/truegrant/devdb"
)

const (
	urlVariable = "TRUEGRANT_TEST_DATABASE_URL"
	binVariable = "TRUEGRANT_PG_BIN"
	// linger is how long the shared cluster outlives its last user: long enough
	// that one who runs a test again and again does not wait for it.
	linger = 5 * time.Minute
	// connections of one test binary for creating and dropping databases.
	connections = 4
)

// server is where the databases are.
type server struct {
	base *url.URL // superuser's URL
	pool *pgxpool.Pool
	// strategy is the clause that makes CREATE DATABASE copy files, which is
	// faster here than the default way through the log. PostgreSQL 15 and later.
	strategy string

	mu         sync.Mutex
	built      map[string]bool // templates that exist, by database name
	migrations string          // the migrations' fingerprint, once it is known
}

// shared opens the server once per test binary. It is not closed: the end of
// the process does that.
//
//nolint:gochecknoglobals // tests have no other common place, and the value never changes
var shared = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := open(ctx, os.Getenv(urlVariable))
	if err != nil {
		return nil, fmt.Errorf("dbtest: %w", err)
	}
	return s, nil
})

// open connects to the given server, or to the shared cluster if none is given.
func open(ctx context.Context, superuserURL string) (*server, error) {
	if superuserURL == "" {
		cluster, err := devdb.Start(ctx, devdb.Options{
			Dir:    filepath.Join(baseFolder(), "truegrant-test-pg-"+strconv.Itoa(os.Getuid())),
			Linger: linger,
			Fresh:  true,
			BinDir: os.Getenv(binVariable),
		})
		if err != nil {
			return nil, err
		}
		superuserURL = cluster.URL("")
	}
	base, err := url.Parse(superuserURL)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL", urlVariable) // the cause may quote the password
	}
	s := &server{base: base, built: map[string]bool{}}
	if err := devdb.EnsureSupabaseRoles(ctx, s.url("postgres")); err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(s.url("postgres"))
	if err != nil {
		return nil, fmt.Errorf("%s cannot be used", urlVariable)
	}
	config.MaxConns = connections
	if s.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	const query = `SELECT CASE WHEN current_setting('server_version_num')::int >= 150000 THEN ' STRATEGY file_copy' ELSE '' END`
	return s, s.pool.QueryRow(ctx, query).Scan(&s.strategy)
}

// url returns the superuser's URL of a database.
func (s *server) url(database string) string {
	u := *s.base
	u.Path = "/" + database
	return u.String()
}
