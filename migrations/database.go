package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"github.com/sirupsen/logrus"
)

const applicationName = "truegrant_migrations"

// maxConnections: one holds the lock, one migrates.
const maxConnections = 2

// SQLSTATE values, PostgreSQL appendix A.
const (
	stateInsufficientPrivilege = "42501"
	stateUndefinedTable        = "42P01"
	stateInvalidSchemaName     = "3F000"
)

// database is the namespace of one database.
type database struct {
	*sqlx.DB
	config    *pgx.ConnConfig
	namespace string
}

func open(o Options) (*database, error) {
	namespace, err := checkNamespace(o.Namespace)
	if err != nil {
		return nil, err
	}
	config, err := pgx.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.RuntimeParams["application_name"] = applicationName
	// Set in every transaction instead: PgBouncer refuses it at the start of a
	// connection, and in transaction mode a session does not keep it.
	delete(config.RuntimeParams, "search_path")
	// Files of several statements, and no prepared statements to get lost
	// between the server connections of a pooler.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	config.OnNotice = logNotices(o.Logger)

	db := sqlx.NewDb(stdlib.OpenDB(*config), "pgx")
	db.SetMaxOpenConns(maxConnections)
	db.SetMaxIdleConns(maxConnections)
	return &database{DB: db, config: config, namespace: namespace}, nil
}

// close ends the connections. What they did is committed or refused by then,
// so an error in saying goodbye is of no interest.
func (d *database) close() { _ = d.Close() }

func logNotices(logger logrus.FieldLogger) pgconn.NoticeHandler {
	return func(_ *pgconn.PgConn, n *pgconn.Notice) {
		if logger == nil {
			return
		}
		if n.Hint != "" {
			logger = logger.WithField("hint", n.Hint)
		}
		logger.WithField("component", "migrations").Warn(n.Message)
	}
}

// pending compares the embedded steps with the recorded versions.
func (d *database) pending(ctx context.Context) ([]Migration, error) {
	recorded, err := d.recorded(ctx)
	if err != nil {
		return nil, err
	}
	gotrue, err := steps(SourceGoTrue)
	if err != nil {
		return nil, err
	}
	truegrant, err := steps(SourceTruegrant)
	if err != nil {
		return nil, err
	}
	return append(
		withProcedures(plan(SourceGoTrue, gotrue, recorded[SourceGoTrue])),
		plan(SourceTruegrant, truegrant, recorded[SourceTruegrant])...), nil
}

// recorded reads the versions of both sources, in one query where both tables
// exist. A table that does not exist has no versions.
func (d *database) recorded(ctx context.Context) (map[Source]map[string]bool, error) {
	all := d.versionsQuery(SourceGoTrue) + " union all " + d.versionsQuery(SourceTruegrant)
	recorded, err := d.versions(ctx, all)
	if !isMissingTable(err) {
		return recorded, err
	}
	recorded, err = d.versions(ctx, d.versionsQuery(SourceGoTrue))
	if !isMissingTable(err) {
		return recorded, err
	}
	return nil, nil
}

func (d *database) versionsQuery(source Source) string {
	return fmt.Sprintf("select '%s', version from %s", source,
		pgx.Identifier{d.namespace, source.table()}.Sanitize())
}

func (d *database) versions(ctx context.Context, query string) (map[Source]map[string]bool, error) {
	rows, err := d.QueryContext(ctx, query)
	if err != nil {
		return nil, d.explain(fmt.Errorf("read recorded migrations: %w", err))
	}
	defer rows.Close()

	recorded := map[Source]map[string]bool{SourceGoTrue: {}, SourceTruegrant: {}}
	for rows.Next() {
		var source, version string
		if err := rows.Scan(&source, &version); err != nil {
			return nil, fmt.Errorf("read recorded migrations: %w", err)
		}
		recorded[Source(source)][version] = true
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read recorded migrations: %w", err)
	}
	return recorded, nil
}

func isMissingTable(err error) bool {
	return hasState(err, stateUndefinedTable) || hasState(err, stateInvalidSchemaName)
}

func hasState(err error, state string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == state
}

// begin starts a transaction that sees the namespace, and nothing else of the
// database, by unqualified names. Limits meant for requests do not apply:
// building an index on a large table takes as long as it takes.
func (d *database) begin(ctx context.Context, o *sql.TxOptions) (*sqlx.Tx, error) {
	tx, err := d.BeginTxx(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	_, err = tx.ExecContext(ctx, `
		select set_config('search_path', $1, true),
		       set_config('client_min_messages', 'warning', true),
		       set_config('statement_timeout', '0', true),
		       set_config('idle_in_transaction_session_timeout', '0', true)`, searchPath(d.namespace))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set search_path: %w", err), tx.Rollback())
	}
	return tx, nil
}

// lock waits until no other process migrates the namespace and keeps others
// out until release is called. The lock belongs to a transaction, hence to the
// connection it is on, through a pooler too; should that connection break, the
// steps are still safe, only another process need not wait any more.
func (d *database) lock(ctx context.Context) (release func(), err error) {
	tx, err := d.begin(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("wait for other migrations: %w", err)
	}
	key := fnv.New64a()
	_, _ = key.Write([]byte(applicationName + " " + d.namespace))
	if _, err := tx.ExecContext(ctx, "select pg_advisory_xact_lock($1)", int64(key.Sum64())); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for other migrations: %w", err), ignoreDone(tx.Rollback()))
	}
	return func() { _ = tx.Rollback() }, nil
}

// ignoreDone drops the error of ending a transaction that its context ended.
func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
