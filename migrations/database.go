package migrations

import (
	"context"
	"errors"
	"fmt"

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
		entry := logger.WithField("component", "migrations")
		if n.Hint != "" {
			entry = entry.WithField("hint", n.Hint)
		}
		entry.Warn(n.Message)
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
	sources := []Source{SourceGoTrue, SourceTruegrant}
	recorded := map[Source]map[string]bool{SourceGoTrue: {}, SourceTruegrant: {}}
	err := d.addVersions(ctx, recorded, d.versionsQuery(sources[0])+" union all "+d.versionsQuery(sources[1]))
	if !isMissingTable(err) {
		return recorded, err
	}
	for _, source := range sources {
		err := d.addVersions(ctx, recorded, d.versionsQuery(source))
		if err != nil && !isMissingTable(err) {
			return nil, err
		}
	}
	return recorded, nil
}

func (d *database) versionsQuery(source Source) string {
	return fmt.Sprintf("select '%s', version from %s", source,
		pgx.Identifier{d.namespace, source.table()}.Sanitize())
}

func (d *database) addVersions(ctx context.Context, recorded map[Source]map[string]bool, query string) error {
	rows, err := d.QueryContext(ctx, query)
	if err != nil {
		return d.explain(fmt.Errorf("read recorded migrations: %w", err))
	}
	defer func() { _ = rows.Close() }() // rows.Err tells what went wrong
	for rows.Next() {
		var source, version string
		if err := rows.Scan(&source, &version); err != nil {
			return fmt.Errorf("read recorded migrations: %w", err)
		}
		recorded[Source(source)][version] = true
	}
	if err := rows.Err(); err != nil {
		return d.explain(fmt.Errorf("read recorded migrations: %w", err))
	}
	return nil
}

func isMissingTable(err error) bool {
	return hasState(err, stateUndefinedTable) || hasState(err, stateInvalidSchemaName)
}

func hasState(err error, state string) bool {
	var pgErr *pgconn.PgError
	return errors.As(err, &pgErr) && pgErr.Code == state
}

// settings begin the text of a transaction, which then finds the namespace, and
// nothing else of the database, by unqualified names. Limits meant for requests
// do not apply: an index on a large table takes as long as it takes.
func (d *database) settings() string {
	return "set local search_path to " + searchPath(d.namespace) + `;
set local client_min_messages to warning;
set local statement_timeout to 0;
set local idle_in_transaction_session_timeout to 0;
`
}

// lock waits until no other process migrates the namespace and keeps others
// out until release is called. The lock belongs to a transaction, hence to the
// connection it is on, through a pooler too; should that connection break, the
// steps are still safe, only another process need not wait any more.
func (d *database) lock(ctx context.Context) (release func(), err error) {
	tx, err := d.BeginTxx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	// Nothing was written, so how the transaction ends is of no interest.
	release = func() { _ = tx.Rollback() }
	_, err = tx.ExecContext(ctx, d.settings()+fmt.Sprintf(
		"select pg_advisory_xact_lock(hashtextextended('%s %s', 0))", applicationName, d.namespace))
	if err != nil {
		release()
		return nil, fmt.Errorf("wait for other migrations: %w", err)
	}
	return release, nil
}
