package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"github.com/truegrant/truegrant/app"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/devdb"
	"github.com/truegrant/truegrant/migrations"
	"github.com/truegrant/truegrant/observability"
)

// devDatabase is the database of `truegrant dev`.
const devDatabase = "truegrant"

type devOptions struct {
	dir   string
	port  int
	reset bool
}

func devCommand() *cobra.Command {
	opts := devOptions{}
	command := &cobra.Command{
		Use: "dev", Short: "Run everything on this machine to try it out", Args: cobra.NoArgs,
		Long: "dev runs the server with a private PostgreSQL, fresh keys, a demo user, a demo client\n" +
			"and pages to sign in and consent. Data and keys stay in a folder for the next run.",
		RunE: func(cmd *cobra.Command, _ []string) error { return dev(cmd.Context(), cmd, opts) },
	}
	command.Flags().StringVar(&opts.dir, "dir", ".truegrant", "`folder` for data and keys")
	command.Flags().IntVar(&opts.port, "port", 9999, "port to serve on")
	command.Flags().BoolVar(&opts.reset, "reset", false, "start afresh: remove the data and keys of earlier runs")
	return command
}

// dev runs until ctx is done.
func dev(ctx context.Context, cmd *cobra.Command, opts devOptions) (err error) {
	dir, err := filepath.Abs(opts.dir)
	if err != nil {
		return err
	}
	if opts.reset {
		if err := resetDev(ctx, dir); err != nil {
			return err
		}
	}
	out := cmd.OutOrStdout()
	fmt.Fprintln(out, "Starting PostgreSQL …")
	cluster, err := startDevDatabase(ctx, dir, func(format string, args ...any) {
		fmt.Fprintf(out, "  "+format+"\n", args...)
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()

	project, err := openProject(dir, opts.port)
	if err != nil {
		return err
	}
	project.databaseURL = cluster.URL(devDatabase)
	return project.run(ctx, cmd)
}

func resetDev(ctx context.Context, dir string) error {
	if err := devdb.Reset(ctx, filepath.Join(dir, "postgres")); err != nil {
		return fmt.Errorf("reset: %w", err)
	}
	if err := os.Remove(filepath.Join(dir, projectFile)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reset: %w", err)
	}
	return nil
}

func startDevDatabase(ctx context.Context, dir string, logf func(string, ...any)) (*devdb.Cluster, error) {
	cluster, err := devdb.Start(ctx, devdb.Options{Dir: filepath.Join(dir, "postgres"), Durable: true, Logf: logf})
	if err != nil {
		return nil, err
	}
	err = cluster.EnsureSupabaseRoles(ctx)
	if err == nil {
		err = cluster.EnsureDatabase(ctx, devDatabase)
	}
	if err != nil {
		return nil, errors.Join(err, cluster.Stop())
	}
	return cluster, nil
}

// run serves the project until ctx is done.
func (p *project) run(ctx context.Context, cmd *cobra.Command) error {
	cfg, err := p.config()
	if err != nil {
		return err
	}
	log, err := observability.NewLogger(cmd.ErrOrStderr(), cfg.Logging.Level)
	if err != nil {
		return err
	}
	log.SetFormatter(&logrus.TextFormatter{TimestampFormat: time.TimeOnly, FullTimestamp: true})
	quietPop(log)
	if _, err := migrations.Up(ctx, migrationOptions(cfg, log)); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	server, err := app.New(cfg, app.Options{
		Log: log, Now: time.Now, Random: rand.Reader, Version: version, Tracer: &observability.StatementCounter{},
	})
	if err != nil {
		return err
	}
	defer closeQuietly(log, server)
	if err := openSchema(ctx, server); err != nil {
		return err
	}
	if err := p.seed(ctx, server.Handler); err != nil {
		return err
	}
	go server.Background(ctx)
	p.announce(cmd.OutOrStdout())
	return listen(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)), p.pages(server.Handler), log)
}

// openSchema lets policies call auth.uid() and its kin, as the database image of
// a Supabase project does. The tables stay closed.
func openSchema(ctx context.Context, server *app.App) error {
	_, err := server.DB.Conn(ctx).Exec(`grant usage on schema auth to anon, authenticated, service_role`)
	if err != nil {
		return fmt.Errorf("open schema: %w", err)
	}
	return nil
}

// config is the environment's configuration with the project's values where
// the environment has none: the same server that `truegrant serve` runs.
func (p *project) config() (*conf.Config, error) {
	for name, value := range p.environment() {
		if _, given := os.LookupEnv(name); given {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			return nil, fmt.Errorf("set %s: %w", name, err)
		}
	}
	cfg, _, err := conf.Load(conf.Sources{WorkDir: p.dir})
	return cfg, err
}
