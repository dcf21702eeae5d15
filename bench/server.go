package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

const (
	startTimeout = 20 * time.Second
	pollInterval = 500 * time.Microsecond
	// clockTick is the unit of the times in /proc/<pid>/stat: USER_HZ, which is
	// 100 for programs on every Linux.
	clockTick = 10 * time.Millisecond
)

// server is the process that is measured, with its log.
type server struct {
	address string
	command *exec.Cmd
	log     *os.File // as it is being read
	folder  string
}

// startServer starts the server and waits until it answers.
func startServer(ctx context.Context, p *project, opts options) (*server, error) {
	binary, args := opts.binary, []string{"serve"}
	if opts.profile != "" {
		own, err := os.Executable()
		if err != nil {
			return nil, err
		}
		profile, err := filepath.Abs(opts.profile)
		if err != nil {
			return nil, err
		}
		binary, args = own, []string{"-serve", "-profile", profile}
	}
	binary, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "truegrant-bench-") // holds no settings that would be read
	if err != nil {
		return nil, err
	}
	s := &server{address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), folder: folder}
	s.command = exec.CommandContext(ctx, binary, args...) //nolint:gosec // the operator names the binary
	s.command.Dir, s.command.Env = folder, p.environment(port)
	s.command.Cancel = func() error { return s.command.Process.Signal(syscall.SIGTERM) }
	if err := s.start(ctx, opts.now); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return s, nil
}

func (s *server) start(ctx context.Context, now func() time.Time) error {
	name := filepath.Join(s.folder, "log")
	out, err := os.Create(name)
	if err != nil {
		return err
	}
	defer out.Close() //nolint:errcheck // the process has its own
	if s.log, err = os.Open(name); err != nil {
		return err
	}
	s.command.Stderr = out
	if err := s.command.Start(); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	if err := s.waitReady(ctx, now); err != nil {
		text, _ := io.ReadAll(s.log)
		return errors.Join(fmt.Errorf("%w\n%s", err, text), s.end())
	}
	return nil
}

// waitReady asks for /health until it is answered.
func (s *server) waitReady(ctx context.Context, now func() time.Time) error {
	for deadline := now().Add(startTimeout); now().Before(deadline); time.Sleep(pollInterval) {
		conn, err := dial(ctx, s.address, now)
		if err != nil {
			continue
		}
		conn.request("GET", "/health", "", "")
		err = conn.do("", 200)
		_ = conn.conn.Close()
		if err == nil {
			return nil
		}
	}
	return errors.New("the server does not answer")
}

// stop ends the process and removes its log.
func (s *server) stop() error {
	return errors.Join(s.end(), s.log.Close(), os.RemoveAll(s.folder)) //nolint:gosec // a folder that we made
}

func (s *server) end() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return s.command.Wait()
}

// usage is what the process has used so far, or between two moments.
type usage struct {
	cpu        time.Duration
	requests   int
	statements int
}

// usage reads the CPU time of the process and what its log says about requests
// since the last call.
func (s *server) usage() (usage, error) {
	var u usage
	var err error
	if u.cpu, err = cpuTime(s.command.Process.Pid); err != nil {
		return u, err
	}
	text, err := io.ReadAll(s.log)
	if err != nil {
		return u, err
	}
	for line := range bytes.Lines(text) {
		var entry struct {
			Statements *int `json:"statements"`
		}
		if json.Unmarshal(line, &entry) == nil && entry.Statements != nil {
			u.requests++
			u.statements += *entry.Statements
		}
	}
	return u, nil
}

// since returns the usage between two moments. Requests are counted since the
// last reading already.
func (u usage) since(before usage) usage {
	u.cpu -= before.cpu
	return u
}

// row combines a turn with what it used.
func (u usage) row(r result) row {
	combined := row{http: r, statements: -1, cpu: -1}
	if r.operations > 0 {
		combined.cpu = u.cpu / time.Duration(r.operations)
		combined.statements = float64(u.statements) / float64(r.operations)
	}
	return combined
}

// cpuTime is the user and system time of a process so far.
func cpuTime(pid int) (time.Duration, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat")) //nolint:gosec // a number
	if err != nil {
		return 0, err
	}
	// The name in parentheses may hold spaces: count from behind it. utime and
	// stime are fields 14 and 15, the first one behind is field 3.
	_, rest, _ := bytes.Cut(text, []byte(") "))
	fields := bytes.Fields(rest)
	if len(fields) < 13 {
		return 0, errors.New("/proc/<pid>/stat is malformed")
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

func freePort(ctx context.Context) (int, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer listener.Close() //nolint:errcheck // the port is known
	return listener.Addr().(*net.TCPAddr).Port, nil
}
