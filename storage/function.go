package storage

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// CallFunction returns the result of a function of one JSON argument, nil if it
// is NULL. Name is the schema and the function. The call runs in a transaction
// of its own, whose statement timeout is limit.
//
// What the function itself raises is returned as the driver's error, of no
// class: a taken key or a malformed value is the function's affair there, and
// must not be mistaken for one of the request.
func (db *DB) CallFunction(ctx context.Context, name []string, payload []byte, limit time.Duration) ([]byte, error) {
	var result sql.NullString
	err := db.Tx(ctx, func(tx *Conn) error {
		timeout := strconv.FormatInt(limit.Milliseconds(), 10)
		if _, err := tx.Exec(`set local statement_timeout = ` + timeout); err != nil {
			return err
		}
		query := `select ` + pgx.Identifier(name).Sanitize() + `($1)::text`
		err := classifyCall(tx.pop.Store.GetContext(ctx, &result, query, string(payload)))
		if errors.Is(err, ErrNotFound) { // a set without rows
			return nil
		}
		return err
	})
	if err != nil || !result.Valid {
		return nil, err
	}
	return []byte(result.String), nil
}

// classifyCall is Classify for a call: an error that ends the statement only is
// the function's own, one that ends the connection is the server's.
func classifyCall(err error) error {
	var pgError *pgconn.PgError
	if errors.As(err, &pgError) && pgError.SeverityUnlocalized == "ERROR" {
		return err
	}
	return Classify(err)
}
