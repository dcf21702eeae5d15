package dbtest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// prefix marks the databases that this package creates, and drops.
const prefix = "truegrant_test_"

// patience bounds each step: starting the cluster, building a template,
// cloning. It is long because all packages of a run start at the same time.
const patience = 3 * time.Minute

// Template describes databases to clone.
type Template struct {
	// Name is a short word for people who look at the server.
	Name string
	// Fingerprint changes when Migrate would give another result.
	Fingerprint string
	// Migrate fills an empty database, given a superuser's URL. It closes its
	// connections before it returns.
	Migrate func(ctx context.Context, url string) error
}

// Clone returns a superuser's URL of a new database that is a copy of the
// template, which is built first if nobody has done so. The database is dropped
// when the test ends, whoever is still connected.
func Clone(t testing.TB, template Template) (url string) {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	source, err := s.template(t.Context(), template)
	if err != nil {
		t.Fatal(err)
	}
	return create(t, s, source)
}

// Empty returns a superuser's URL of a new database with nothing in it. The
// Supabase roles (anon, authenticated, service_role, supabase_auth_admin) exist,
// as they do for every database of the server.
func Empty(t testing.TB) (url string) {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return create(t, s, "template0")
}

// create makes a database for the test from a source database.
func create(t testing.TB, s *server, source string) string {
	t.Helper()
	name := prefix + strings.ToLower(rand.Text())
	quoted := pgx.Identifier{name}.Sanitize()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	clone := "CREATE DATABASE " + quoted + " TEMPLATE " + pgx.Identifier{source}.Sanitize() + s.strategy
	if _, err := s.pool.Exec(ctx, clone); err != nil {
		t.Fatalf("dbtest: create database: %v", err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if _, err := s.pool.Exec(ctx, "DROP DATABASE IF EXISTS "+quoted+" WITH (FORCE)"); err != nil {
			t.Errorf("dbtest: drop database: %v", err)
		}
	})
	return s.url(name)
}

// database returns the name of the template's database.
func (t Template) database() string {
	sum := sha256.Sum256([]byte(t.Name + "\x00" + t.Fingerprint))
	return prefix + "template_" + t.Name + "_" + hex.EncodeToString(sum[:8])
}

// template returns the name of the template's database, which exists then.
func (s *server) template(ctx context.Context, t Template) (string, error) {
	name := t.database()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.built[name] {
		return name, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := s.build(ctx, name, t.Migrate); err != nil {
		return "", fmt.Errorf("dbtest: template %s: %w", t.Name, err)
	}
	s.built[name] = true
	return name, nil
}

// build makes the template unless it is there. A database under that name is
// complete only if it is marked as a template; what an interrupted build left
// is dropped.
func (s *server) build(ctx context.Context, name string, migrate func(context.Context, string) error) error {
	conn, err := s.pool.Acquire(ctx) // the lock is the connection's
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock(hashtext($1))", name); err != nil {
		return err
	}
	defer func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock(hashtext($1))", name)
	}()
	var ready bool
	const query = "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datistemplate)"
	if err := conn.QueryRow(ctx, query, name).Scan(&ready); err != nil || ready {
		return err
	}
	quoted := pgx.Identifier{name}.Sanitize()
	for _, statement := range []string{
		"DROP DATABASE IF EXISTS " + quoted + " WITH (FORCE)",
		"CREATE DATABASE " + quoted + " TEMPLATE template0",
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return err
		}
	}
	if err := migrate(ctx, s.url(name)); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	// Nobody may connect from now on: a template in use cannot be cloned.
	_, err = conn.Exec(ctx, "ALTER DATABASE "+quoted+" WITH ALLOW_CONNECTIONS false IS_TEMPLATE true")
	return err
}
