package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/gobuffalo/pop/v6"
	"github.com/gobuffalo/pop/v6/logging"
	"github.com/jackc/pgx/v5"

	"github.com/truegrant/truegrant/devdb"
	"github.com/truegrant/truegrant/migrations"
)

// closeTimeout bounds the removal of the database.
const closeTimeout = 30 * time.Second

// database is the migrated database that is measured.
type database struct {
	url   string
	close func() error
}

// openDatabase creates a database on the server of a superuser's URL, or on a
// private durable cluster if there is none.
func openDatabase(ctx context.Context, superuser string) (*database, error) {
	stop := func() error { return nil }
	if superuser == "" {
		dir := filepath.Join(os.TempDir(), "truegrant-bench-pg-"+strconv.Itoa(os.Getuid()))
		cluster, err := devdb.Start(ctx, devdb.Options{Dir: dir, Durable: true, Fresh: true})
		if err != nil {
			return nil, err
		}
		superuser = cluster.URL("postgres")
		stop = func() error {
			timeout, cancel := context.WithTimeout(context.Background(), closeTimeout)
			defer cancel()
			return errors.Join(cluster.Stop(), devdb.Reset(timeout, dir))
		}
	}
	db, err := createDatabase(ctx, superuser)
	if err != nil {
		return nil, errors.Join(err, stop())
	}
	drop := db.close
	db.close = func() error { return errors.Join(drop(), stop()) }
	return db, nil
}

func createDatabase(ctx context.Context, superuser string) (*database, error) {
	target, err := url.Parse(superuser)
	if err != nil {
		return nil, errors.New("the URL of the server cannot be parsed") // the cause may quote the password
	}
	if err := devdb.EnsureSupabaseRoles(ctx, superuser); err != nil {
		return nil, err
	}
	name := "truegrant_bench_" + strings.ToLower(rand.Text()[:8])
	quoted := pgx.Identifier{name}.Sanitize()
	if err := execute(ctx, superuser, "create database "+quoted); err != nil {
		return nil, err
	}
	target.Path = "/" + name
	db := &database{url: target.String()}
	db.close = func() error {
		timeout, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		return execute(timeout, superuser, "drop database "+quoted+" with (force)")
	}
	pop.SetLogger(func(logging.Level, string, ...any) {}) // it would tell of every migration
	if _, err := migrations.Up(ctx, migrations.Options{URL: db.url}); err != nil {
		return nil, errors.Join(err, db.close())
	}
	return db, nil
}

func execute(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	_, err = conn.Exec(ctx, statement)
	return errors.Join(err, conn.Close(ctx))
}
