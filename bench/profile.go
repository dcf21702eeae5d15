package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"github.com/truegrant/truegrant/app"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/observability"
)

// The settings of `truegrant serve` that matter here.
const (
	gcPercent     = 200
	headerTimeout = 2 * time.Second
)

// serveProfiled is `truegrant serve` under the CPU profiler, until ctx is done.
func serveProfiled(ctx context.Context, opts options) (err error) {
	cfg, _, err := conf.Load(conf.Sources{})
	if err != nil {
		return err
	}
	log, err := observability.NewLogger(os.Stderr, cfg.Logging.Level)
	if err != nil {
		return err
	}
	debug.SetGCPercent(gcPercent)
	server, err := app.New(cfg, app.Options{
		Log: log, Now: opts.now, Random: rand.Reader, Version: "bench", Tracer: new(observability.StatementCounter),
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	file, err := os.Create(opts.profile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()

	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(cfg.API.Host, cfg.API.Port))
	if err != nil {
		return err
	}
	web := &http.Server{Handler: server.Handler, ReadHeaderTimeout: headerTimeout}
	context.AfterFunc(ctx, func() { _ = web.Close() })
	if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
