package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/spf13/cobra"

	"github.com/truegrant/truegrant/app"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/observability"
)

// Limits of the listener.
const (
	headerTimeout   = 2 * time.Second
	readTimeout     = 30 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = time.Minute
	maxHeaderBytes  = 64 << 10
)

// gcPercent trades memory for collector work. Requests leave little behind, so
// the heap stays small even with a higher ratio than Go's default.
const gcPercent = 200

func serveCommand(sources *conf.Sources) *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Serve the API", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), sources) },
	}
}

// serve runs the API until ctx is done.
func serve(ctx context.Context, sources *conf.Sources) error {
	cfg, log, err := load(sources)
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	server, err := app.New(cfg, app.Options{
		Log: log, Now: time.Now, Random: rand.Reader, Version: version, Tracer: &observability.StatementCounter{},
	})
	if err != nil {
		return err
	}
	makeRoom()
	defer closeQuietly(log, server)
	if percent := cfg.DB.ConnPercentage; percent > 0 {
		if _, err := server.DB.SizeByPercentage(ctx, percent); err != nil {
			log.WithError(err).Warn("the pool keeps its default size")
		}
	}
	go server.Janitor.Run(ctx)
	go server.Indexer.Run(ctx)
	return listen(ctx, net.JoinHostPort(cfg.API.Host, cfg.API.Port), server.Handler, log)
}

// makeRoom lets Go use twice as many threads. The server hashes a password on
// each processor at most; those threads yield to the others, which the kernel can
// see to and Go's scheduler cannot: it would let requests wait for hashes.
func makeRoom() { runtime.GOMAXPROCS(2 * runtime.GOMAXPROCS(0)) }

// load reads the configuration and starts the log.
func load(sources *conf.Sources) (*conf.Config, *logrus.Logger, error) {
	cfg, warnings, err := conf.Load(*sources)
	if err != nil {
		return nil, nil, err
	}
	log, err := observability.NewLogger(os.Stderr, cfg.Logging.Level)
	if err != nil {
		log.WithError(err).Warn("logging at level info")
	}
	for _, warning := range warnings {
		log.Warn(warning.String())
	}
	quietPop(log)
	return cfg, log, nil
}

// listen serves until ctx is done, then lets running requests finish.
func listen(ctx context.Context, address string, handler http.Handler, log logrus.FieldLogger) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	log.WithField("address", listener.Addr().String()).Info("serving")

	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	log.Info("shutting down")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	if err := server.Shutdown(drain); err != nil && !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("shut down: %w", err)
	}
	return nil
}

func closeQuietly(log logrus.FieldLogger, server *app.App) {
	if err := server.Close(); err != nil {
		log.WithError(err).Warn("database connections did not close cleanly")
	}
}
