package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/storage/dbtest"
)

// get asks and returns the body, "" when there is no answer.
func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return string(text)
}

// The whole life of a server that is configured by a directory: its settings
// come from there, follow it, and survive what is wrong with it.
func TestReloadFromDirectory(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	dir := t.TempDir()
	write := func(text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, "10.env"), []byte(text), 0o600))
	}
	write("PORT=" + strconv.Itoa(port))
	server, _, log := program(t, append(environment(dbtest.Empty(t), 1), "GOTRUE_RELOADING_GRACE_PERIOD_INTERVAL=100ms",
		"GOTRUE_RELOADING_SIGNAL_ENABLED=true"), "--config-dir", dir)
	path := filepath.Join(t.TempDir(), "log")
	server.Env = append(server.Env, "GOTRUE_LOG_FILE="+path, "GOTRUE_LOG_SQL=statement")
	require.NoError(t, server.Start())
	url := "http://127.0.0.1:" + strconv.Itoa(port)
	logged := func(text string) func() bool {
		return func() bool { raw, _ := os.ReadFile(path); return strings.Contains(string(raw), text) }
	}
	require.Eventually(t, func() bool { return ready(t, url) }, 30*time.Second, 20*time.Millisecond)
	_, stderr, code := run(t, environment("postgres://u@127.0.0.1:1/x", 1), "healthcheck", "--config-dir", dir)
	require.Zero(t, code, stderr)
	signupDisabled := func(want bool) func() bool {
		return func() bool {
			var settings struct {
				DisableSignup bool `json:"disable_signup"`
			}
			return json.Unmarshal([]byte(get(t, url+"/settings")), &settings) == nil && settings.DisableSignup == want
		}
	}
	require.True(t, signupDisabled(false)())

	write("GOTRUE_DISABLE_SIGNUP=true")
	require.Eventually(t, signupDisabled(true), 20*time.Second, 20*time.Millisecond)
	write("GOTRUE_DISABLE_SIGNUP=false\nGOTRUE_JWT_EXP=soon")
	require.Eventually(t, logged("the old one stays in force"), 20*time.Second, 20*time.Millisecond)
	require.True(t, signupDisabled(true)())
	require.True(t, ready(t, url))
	write("GOTRUE_DISABLE_SIGNUP=false\nGOTRUE_JWT_EXP=60")
	require.Eventually(t, signupDisabled(false), 20*time.Second, 20*time.Millisecond)

	status(t, url+"/verify?type=signup&token=x")
	before, _ := os.ReadFile(path)
	require.NoError(t, server.Process.Signal(syscall.SIGUSR1))
	require.Eventually(t, func() bool {
		raw, _ := os.ReadFile(path)
		return strings.Contains(string(raw[len(before):]), "configuration is reloaded")
	}, 20*time.Second, 20*time.Millisecond)

	require.NoError(t, server.Process.Signal(syscall.SIGHUP))
	require.NoError(t, server.Wait(), "SIGHUP stops, as with GoTrue")
	require.Empty(t, log.String(), "the log goes to its file")
	require.True(t, logged(`"component":"sql"`)())
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o007)
}

// Metrics and profiles have listeners of their own; `serve` alone has them too.
func TestOperatorsListeners(t *testing.T) {
	t.Parallel()
	port, metrics, profiles := freePort(t), freePort(t), freePort(t)
	server, _, log := program(t, append(environment(dbtest.New(t), port),
		"GOTRUE_METRICS_ENABLED=true", "GOTRUE_METRICS_EXPORTER=prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST=127.0.0.1",
		"OTEL_EXPORTER_PROMETHEUS_PORT="+strconv.Itoa(metrics), "GOTRUE_PROFILER_ENABLED=true",
		"GOTRUE_PROFILER_PORT="+strconv.Itoa(profiles)), "serve")
	require.NoError(t, server.Start())
	url := "http://127.0.0.1:"
	require.Eventually(t, func() bool { return ready(t, url+strconv.Itoa(port)) }, 30*time.Second, 20*time.Millisecond)
	get(t, url+strconv.Itoa(port)+"/user")
	text := get(t, url+strconv.Itoa(metrics)+"/metrics")
	require.Regexp(t, `truegrant_request_statements_count\{http_request_method="GET",http_route="/user",status_class="4xx"\} 1\n`, text)
	require.Contains(t, text, `db_client_connection_count{state="idle"} 1`)
	require.Contains(t, get(t, "http://localhost:"+strconv.Itoa(profiles)+"/debug/pprof/goroutine?debug=1"), "goroutine profile")
	require.NotContains(t, get(t, url+strconv.Itoa(port)+"/debug/pprof/"), "goroutine", "not where users are")
	require.NotContains(t, get(t, url+strconv.Itoa(port)+"/metrics"), "truegrant_request")

	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.NoError(t, server.Wait(), log.String())
	require.Empty(t, get(t, url+strconv.Itoa(metrics)))
}

// A port that is taken costs the metrics, not the service.
func TestMetricsPortIsTaken(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	server, _, log := program(t, append(environment("postgres://u@127.0.0.1:1/x", port),
		"GOTRUE_METRICS_ENABLED=true", "GOTRUE_METRICS_EXPORTER=prometheus", "OTEL_EXPORTER_PROMETHEUS_HOST=192.0.2.1",
		"GOTRUE_LOG_FILE=/does/not/exist"), "serve")
	require.NoError(t, server.Start())
	require.Eventually(t, func() bool {
		return status(t, "http://127.0.0.1:"+strconv.Itoa(port)+"/health") == http.StatusOK
	}, 30*time.Second, 20*time.Millisecond)
	require.NoError(t, server.Process.Signal(syscall.SIGTERM))
	require.NoError(t, server.Wait())
	require.Contains(t, log.String(), "no listener for operators")
	require.Contains(t, log.String(), "logging to standard error")
}
