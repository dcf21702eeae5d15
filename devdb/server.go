package devdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var errPortTaken = errors.New("devdb: the port is taken")

const (
	logFile      = "postgres.log"
	startTimeout = 60 * time.Second
	fastWait     = 20 * time.Second // for a fast shutdown, before the immediate one
	quitWait     = 10 * time.Second
	dialWait     = 10 * time.Second
)

// ownerWatch stops the server when its owner dies: the owner holds the other
// end of standard input and never writes to it, except one line to say that the
// watch is over. A pipe works on every Unix and, unlike a parent-death signal,
// does not depend on the thread that started the server.
const ownerWatch = `read -r _ || kill -INT "$1"`

// server is a PostgreSQL server that this process started.
type server struct {
	place place
	cmd   *exec.Cmd
	done  chan struct{} // closed when the server has ended
	watch *os.File      // the owner's end of the watch's pipe; nil if not watched
}

// serverArgs are the settings that must not depend on a file.
func serverArgs(data string, port int, durable bool) []string {
	settings := []string{
		"listen_addresses=127.0.0.1",
		"unix_socket_directories=",
		"logging_collector=off",
		"timezone=UTC",
		"log_timezone=UTC",
	}
	if !durable {
		settings = append(settings,
			"fsync=off", "synchronous_commit=off", "full_page_writes=off",
			"max_connections=300", "wal_level=minimal", "max_wal_senders=0",
			"checkpoint_timeout=1h", "max_wal_size=512MB", "jit=off",
		)
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port)}
	for _, s := range settings {
		args = append(args, "-c", s)
	}
	return args
}

// startServer starts the server and returns at once.
func (p place) startServer(ctx context.Context, bins binaries, port int, durable bool) (*server, error) {
	log, err := os.OpenFile(filepath.Join(p.dir, logFile), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("devdb: %w", err)
	}
	defer func() { _ = log.Close() }()
	// Not bound to the context: that is the deadline of the start only.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(bins.dir, "postgres"), serverArgs(p.data, port, durable)...)
	p.user.run(cmd)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("devdb: start the server: %w", err)
	}
	s := &server{place: p, cmd: cmd, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in its log
		close(s.done)
	}()
	return s, nil
}

// waitReady returns when the server accepts connections, or why it does not.
func (s *server) waitReady(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ping(ctx, url)
		if err == nil {
			return nil
		}
		select {
		case <-s.done:
			return s.startError()
		case <-ctx.Done():
			return fmt.Errorf("devdb: the server does not answer (see %s): %w", filepath.Join(s.place.dir, logFile), err)
		case <-tick.C:
		}
	}
}

// startError explains why the server ended while starting.
func (s *server) startError() error {
	out, err := os.ReadFile(filepath.Join(s.place.dir, logFile))
	if err != nil {
		return fmt.Errorf("devdb: the server did not start: %w", err)
	}
	text := tail(out)
	if strings.Contains(text, "Address already in use") {
		return fmt.Errorf("%w\n%s", errPortTaken, text)
	}
	return fmt.Errorf("devdb: the server did not start:\n%s", text)
}

// watchOwner makes the server end when this process does.
func (s *server) watchOwner() error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("devdb: %w", err)
	}
	defer func() { _ = r.Close() }()
	cmd := exec.Command("/bin/sh", "-c", ownerWatch, "sh", strconv.Itoa(s.cmd.Process.Pid)) //nolint:noctx // outlives us by design
	s.place.user.run(cmd)
	cmd.Stdin = r
	if err := cmd.Start(); err != nil {
		_ = w.Close()
		return fmt.Errorf("devdb: start the watch: %w", err)
	}
	s.watch = w
	go func() {
		<-s.done // this also keeps the pipe from being collected, and so closed
		_, _ = w.WriteString("over\n")
		_ = w.Close()
		_ = cmd.Wait()
	}()
	return nil
}

// stop shuts the server down, in order if it can be done in time.
func (s *server) stop() error {
	select {
	case <-s.done:
		return fmt.Errorf("devdb: the server had ended by itself, see %s", filepath.Join(s.place.dir, logFile))
	default:
	}
	pid := s.cmd.Process.Pid
	if err := signal(pid, fastShutdown); err != nil {
		return fmt.Errorf("devdb: stop the server: %w", err)
	}
	if s.waitDone(fastWait) {
		return nil
	}
	_ = signal(pid, immediateShutdown)
	if s.waitDone(quitWait) {
		return nil
	}
	if err := s.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("devdb: stop the server: %w", err)
	}
	<-s.done
	return nil
}

func (s *server) waitDone(atMost time.Duration) bool {
	timer := time.NewTimer(atMost)
	defer timer.Stop()
	select {
	case <-s.done:
		return true
	case <-timer.C:
		return false
	}
}

// ping reports whether a server answers. An answer that refuses us for another
// reason than still starting is one too: a full server is a live server.
func ping(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, dialWait)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err == nil {
		return conn.Close(ctx)
	}
	var refused *pgconn.PgError
	const cannotConnectNow, authorization = "57P03", "28"
	if errors.As(err, &refused) && refused.Code != cannotConnectNow && !strings.HasPrefix(refused.Code, authorization) {
		return nil
	}
	return err
}

// freePort returns the preferred port if nobody listens there, else another.
func freePort(ctx context.Context, preferred int) (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", "127.0.0.1:"+strconv.Itoa(preferred))
	if err != nil && preferred != 0 {
		l, err = lc.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	if err != nil {
		return 0, fmt.Errorf("devdb: find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	addr, ok := l.Addr().(*net.TCPAddr)
	if !ok {
		return 0, fmt.Errorf("devdb: find a free port: unexpected address %s", l.Addr())
	}
	return addr.Port, nil
}
