package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/app"
	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/watch"
)

// reloader puts changes of the configuration directory in force.
type reloader struct {
	sources conf.Sources
	server  *app.App
	log     logrus.FieldLogger
}

// run watches until ctx is done. Without a directory there is nothing that could
// change: the environment of a process does not.
func (r *reloader) run(ctx context.Context, cfg conf.Reloading) {
	if r.sources.ConfigDir == "" {
		return
	}
	r.sources.RequireDir = true
	directory := &watch.Directory{
		Path: r.sources.ConfigDir, Notify: cfg.NotifyEnabled, Poll: cfg.PollerEnabled,
		PollInterval: cfg.PollerInterval, Grace: cfg.GracePeriodInterval, Log: r.log,
	}
	if cfg.SignalEnabled {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.Signal(cfg.SignalNumber))
		defer signal.Stop(signals)
		directory.Signals = signals
	}
	directory.Run(ctx, func() { r.reload(ctx) })
}

func (r *reloader) reload(ctx context.Context) {
	cfg, warnings, err := conf.Load(r.sources)
	for _, warning := range warnings {
		r.log.Warn(warning.String())
	}
	if err == nil {
		err = r.server.Reload(ctx, cfg)
	}
	if err != nil {
		r.log.WithError(err).Error("configuration is not reloaded, the old one stays in force")
		return
	}
	r.log.Info("configuration is reloaded")
}
