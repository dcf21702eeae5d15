package main

import (
	"context"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/observability"
)

// newLog starts the log: one JSON object a line, to the configured file or to
// standard error. A log that cannot be as configured is better than none.
func newLog(cfg conf.Logging) *logrus.Logger {
	log, err := observability.NewLogger(os.Stderr, cfg.Level)
	if err != nil {
		log.WithError(err).Warn("logging at level info")
	}
	if cfg.File == "" {
		return log
	}
	const ownerAndGroup = 0o660
	file, err := os.OpenFile(cfg.File, os.O_APPEND|os.O_CREATE|os.O_WRONLY, ownerAndGroup)
	if err != nil {
		log.WithError(err).Error("logging to standard error")
		return log
	}
	log.SetOutput(file) // open until the process ends
	return log
}

// statementLog is where statements are written, nil for nowhere.
func statementLog(cfg conf.Logging, log logrus.FieldLogger) logrus.FieldLogger {
	switch cfg.SQL {
	case "statement":
		return log
	case "all":
		log.Warn("GOTRUE_LOG_SQL=all logs statements without their arguments, which hold secrets")
		return log
	}
	return nil
}

// startTelemetry starts metrics and traces; nil when neither is enabled.
func startTelemetry(ctx context.Context, cfg *conf.Config, log logrus.FieldLogger) *observability.Telemetry {
	c := observability.Config{
		MetricsProtocol: cfg.Metrics.ExporterProtocol, TracesProtocol: cfg.Tracing.ExporterProtocol,
		Version: version, Log: log, Now: time.Now,
	}
	if cfg.Metrics.Enabled {
		c.Metrics = cfg.Metrics.Exporter
	}
	if cfg.Tracing.Enabled {
		c.Traces = cfg.Tracing.Exporter
	}
	return observability.Start(ctx, c)
}

// serveOperators opens the listeners for metrics and profiles that cfg asks for.
func serveOperators(ctx context.Context, cfg *conf.Config, telemetry *observability.Telemetry, log logrus.FieldLogger) {
	if handler := telemetry.Scrape(); handler != nil {
		address := net.JoinHostPort(cfg.Metrics.PrometheusListenHost, cfg.Metrics.PrometheusListenPort)
		beside(ctx, address, handler, log.WithField("serves", "metrics"))
	}
	if cfg.Profiler.Enabled {
		address := net.JoinHostPort(cfg.Profiler.Host, cfg.Profiler.Port)
		beside(ctx, address, observability.Profiles(), log.WithField("serves", "profiles"))
	}
}

// beside serves a handler on a listener of its own until ctx is done. Failing to
// is no reason to keep users out.
func beside(ctx context.Context, address string, handler http.Handler, log logrus.FieldLogger) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		log.WithError(err).Error("no listener for operators")
		return
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // nobody waits for a last look
	go func() { _ = server.Serve(listener) }()            // ends with server.Close
	log.WithField("address", listener.Addr().String()).Info("serving operators")
}
