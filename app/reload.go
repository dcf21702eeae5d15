package app

import (
	"context"
	"fmt"
	"reflect"
	"sync"

	"github.com/truegrant/truegrant/conf"
)

// Reload puts a new configuration in force for the requests that arrive from
// now on. On an error the old one stays, whole. Settings that hold from start to
// end keep their values; those that were to change are named in the log.
func (a *App) Reload(ctx context.Context, cfg *conf.Config) error {
	a.reload.Lock()
	defer a.reload.Unlock()
	running := a.current.Load()
	next, ignored := keepStartOnly(cfg, running.config)
	if len(ignored) > 0 {
		a.opts.Log.WithField("settings", ignored).Warn("these settings change with the next start only")
	}
	built, err := a.build(next, running)
	if err != nil {
		return fmt.Errorf("reload: %w", err)
	}
	if err := a.DB.Resize(ctx, next.DB); err != nil {
		a.opts.Log.WithError(err).Warn("the pool has its fixed size")
	}
	a.current.Store(built)
	select {
	case a.reloaded <- struct{}{}:
	default: // Background has not seen the last one yet
	}
	drain(ctx, running.mail)
	return nil
}

// Background does the work beside the requests until ctx is done.
func (a *App) Background(ctx context.Context) {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { a.Janitor.Run(ctx) })
	for ctx.Err() == nil {
		a.backgroundOf(ctx, a.current.Load())
	}
}

// backgroundOf works for one generation until the next, or until ctx is done.
func (a *App) backgroundOf(ctx context.Context, g *generation) {
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() { g.indexer.Run(ctx) })
	select {
	case <-ctx.Done():
	case <-a.reloaded:
	}
}

// keepStartOnly returns next with the values that running has for settings of
// the listener, the database connection, the log, telemetry, reloading, the
// rate limit store and calls to other services, and says which were different.
func keepStartOnly(next, running *conf.Config) (kept *conf.Config, ignored []string) {
	merged := *next
	keep := func(name string, target, value any) {
		into := reflect.ValueOf(target).Elem()
		if !reflect.DeepEqual(into.Interface(), value) {
			ignored = append(ignored, name)
			into.Set(reflect.ValueOf(value))
		}
	}
	keep("GOTRUE_API_HOST", &merged.API.Host, running.API.Host)
	keep("PORT", &merged.API.Port, running.API.Port)
	keep("DATABASE_URL", &merged.DB.URL, running.DB.URL)
	keep("GOTRUE_DB_DRIVER", &merged.DB.Driver, running.DB.Driver)
	keep("DB_NAMESPACE", &merged.DB.Namespace, running.DB.Namespace)
	keep("GOTRUE_DB_STATEMENT_CACHE_ENABLED", &merged.DB.StatementCacheEnabled, running.DB.StatementCacheEnabled)
	keep("GOTRUE_LOG_…", &merged.Logging, running.Logging)
	keep("GOTRUE_METRICS_…", &merged.Metrics, running.Metrics)
	keep("GOTRUE_TRACING_…", &merged.Tracing, running.Tracing)
	keep("GOTRUE_PROFILER_…", &merged.Profiler, running.Profiler)
	keep("GOTRUE_RELOADING_…", &merged.Reloading, running.Reloading)
	keep("GOTRUE_RATE_LIMIT_STORE_URL", &merged.RateLimit.StoreURL, running.RateLimit.StoreURL)
	keep("GOTRUE_RATE_LIMIT_STORE_TIMEOUT", &merged.RateLimit.StoreTimeout, running.RateLimit.StoreTimeout)
	keep("GOTRUE_INTERNAL_HTTP_TIMEOUT", &merged.Internal, running.Internal)
	return &merged, ignored
}
