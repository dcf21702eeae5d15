package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// options are the command line's.
type options struct {
	postgres string
	binary   string
	pattern  *regexp.Regexp
	callers  []int
	duration time.Duration
	repeat   int
	pool     int
	sessions int
	users    int
	storm    int
	idle     time.Duration
	profile  string
	serve    bool
	now      func() time.Time
	out      io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1) //nolint:gocritic,forbidigo // main exits; stop only restores signals
	}
}

func command(ctx context.Context, args []string) error {
	opts, err := parse(args)
	if err != nil {
		return err
	}
	if opts.serve {
		return serveProfiled(ctx, opts)
	}
	return run(ctx, opts)
}

func parse(args []string) (options, error) {
	opts := options{now: time.Now, out: os.Stdout} //nolint:forbidigo // a program asks the clock
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&opts.postgres, "pg", "", "`URL` of a superuser on a PostgreSQL server; empty starts a private one")
	flags.StringVar(&opts.binary, "server", "bin/truegrant", "the `binary` to measure")
	pattern := flags.String("run", ".", "measure the requests whose name matches this `expression`")
	callers := flags.String("callers", "1,16,64", "numbers of concurrent callers")
	flags.DurationVar(&opts.duration, "duration", 2*time.Second, "length of one turn")
	flags.IntVar(&opts.repeat, "repeat", 3, "turns of each measurement, of which the best counts")
	flags.IntVar(&opts.pool, "pool", 10, "database connections of the server and of the bare SQL")
	flags.IntVar(&opts.sessions, "sessions", 1024, "users with sessions")
	flags.IntVar(&opts.users, "users", 100_000, "all users; those without a session are listed and verify codes")
	flags.IntVar(&opts.storm, "storm", 200, "password logins at once while refreshes are timed; 0 skips that")
	flags.DurationVar(&opts.idle, "idle", time.Minute, "how long the server idles before its memory is read; 0 skips start-up and memory")
	flags.StringVar(&opts.profile, "profile", "", "serve from this program, not the binary, and write a CPU profile to this `file`")
	flags.BoolVar(&opts.serve, "serve", false, "be the server of -profile")
	if err := flags.Parse(args); err != nil {
		return opts, err
	}
	var err error
	if opts.pattern, err = regexp.Compile("(?i)" + *pattern); err != nil {
		return opts, err
	}
	for text := range strings.SplitSeq(*callers, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > opts.sessions {
			return opts, errors.New("-callers takes numbers from 1 to -sessions, separated by commas")
		}
		opts.callers = append(opts.callers, n)
	}
	if opts.users < opts.sessions || opts.storm < 0 {
		return opts, errors.New("-users includes those with -sessions, and -storm is not negative")
	}
	if opts.repeat < 1 || opts.pool < 1 || opts.duration <= 0 {
		return opts, errors.New("-repeat, -pool and -duration must be positive")
	}
	return opts, nil
}

// run prepares database and server, measures and prints.
func run(ctx context.Context, opts options) (err error) {
	db, err := openDatabase(ctx, opts.postgres)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.close()) }()
	place, err := newProject(db.url, opts.pool)
	if err != nil {
		return err
	}
	world, err := seed(ctx, place, opts)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	defer world.close()

	var size *footprint
	if opts.idle > 0 && opts.profile == "" {
		if size, err = measureFootprint(ctx, place, opts); err != nil {
			return err
		}
	}
	server, err := startServer(ctx, place, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	rows, err := compareAll(ctx, world, server, opts)
	if err != nil {
		return err
	}
	storm, err := measureStorm(ctx, world, server, opts)
	if err != nil {
		return fmt.Errorf("storm: %w", err)
	}
	report(rows, size, opts)
	reportPasswords(rows, world, storm, opts)
	return nil
}
