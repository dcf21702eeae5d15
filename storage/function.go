package storage

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
)

// functionTimeout bounds one call of a function that serves as a hook.
const functionTimeout = `set local statement_timeout = 2000`

// CallFunction returns the result of schema.function(payload), nil if it is
// NULL. It runs in a transaction of its own with a short statement timeout.
func (db *DB) CallFunction(ctx context.Context, schema, function string, payload []byte) ([]byte, error) {
	var result sql.NullString
	err := db.Tx(ctx, func(tx *Conn) error {
		if _, err := tx.Exec(functionTimeout); err != nil {
			return err
		}
		name := pgx.Identifier{schema, function}.Sanitize()
		err := tx.Get(&result, `select `+name+`($1)::text`, string(payload))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
	if err != nil || !result.Valid {
		return nil, err
	}
	return []byte(result.String), nil
}
