package main

import (
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Server is a running instance of the server under test for one profile.
type Server struct {
	Key   string
	Base  string
	DBURL string
	DB    *sql.DB
	env   map[string]string
	cmd   *exec.Cmd
	lab   *Lab
	port  int
}

// start makes the server that a group of scenarios talks to.
func (l *Lab) start(profile, instance string) (*Server, error) {
	key := strings.ReplaceAll(profile, "-", "_")
	if instance != "" {
		key += "__" + strings.ReplaceAll(instance, "-", "_")
	}
	s := &Server{Key: key, lab: l}
	if l.cfg.Base != "" {
		return s, s.attach(profile)
	}
	if err := l.prepareTemplate(); err != nil {
		return nil, err
	}
	err := s.createDatabase()
	if err == nil {
		err = s.configure(profile)
	}
	if err == nil {
		err = s.launch()
	}
	if err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// attach uses the server that runs already (--base).
func (s *Server) attach(profile string) error {
	s.Base = strings.TrimRight(s.lab.cfg.Base, "/")
	s.DBURL = os.Getenv("DATABASE_URL")
	env, _, err := s.lab.environ(profile, s.DBURL, 0)
	if err != nil {
		return err
	}
	s.env = env
	if s.DBURL == "" {
		return nil // steps that look at rows will fail
	}
	plain, err := withoutTLS(s.DBURL)
	if err != nil {
		return err
	}
	s.DB, err = sql.Open("postgres", plain)
	return err
}

func (s *Server) databaseName() string { return s.lab.cfg.DBPrefix + s.Key }

// createDatabase clones the template.
func (s *Server) createDatabase() error {
	l, name := s.lab, s.databaseName()
	admin, err := l.adminDB("postgres")
	if err != nil {
		return err
	}
	defer admin.Close()
	if _, err := admin.Exec(`drop database if exists ` + name + ` with (force)`); err != nil {
		return err
	}
	if _, err := admin.Exec(`create database ` + name + ` template ` + l.cfg.DBPrefix + `template`); err != nil {
		return err
	}
	s.DBURL = l.roleURL(name)
	if s.DB, err = l.adminDB(name); err != nil {
		return err
	}
	s.DB.SetMaxOpenConns(8)
	return nil
}

// configure takes a port and prepares what the profile says.
func (s *Server) configure(profile string) error {
	if s.port = s.lab.takePort(); s.port == 0 {
		return errors.New("no free port in range")
	}
	s.Base = fmt.Sprintf("http://127.0.0.1:%d", s.port)
	env, sqls, err := s.lab.environ(profile, s.DBURL, s.port)
	if err != nil {
		return err
	}
	s.env = env
	for _, q := range append([]string{
		`grant create on database ` + s.databaseName() + ` to supabase_auth_admin`,
		`alter role supabase_auth_admin in database ` + s.databaseName() + ` set search_path = 'auth'`,
	}, sqls...) {
		if _, err := s.DB.Exec(q); err != nil {
			return fmt.Errorf("profile sql %.60q: %w", q, err)
		}
	}
	return nil
}

// launch starts the binary and waits until it is healthy.
func (s *Server) launch() error {
	logDir := s.lab.dir
	if s.lab.cfg.LogDir != "" {
		logDir = s.lab.cfg.LogDir
		if err := os.MkdirAll(logDir, 0o755); err != nil {
			return err
		}
	}
	logPath := filepath.Join(logDir, s.Key+".log")
	log, err := os.Create(logPath)
	if err != nil {
		return err
	}
	s.cmd = s.lab.command(s.lab.cfg.ServeArgs, s.env)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	if err := s.cmd.Start(); err != nil {
		_ = log.Close()
		return err
	}
	exited := make(chan struct{})
	go func() { _ = s.cmd.Wait(); close(exited); log.Close() }()
	ok := waitFor(30*time.Second, func() bool {
		select {
		case <-exited:
			return true
		default:
			return s.healthy()
		}
	})
	select {
	case <-exited:
		out, _ := os.ReadFile(logPath)
		return fmt.Errorf("the server exited at start:\n%s", out[max(0, len(out)-2000):])
	default:
	}
	if !ok {
		return errors.New("the server did not become healthy")
	}
	return nil
}

func (s *Server) healthy() bool {
	r, err := http.Get(s.Base + "/health")
	if err != nil {
		return false
	}
	r.Body.Close()
	return r.StatusCode == http.StatusOK
}

// stop ends the server and drops its database, unless they are not ours.
func (s *Server) stop() {
	if s.cmd != nil && s.cmd.Process != nil {
		_ = s.cmd.Process.Kill()
	}
	if s.DB != nil {
		s.DB.Close()
	}
	if s.lab.cfg.Base != "" {
		return
	}
	if admin, err := s.lab.adminDB("postgres"); err == nil {
		_, _ = admin.Exec(`drop database if exists ` + s.databaseName() + ` with (force)`)
		admin.Close()
	}
	s.lab.mu.Lock()
	delete(s.lab.usedPort, s.port)
	s.lab.mu.Unlock()
}
