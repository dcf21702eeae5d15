package migrations

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"github.com/gobuffalo/pop/v6"
)

// run lets pop apply the migrations of one source. Each gets a transaction
// with its record. It returns the versions that were committed.
func (d *database) run(ctx context.Context, source Source, list []Migration) ([]string, error) {
	conn, err := pop.NewConnection(&pop.ConnectionDetails{
		Dialect:  "postgres",
		Database: cmp.Or(d.config.Database, d.config.User),
		// pop does not quote the name, see checkNamespace and rights.check.
		Options: map[string]string{"migration_table_name": d.namespace + "." + source.table()},
	})
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	conn.Store = &store{database: d}

	// Versions in the order in which pop started them: the last one may have
	// failed, in its statements, its record or its commit.
	var started []string
	migrator := pop.NewMigrator(conn.WithContext(ctx))
	for i, m := range list {
		last := i == len(list)-1
		migrator.UpMigrations.Migrations = append(migrator.UpMigrations.Migrations, pop.Migration{
			Version: m.Version, Name: m.Name, Direction: "up", Type: "sql", DBType: "all",
			Runner: func(_ pop.Migration, tx *pop.Connection) error {
				started = append(started, m.Version)
				return d.exec(tx, m, last)
			},
		})
	}
	applied, err := migrator.UpTo(0)
	if err != nil {
		err = d.explain(fmt.Errorf("migrate: %w", err))
	}
	return started[:applied], err
}

// exec runs the statements of a migration. Only the last one of a run waits
// until its commit is on disk, and with it all before it; should the server
// crash earlier, versions are missing and the next run applies them again.
func (d *database) exec(tx *pop.Connection, m Migration, last bool) error {
	text := d.settings()
	if !last {
		text += "set local synchronous_commit to off;\n"
	}
	if _, err := tx.Store.Exec(text + m.SQL); err != nil {
		return fmt.Errorf("migration %s %s: %w", m.Version, m.Name, err)
	}
	return nil
}

// store is the database as pop sees it: sqlx, with pop's transactions.
type store struct {
	*database
}

func (s *store) TransactionContextOptions(ctx context.Context, o *sql.TxOptions) (*pop.Tx, error) {
	tx, err := s.BeginTxx(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("begin: %w", err)
	}
	return &pop.Tx{Tx: tx}, nil
}

func (s *store) TransactionContext(ctx context.Context) (*pop.Tx, error) {
	return s.TransactionContextOptions(ctx, nil)
}

func (s *store) Transaction() (*pop.Tx, error) {
	return s.TransactionContextOptions(context.Background(), nil)
}

func (s *store) Rollback() error { return nil }
func (s *store) Commit() error   { return nil }
