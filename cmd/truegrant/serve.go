package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
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
	telemetry := startTelemetry(ctx, cfg, log)
	defer exportRest(ctx, telemetry, log)
	server, err := app.New(cfg, app.Options{
		Log: log, Now: time.Now, Random: rand.Reader, Version: version, Telemetry: telemetry,
		Tracer: telemetry.Statements(statementLog(cfg.Logging, log), time.Now),
	})
	if err != nil {
		return err
	}
	makeRoom()
	defer closeQuietly(log, server)
	if err := server.DB.Resize(ctx, cfg.DB); err != nil {
		log.WithError(err).Warn("the pool keeps its default size")
	}
	serveOperators(ctx, cfg, telemetry, log)
	go server.Background(ctx)
	go (&reloader{sources: *sources, server: server, log: log}).run(ctx, cfg.Reloading)
	return listen(ctx, net.JoinHostPort(cfg.API.Host, cfg.API.Port), server.Handler, log)
}

// exportRest exports what was measured last; ctx may be over.
func exportRest(ctx context.Context, telemetry *observability.Telemetry, log logrus.FieldLogger) {
	if err := telemetry.Shutdown(context.WithoutCancel(ctx)); err != nil {
		log.WithError(err).Warn("the last metrics or traces are lost")
	}
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
	log := newLog(cfg.Logging)
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
	forgetStart()

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
