package migrations

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/gobuffalo/pop/v6"
	"github.com/gobuffalo/pop/v6/logging"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"
)

// serverVariable may hold the URL of a PostgreSQL server, as a superuser and
// without a database; otherwise the tests start a server of their own.
const serverVariable = "TRUEGRANT_TEST_DATABASE_URL"

var (
	// server is the URL of the server, without a database.
	server string //nolint:gochecknoglobals // TestMain has no other way to hand it over
	// databases counts them, for their names.
	databases atomic.Int64 //nolint:gochecknoglobals // shared by tests that run in parallel
)

func TestMain(m *testing.M) {
	pop.SetLogger(func(logging.Level, string, ...any) {})
	stop := func() error { return nil }
	var err error
	if server = os.Getenv(serverVariable); server == "" {
		server, stop, err = startServer()
	}
	code := 1
	if err == nil {
		code = m.Run()
		err = stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "test server:", err)
		code = 1
	}
	os.Exit(code)
}

// startServer runs a server on a socket in a new directory. PostgreSQL does not
// run as root, so root starts it as another user.
func startServer() (serverURL string, stop func() error, err error) {
	bin, err := serverBinaries()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "migrations")
	if err != nil {
		return "", nil, err
	}
	cleanup := func(cause error) (string, func() error, error) {
		return "", nil, errors.Join(cause, os.RemoveAll(dir))
	}
	credential, err := unprivileged(dir)
	if err != nil {
		return cleanup(err)
	}
	attributes := &syscall.SysProcAttr{Credential: credential, Setpgid: true}

	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
	initdb.Dir, initdb.SysProcAttr = dir, attributes
	if out, err := initdb.CombinedOutput(); err != nil {
		return cleanup(fmt.Errorf("initdb: %w: %s", err, out))
	}
	var log bytes.Buffer
	postgres := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir,
		"-c", "listen_addresses=", "-c", "fsync="+fsync(), "-c", "max_connections=200")
	postgres.Dir, postgres.SysProcAttr, postgres.Stderr = dir, attributes, &log
	if err := postgres.Start(); err != nil {
		return cleanup(err)
	}
	serverURL = "postgres:///?user=postgres&host=" + url.QueryEscape(dir)
	stop = func() error {
		stopped := errors.Join(postgres.Process.Signal(syscall.SIGINT), postgres.Wait())
		return errors.Join(stopped, os.RemoveAll(dir))
	}
	if err := awaitServer(serverURL); err != nil {
		return "", nil, errors.Join(err, errors.New(log.String()), stop())
	}
	return serverURL, stop, nil
}

// fsync is off for speed, unless the time that migrating takes is of interest.
func fsync() string {
	if os.Getenv("TRUEGRANT_TEST_FSYNC") != "" {
		return "on"
	}
	return "off"
}

func serverBinaries() (string, error) {
	if path, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL server binaries found: install them or set %s", serverVariable)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// unprivileged picks the user to run the server as and gives it the directory;
// nil means the present user.
func unprivileged(dir string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	account, err := user.Lookup("nobody")
	if err != nil {
		return nil, err
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), NoSetGroups: false}, os.Chown(dir, uid, gid)
}

func awaitServer(serverURL string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, databaseURL(serverURL, "postgres", ""))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("server does not answer: %w", err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func databaseURL(serverURL, name, role string) string {
	u, err := url.Parse(serverURL)
	if err != nil {
		panic(err)
	}
	u.Path = "/" + name
	if role != "" {
		u.User = url.UserPassword(role, "secret")
		query := u.Query()
		query.Del("user")
		u.RawQuery = query.Encode()
	}
	return u.String()
}

// testDatabase is an empty database that a role of its own, not a superuser,
// may create schemas in.
type testDatabase struct {
	*sql.DB        // as a superuser
	url     string // as the role
	role    string
}

// setup creates a database whose role may do in it what migrating needs.
func setup(t *testing.T) testDatabase {
	t.Helper()
	name := fmt.Sprintf("migrations_%d_%d", os.Getpid(), databases.Add(1))
	admin := connect(t, databaseURL(server, "postgres", ""))
	execute(t, admin, fmt.Sprintf("create role %s login password 'secret'", name))
	execute(t, admin, fmt.Sprintf("create database %s template template0", name))
	execute(t, admin, fmt.Sprintf("grant create on database %s to %s", name, name))
	t.Cleanup(func() {
		execute(t, admin, fmt.Sprintf("drop database %s with (force)", name))
		execute(t, admin, fmt.Sprintf("drop role %s", name))
	})
	return testDatabase{
		DB:   connect(t, databaseURL(server, name, "")),
		url:  databaseURL(server, name, name),
		role: name,
	}
}

func connect(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	config, err := pgx.ParseConfig(databaseURL)
	require.NoError(t, err)
	// A prepared statement would not outlive the change of its tables.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}

func execute(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	_, err := db.ExecContext(context.Background(), strings.Join(statements, ";\n"))
	require.NoError(t, err)
}

// value reads one value of the database as text.
func (d testDatabase) value(t *testing.T, query string) string {
	t.Helper()
	var s sql.NullString
	require.NoError(t, d.QueryRowContext(t.Context(), query).Scan(&s))
	return s.String
}

func (d testDatabase) up(t *testing.T) Result {
	t.Helper()
	result, err := Up(t.Context(), Options{URL: d.url})
	require.NoError(t, err)
	return result
}
