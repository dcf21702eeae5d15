package devdb

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// folder returns a folder for a cluster that is removed with its data, which
// as root may be elsewhere, when the test ends.
func folder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "db")
	t.Cleanup(func() {
		require.NoError(t, Reset(context.WithoutCancel(t.Context()), dir))
	})
	return dir
}

func start(t *testing.T, opts Options) *Cluster {
	t.Helper()
	opts.Logf = t.Logf
	c, err := Start(t.Context(), opts)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Stop() })
	return c
}

func query[T any](t *testing.T, dbURL, sql string) T {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dbURL)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	var v T
	require.NoError(t, conn.QueryRow(t.Context(), sql).Scan(&v))
	return v
}

func execute(t *testing.T, dbURL, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), dbURL)
	require.NoError(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	_, err = conn.Exec(t.Context(), sql)
	require.NoError(t, err)
}

func TestStartStopReset(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, Options{Dir: dir, Durable: true})
	require.NoError(t, first.CreateDatabase(t.Context(), `my "app"`))
	require.Error(t, first.CreateDatabase(t.Context(), `my "app"`))
	db := first.URL(`my "app"`)
	require.Equal(t, "UTF8/C", query[string](t, db, "SELECT pg_encoding_to_char(encoding)||'/'||datcollate FROM pg_database WHERE datname = current_database()"))
	require.Equal(t, "on", query[string](t, db, "SHOW fsync"))
	require.Equal(t, "127.0.0.1", query[string](t, db, "SHOW listen_addresses"))
	execute(t, db, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (42)")
	require.NoError(t, first.Stop())
	require.NoError(t, first.Stop(), "a second Stop does nothing")
	require.Error(t, ping(t.Context(), db))

	second := start(t, Options{Dir: dir, Durable: true})
	require.Equal(t, db, second.URL(`my "app"`), "port and password are remembered")
	require.Equal(t, 42, query[int](t, db, "SELECT n FROM kept"))
	require.ErrorIs(t, Reset(t.Context(), dir), ErrInUse)
	require.NoError(t, second.Stop())

	fresh := start(t, Options{Dir: dir, Fresh: true})
	require.NotEqual(t, db, fresh.URL(`my "app"`), "a new password")
	require.Equal(t, 0, query[int](t, fresh.URL("postgres"), `SELECT count(*) FROM pg_database WHERE datname LIKE 'my%'`))
	require.NoError(t, fresh.Stop())

	data := second.place.data
	require.DirExists(t, data)
	require.NoError(t, Reset(t.Context(), dir))
	require.NoDirExists(t, dir)
	require.NoDirExists(t, data)
	require.NoError(t, Reset(t.Context(), dir), "nothing to reset is fine")
}

func TestFastSettings(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Dir: folder(t)})
	for setting, want := range map[string]string{
		"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off",
		"max_connections": "300", "timezone": "UTC",
	} {
		require.Equal(t, want, query[string](t, c.URL("postgres"), "SHOW "+setting), setting)
	}
}

func TestPasswordIsRequired(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Dir: folder(t)})
	u, err := url.Parse(c.URL("postgres"))
	require.NoError(t, err)
	for _, user := range []*url.Userinfo{url.User(superuser), url.UserPassword(superuser, "wrong")} {
		u.User = user
		require.Error(t, ping(t.Context(), u.String()))
	}
	info, err := os.Stat(filepath.Join(c.opts.Dir, stateFile))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

func TestEnsureSupabaseRoles(t *testing.T) {
	t.Parallel()
	c := start(t, Options{Dir: folder(t)})
	results := make(chan error, 4)
	for range cap(results) {
		go func() { results <- c.EnsureSupabaseRoles(t.Context()) }()
	}
	for range cap(results) {
		require.NoError(t, <-results)
	}
	got := query[string](t, c.URL("postgres"), `
		SELECT string_agg(concat_ws(' ', rolname,
			CASE WHEN rolcanlogin THEN 'login' END, CASE WHEN rolinherit THEN 'inherit' END,
			CASE WHEN rolbypassrls THEN 'bypassrls' END, CASE WHEN rolcreaterole THEN 'createrole' END), ', ' ORDER BY rolname)
		  FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role', 'supabase_auth_admin')`)
	require.Equal(t, "anon, authenticated, service_role bypassrls, supabase_auth_admin login createrole", got)

	u, err := url.Parse(c.URL("postgres"))
	require.NoError(t, err)
	u.User = url.UserPassword("supabase_auth_admin", c.state.Password)
	require.Equal(t, "supabase_auth_admin", query[string](t, u.String(), "SELECT current_user::text"))
}

func TestOneOwner(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	start(t, Options{Dir: dir})
	_, err := Start(t.Context(), Options{Dir: dir})
	require.ErrorIs(t, err, ErrInUse)
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	first := start(t, Options{Dir: dir})
	require.NoError(t, first.Stop())
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(first.state.Port)) //nolint:noctx // a test
	require.NoError(t, err)
	defer func() { _ = l.Close() }()

	second := start(t, Options{Dir: dir})
	require.NotEqual(t, first.state.Port, second.state.Port)
	require.Equal(t, 1, query[int](t, second.URL("postgres"), "SELECT 1"))
}

