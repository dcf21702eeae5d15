package storage

import (
	"context"
	"database/sql"

	"github.com/gobuffalo/pop/v6"
	"github.com/jmoiron/sqlx"
)

// store gives pop a pool that we opened: with our tracer, run-time parameters
// and statement-cache mode, none of which pop's own opening can set.
type store struct{ *sqlx.DB }

// Transaction starts a transaction.
func (s store) Transaction() (*pop.Tx, error) {
	return s.TransactionContextOptions(context.Background(), nil)
}

// TransactionContext starts a transaction bounded by ctx.
func (s store) TransactionContext(ctx context.Context) (*pop.Tx, error) {
	return s.TransactionContextOptions(ctx, nil)
}

// TransactionContextOptions starts a transaction with options.
func (s store) TransactionContextOptions(ctx context.Context, opts *sql.TxOptions) (*pop.Tx, error) {
	tx, err := s.BeginTxx(ctx, opts)
	if err != nil {
		return nil, err
	}
	return &pop.Tx{Tx: tx}, nil
}

// Rollback does nothing: the pool itself is not a transaction.
func (store) Rollback() error { return nil }

// Commit does nothing: the pool itself is not a transaction.
func (store) Commit() error { return nil }
