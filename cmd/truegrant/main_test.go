package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/storage/dbtest"
)

// asProgram makes the test binary behave as the program, in a process and an
// environment of its own.
const asProgram = "TRUEGRANT_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// environment is what a server needs at least.
func environment(databaseURL string, port int) []string {
	return []string{
		"DATABASE_URL=" + databaseURL, "GOTRUE_DB_DRIVER=postgres", "GOTRUE_SITE_URL=https://app.test",
		"API_EXTERNAL_URL=https://auth.test", "GOTRUE_JWT_SECRET=a-secret-of-tests-that-is-long-enough",
		"GOTRUE_API_HOST=127.0.0.1", "PORT=" + strconv.Itoa(port),
	}
}

// program prepares a run in an empty folder.
func program(t *testing.T, env []string, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Dir = t.TempDir()
	// pop asks a go command, if there is one, for its environment, and that leaves
	// a process behind which writes into HOME for a moment.
	cmd.Env = append([]string{asProgram + "=1", "HOME=" + cmd.Dir, "PATH=" + cmd.Dir}, env...)
	stdout, stderr = new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// run runs the program to its end.
func run(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd, out, problems := program(t, env, args...)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), problems.String(), cmd.ProcessState.ExitCode()
}

// freePort is a port nobody listens on.
func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, listener.Close()) }()
	return listener.Addr().(*net.TCPAddr).Port
}

func TestVersion(t *testing.T) {
	t.Parallel()
	stdout, _, code := run(t, nil, "version")
	require.Equal(t, "dev\n", stdout)
	require.Zero(t, code)
}

func TestUnknownCommand(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"fly"}, {"serve", "extra"}, {"--unknown"}} {
		_, stderr, code := run(t, nil, args...)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "truegrant: unknown")
	}
}

// Every problem of the configuration is reported at once, before anything is
// touched.
func TestConfigurationProblems(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"serve"}, {"migrate"}, {"config"}} {
		_, stderr, code := run(t, []string{"GOTRUE_SITE_URL=https://app.test", "GOTRUE_JWT_EXP=soon"}, args...)
		require.Equal(t, 1, code)
		for _, name := range []string{"GOTRUE_JWT_EXP", "GOTRUE_JWT_SECRET", "API_EXTERNAL_URL", "DATABASE_URL"} {
			require.Regexp(t, `(?m)^truegrant: .*`+name, stderr)
		}
	}
}

func TestConfigMasksSecrets(t *testing.T) {
	t.Parallel()
	stdout, stderr, code := run(t, append(environment("postgres://user:password1@host/db", 1), "GOTRUE_MAILER_AUTOCONFRIM=true"), "config")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "GOTRUE_SITE_URL")
	require.NotContains(t, stdout, "a-secret-of-tests")
	require.NotContains(t, stdout, "password1")
	require.Contains(t, stderr, "GOTRUE_MAILER_AUTOCONFIRM", "the closest known name")
	require.NotContains(t, stdout, "GOTRUE_JWT_EXP")
	all, _, _ := run(t, environment("postgres://user:password1@host/db", 1), "config", "--all")
	require.Contains(t, all, "GOTRUE_JWT_EXP")
}

func TestReportPrintsEveryProblemOnce(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	report(&out, fmt.Errorf("start: %w", errors.Join(errors.New("one"), fmt.Errorf("two: %w: %w", errors.New("a"), errors.New("b")))))
	require.Equal(t, "truegrant: start: one\ntruegrant: two: a: b\n", out.String())
}

func TestMigrate(t *testing.T) {
	t.Parallel()
	env := environment(dbtest.Empty(t), 1)
	stdout, stderr, code := run(t, env, "migrate", "--dry-run")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "create table")
	require.NotContains(t, stdout, "-- 0 pending")
	again, _, _ := run(t, env, "migrate", "--dry-run")
	require.Equal(t, stdout, again, "a dry run changes nothing")

	_, stderr, code = run(t, env, "migrate")
	require.Zero(t, code, stderr)
	stdout, _, _ = run(t, env, "migrate", "--dry-run")
	require.Contains(t, stdout, "-- 0 pending")
}

func TestUnreachableDatabase(t *testing.T) {
	t.Parallel()
	_, stderr, code := run(t, environment("postgres://user:password1@127.0.0.1:1/none", 1), "migrate")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "truegrant: migrate: ")
	require.NotContains(t, stderr, "password1")
}

// Two servers start at once on an empty database, serve, and stop when they
// are asked to, after the requests that are under way.
func TestServe(t *testing.T) {
	t.Parallel()
	database := dbtest.Empty(t)
	ports := []int{freePort(t), freePort(t)}
	servers := make([]*exec.Cmd, len(ports))
	logs := make([]*bytes.Buffer, len(ports))
	for i, port := range ports {
		servers[i], _, logs[i] = program(t, environment(database, port))
		require.NoError(t, servers[i].Start())
	}
	for _, port := range ports {
		url := "http://127.0.0.1:" + strconv.Itoa(port)
		require.Eventually(t, func() bool { return ready(t, url) }, 30*time.Second, 20*time.Millisecond)
		_, stderr, code := run(t, []string{"PORT=" + strconv.Itoa(port)}, "healthcheck")
		require.Zero(t, code, stderr)
	}
	_, stderr, code := run(t, environment(database, ports[0]), "serve")
	require.Equal(t, 1, code, "the port is taken")
	require.Contains(t, stderr, "truegrant: listen: ")

	release := lock(t, database)
	answered := make(chan int, 1)
	go func() {
		answered <- status(t, "http://127.0.0.1:"+strconv.Itoa(ports[0])+"/verify?type=signup&token=x")
	}()
	waitForLock(t, database)
	for _, server := range servers {
		require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	}
	require.NoError(t, servers[1].Wait(), "idle, so it stops at once")
	release()
	require.Equal(t, http.StatusSeeOther, <-answered)
	require.NoError(t, servers[0].Wait(), "it has waited for its request")
	require.Contains(t, logs[0].String(), `"msg":"shutting down"`)
	_, _, code = run(t, []string{"PORT=" + strconv.Itoa(ports[0])}, "healthcheck")
	require.Equal(t, 1, code)
}

func ready(t *testing.T, url string) bool { return status(t, url+"/health/ready") == http.StatusOK }

// status asks without following redirects; 0 means no answer.
func status(t *testing.T, url string) int {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return 0
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// lock makes everybody who wants to read codes wait until release is called.
func lock(t *testing.T, databaseURL string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	_, err = conn.Exec(t.Context(), `begin; lock table auth.one_time_tokens in access exclusive mode`)
	require.NoError(t, err)
	return func() { require.NoError(t, conn.Close(context.WithoutCancel(t.Context()))) }
}

func waitForLock(t *testing.T, databaseURL string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	require.Eventually(t, func() bool {
		var waiting int
		err := conn.QueryRow(t.Context(), `select count(*) from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting > 0
	}, 10*time.Second, 10*time.Millisecond)
}