// After a reboot the number in the pid file may be that of any process.
func TestStalePidFile(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, Options{Dir: dir})
	pidFile := c.place.pidFile()
	before, err := os.ReadFile(pidFile)
	require.NoError(t, err)
	require.NoError(t, c.Stop())

	_, rest, _ := strings.Cut(string(before), "\n")
	require.NoError(t, os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())+"\n"+rest), 0o600))
	require.NoError(t, c.place.user.give(pidFile))
	require.Equal(t, 1, query[int](t, start(t, Options{Dir: dir}).URL("postgres"), "SELECT 1"))
}

// A server without a living owner is stopped by the next start.
func TestServerLeftBehind(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	c := start(t, Options{Dir: dir})
	require.NoError(t, c.Stop())
	bins, err := findOrFetch(t.Context(), c.opts, 0, c.place.user)
	require.NoError(t, err)
	stray, err := c.place.startServer(t.Context(), bins, c.state.Port, false)
	require.NoError(t, err)
	require.NoError(t, stray.waitReady(t.Context(), c.URL("postgres")))
	require.Equal(t, stray.cmd.Process.Pid, c.place.running())

	next := start(t, Options{Dir: dir})
	require.True(t, stray.waitDone(time.Second), "the server left behind has ended")
	require.Equal(t, 1, query[int](t, next.URL("postgres"), "SELECT 1"))
}

// TestOwnerProcess is no test: TestOwnerKilled runs it in another process.
func TestOwnerProcess(t *testing.T) { //nolint:paralleltest // it is a process of its own
	dir := os.Getenv("DEVDB_OWNER_DIR")
	if dir == "" {
		t.Skip("run by TestOwnerKilled")
	}
	_, err := Start(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	_, err = os.Stdout.WriteString("started\n")
	require.NoError(t, err)
	<-t.Context().Done()
	select {} // until killed
}

func TestOwnerKilled(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOwnerProcess$")
	cmd.Env = append(os.Environ(), "DEVDB_OWNER_DIR="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	first := make([]byte, len("started"))
	_, err = out.Read(first)
	require.NoError(t, err)
	require.Equal(t, "started", string(first))
	where, err := locate(dir)
	require.NoError(t, err)
	require.NotZero(t, where.running())

	require.NoError(t, cmd.Process.Kill())
	var exit *exec.ExitError
	require.True(t, errors.As(cmd.Wait(), &exit))
	require.True(t, where.waitGone(t.Context(), 10*time.Second), "the server ends with its owner")
}

func TestBadOptions(t *testing.T) {
	t.Parallel()
	open := filepath.Join(t.TempDir(), "open")
	require.NoError(t, os.Mkdir(open, 0o700))
	require.NoError(t, os.Chmod(open, 0o777)) //nolint:gosec // the case under test
	for name, opts := range map[string]Options{
		"no folder":                    {},
		"half seconds":                 {Dir: filepath.Join(t.TempDir(), "x"), Linger: 1500 * time.Millisecond},
		"folder others can write to":   {Dir: open},
		"folder is a file":             {Dir: os.Args[0]},
		"binaries where there are not": {Dir: filepath.Join(t.TempDir(), "y"), BinDir: t.TempDir()},
	} {
		_, err := Start(t.Context(), opts)
		require.Error(t, err, name)
	}
}

// Root's data may belong to another user than a new cluster's would.
func TestDataOfAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	dir := folder(t)
	first := start(t, Options{Dir: dir, Durable: true})
	require.NoError(t, first.Stop())
	other := &account{name: "other", uid: 65533, gid: 65533}
	require.NoError(t, filepath.WalkDir(first.place.data, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, other.give(path))
	}))
	second := start(t, Options{Dir: dir, Durable: true})
	require.Equal(t, other.uid, second.place.user.uid)
	require.Equal(t, 1, query[int](t, second.URL("postgres"), "SELECT 1"))
}

func TestPlaceOfData(t *testing.T) {
	t.Parallel()
	open, err := os.MkdirTemp("", "devdb-place") // t.TempDir is private
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(open) })
	require.NoError(t, os.Chmod(open, 0o755)) //nolint:gosec // the case under test

	reachable, err := preparePlace(t.Context(), filepath.Join(open, "db"))
	require.NoError(t, err)
	require.Equal(t, filepath.Join(open, "db", "data"), reachable.data)

	private := filepath.Join(open, "private")
	require.NoError(t, os.Mkdir(private, 0o700))
	hidden, err := preparePlace(t.Context(), filepath.Join(private, "db"))
	require.NoError(t, err)
	if os.Geteuid() == 0 {
		require.Equal(t, rootData, filepath.Dir(hidden.data))
	} else {
		require.Equal(t, filepath.Join(private, "db", "data"), hidden.data)
	}
}
