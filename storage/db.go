package storage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/gobuffalo/pop/v6"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"

	"github.com/truegrant/truegrant/conf"
)

// idleTime is how long an unused connection stays open when the operator sets
// no GOTRUE_DB_CONN_MAX_IDLE_TIME: long enough that steady traffic never
// reconnects, short enough that a quiet night returns the connections.
const idleTime = 5 * time.Minute

// connectTimeout bounds one attempt to reach the server, so that an outage
// shows as an answer within a request's deadline.
const connectTimeout = 5 * time.Second

// DB is the pool. It is safe for concurrent use.
type DB struct {
	conn *pop.Connection
	pool *sqlx.DB
}

// Options complete the configuration of the pool.
type Options struct {
	// ApplicationName is shown in pg_stat_activity.
	ApplicationName string
	// Tracer sees every statement; nil traces nothing.
	Tracer pgx.QueryTracer
}

// Open prepares the pool for cfg.URL. It does not connect: a server that is
// unreachable now may be back for the first request. An error means that the
// URL cannot be parsed.
func Open(cfg conf.DB, opts Options) (*DB, error) {
	pgxConfig, err := pgx.ParseConfig(cfg.URL)
	if err != nil {
		return nil, errors.New("storage: the database URL cannot be parsed") // the cause may quote the password
	}
	if opts.ApplicationName != "" {
		pgxConfig.RuntimeParams["application_name"] = opts.ApplicationName
	}
	if _, given := pgxConfig.RuntimeParams["search_path"]; !given && cfg.Namespace != "" {
		// Statements name tables without their schema, as GoTrue's do.
		pgxConfig.RuntimeParams["search_path"] = pgx.Identifier{cfg.Namespace}.Sanitize()
	}
	pgxConfig.ConnectTimeout = connectTimeout
	pgxConfig.Tracer = opts.Tracer
	if !cfg.StatementCacheEnabled {
		// Prepared statements do not survive PgBouncer's transaction mode.
		pgxConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
		pgxConfig.StatementCacheCapacity = 0
		pgxConfig.DescriptionCacheCapacity = 0
	}

	pool := sqlx.NewDb(stdlib.OpenDB(*pgxConfig), "pgx")
	applyLimits(pool, cfg)

	conn, err := pop.NewConnection(&pop.ConnectionDetails{
		Dialect:  "postgres",
		Database: pgxConfig.Database,
		Host:     pgxConfig.Host,
	})
	if err != nil {
		return nil, fmt.Errorf("storage: %w", err)
	}
	conn.Store = store{pool}
	return &DB{conn: conn, pool: pool}, nil
}

// applyLimits sizes the pool. Zero values mean that the operator left the size
// to us: enough connections to keep the cores busy, all of them kept open,
// because connecting costs more than most requests.
func applyLimits(pool *sqlx.DB, cfg conf.DB) {
	open := cfg.MaxPoolSize
	if open <= 0 {
		open = max(10, 4*runtime.GOMAXPROCS(0))
	}
	idle := cfg.MaxIdlePoolSize
	if idle <= 0 {
		idle = open
	}
	maxIdleTime := cfg.ConnMaxIdleTime
	if maxIdleTime <= 0 {
		maxIdleTime = idleTime
	}
	pool.SetMaxOpenConns(open)
	pool.SetMaxIdleConns(min(idle, open))
	pool.SetConnMaxLifetime(cfg.ConnMaxLifetime)
	pool.SetConnMaxIdleTime(maxIdleTime)
}

// SizeByPercentage sets the pool to percent (1 to 100) of the server's
// max_connections. It returns the size it set.
func (db *DB) SizeByPercentage(ctx context.Context, percent int) (int, error) {
	var limit int
	const query = `select setting::int from pg_settings where name = 'max_connections'`
	if err := db.pool.GetContext(ctx, &limit, query); err != nil {
		return 0, fmt.Errorf("storage: read max_connections: %w", Classify(err))
	}
	size := max(1, limit*min(max(percent, 1), 100)/100)
	db.pool.SetMaxOpenConns(size)
	db.pool.SetMaxIdleConns(size)
	return size, nil
}

// Resize applies the limits of a new configuration to the open pool; its other
// settings stay. A share of the server's connections is asked for, so an error
// leaves the fixed limits in force.
func (db *DB) Resize(ctx context.Context, cfg conf.DB) error {
	applyLimits(db.pool, cfg)
	if cfg.ConnPercentage <= 0 {
		return nil
	}
	_, err := db.SizeByPercentage(ctx, cfg.ConnPercentage)
	return err
}

// Stats describes the pool.
func (db *DB) Stats() sql.DBStats { return db.pool.Stats() }

// Ping reports whether a statement can be run now.
func (db *DB) Ping(ctx context.Context) error {
	return Classify(db.pool.PingContext(ctx))
}

// Close closes every connection.
func (db *DB) Close() error {
	return db.pool.Close()
}

// Conn returns a handle for single statements, outside any transaction.
func (db *DB) Conn(ctx context.Context) *Conn {
	return &Conn{ctx: ctx, pop: db.conn.WithContext(ctx)}
}

// Tx runs do in one transaction: committed when do returns nil, rolled back
// when it returns an error or panics. An error of the commit is returned.
func (db *DB) Tx(ctx context.Context, do func(tx *Conn) error) (err error) {
	cn, err := db.conn.NewTransactionContext(ctx)
	if err != nil {
		return Classify(err)
	}
	committed := false
	defer func() {
		if !committed {
			// The context may be over already; the driver closes the
			// connection then, which rolls back as well.
			_ = cn.TX.Rollback()
		}
	}()
	if err = do(&Conn{ctx: ctx, pop: cn}); err != nil {
		return err
	}
	if err = cn.TX.Commit(); err != nil {
		return fmt.Errorf("commit: %w", Classify(err))
	}
	committed = true
	return nil
}
