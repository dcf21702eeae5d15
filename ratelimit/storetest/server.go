package storetest

import (
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// attempts with a pause between them are far more time than a server needs.
const (
	attempts = 4000
	pause    = 5 * time.Millisecond
)

// Server is a server of a test's own. It keeps nothing on disk.
type Server struct {
	// URL is how to reach it, whether it runs or not.
	URL string

	t       testing.TB
	socket  string
	running *exec.Cmd
}

// Start starts a server that stops with the test. Where there is no server
// program the test is skipped.
func Start(t testing.TB) *Server {
	t.Helper()
	s := New(t)
	s.Start()
	return s
}

// New returns a server that does not run yet.
func New(t testing.TB) *Server {
	t.Helper()
	if program() == "" {
		t.Skip("no Redis or Valkey server found; Debian: apt-get install redis-tools (or redis-server, valkey-server)")
	}
	// A socket's path must be short, which that of t.TempDir need not be.
	folder, err := os.MkdirTemp("", "store-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, socket: filepath.Join(folder, "s")}
	s.URL = (&url.URL{Scheme: "unix", Path: s.socket}).String()
	t.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(folder)
	})
	return s
}

// program finds a server. In Debian's packages redis-server and redis-check-rdb
// are one program, and the latter comes without a service that would be started.
func program() string {
	for _, name := range []string{"valkey-server", "redis-server", "redis-check-rdb"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Start lets the server run and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	//nolint:gosec,noctx // a program that was looked for by name, and that Stop ends
	command := exec.Command(program(), "--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no")
	if filepath.Base(command.Path) == "redis-check-rdb" {
		command.Args[0] = "redis-server"
	}
	command.Dir = filepath.Dir(s.socket)
	if err := command.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.running = command
	for range attempts {
		if conn, err := new(net.Dialer).DialContext(s.t.Context(), "unix", s.socket); err == nil {
			_ = conn.Close()
			return
		}
		time.Sleep(pause)
	}
	s.t.Fatal("the server does not answer")
}

// Stop ends the server as a crash would; what it counted is lost.
func (s *Server) Stop() {
	if s.running == nil {
		return
	}
	_ = s.running.Process.Kill()
	_ = s.running.Wait()
	s.running = nil
}
