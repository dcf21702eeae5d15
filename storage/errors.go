package storage

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// The classes of database errors that callers tell apart.
var (
	// ErrNotFound: the statement had no row to return.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: the server cannot be reached or refuses work for now;
	// the same request may succeed later.
	ErrUnavailable = errors.New("database unavailable")
	// ErrInvalidText: a value that PostgreSQL's text cannot hold, such as a
	// NUL or broken UTF-8, that is no value of the column's type, or too much.
	ErrInvalidText = errors.New("value cannot be stored")
)

// ConstraintError is a row that PostgreSQL refused to write.
type ConstraintError struct {
	// Constraint names the unique index, foreign key or check.
	Constraint string
	// Unique tells that another row holds the same key.
	Unique bool
	cause  error
}

// Error describes the constraint without the refused values.
func (e *ConstraintError) Error() string { return "violates " + e.Constraint }

// Unwrap returns the driver's error.
func (e *ConstraintError) Unwrap() error { return e.cause }

// IsUnique reports whether err is a unique violation of one of the named
// constraints, or of any when none is named.
func IsUnique(err error, constraints ...string) bool {
	var violation *ConstraintError
	if !errors.As(err, &violation) || !violation.Unique {
		return false
	}
	if len(constraints) == 0 {
		return true
	}
	for _, name := range constraints {
		if violation.Constraint == name {
			return true
		}
	}
	return false
}

// PublicError is an error that a function or trigger of the operator raised
// for the client to see (SQLSTATE P0001, PTnnn and the integrity class). Detail
// is empty where PostgreSQL would quote a row.
type PublicError struct {
	SQLState, Message, Hint, Detail string
}

// Error returns the message the operator wrote.
func (e *PublicError) Error() string { return e.Message }

// Classify maps a driver error to the classes above and leaves others alone.
func Classify(err error) error {
	var pgError *pgconn.PgError
	var connectError *pgconn.ConnectError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, sql.ErrNoRows):
		return ErrNotFound
	case errors.As(err, &pgError):
		return classifyPg(pgError)
	case errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &connectError): // also one that timed out by itself
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	case errors.Is(err, context.DeadlineExceeded):
		return err
	case isConnectionError(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

func classifyPg(err *pgconn.PgError) error {
	switch {
	case err.Code == "23505":
		return &ConstraintError{Constraint: err.ConstraintName, Unique: true, cause: err}
	case strings.HasPrefix(err.Code, "23"):
		return &ConstraintError{Constraint: err.ConstraintName, cause: err}
	case isUnfit(err.Code):
		return fmt.Errorf("%w: SQLSTATE %s", ErrInvalidText, err.Code)
	case isUnavailable(err.Code):
		return fmt.Errorf("%w: SQLSTATE %s", ErrUnavailable, err.Code)
	}
	return err
}

// isUnfit knows the SQLSTATEs of values that text, json or a column cannot hold,
// or that are too long for an index or too deep for a parser.
func isUnfit(code string) bool {
	switch code {
	case "22021", "22P05", "22P02", "22001", "54000", "54001":
		return true
	}
	return false
}

// isUnavailable knows the SQLSTATEs of a server that is going away, coming up,
// a standby, or out of connections.
func isUnavailable(code string) bool {
	switch code {
	case "25006", "53300", "57P01", "57P02", "57P03":
		return true
	}
	return strings.HasPrefix(code, "08")
}

func isConnectionError(err error) bool {
	var netError net.Error
	return errors.As(err, &netError) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) ||
		errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) ||
		strings.Contains(err.Error(), "unexpected EOF") || strings.Contains(err.Error(), "conn closed")
}

// Public returns the error that the operator's SQL raised on purpose, if err
// is or hides one (GoTrue shows these to the client).
func Public(err error) (*PublicError, bool) {
	var pgError *pgconn.PgError
	if !errors.As(err, &pgError) {
		return nil, false
	}
	switch pgError.Code {
	case "P0001", "23000", "23001", "23502", "23503", "23505", "23514", "23P01":
	default:
		number, found := strings.CutPrefix(pgError.Code, "PT")
		if _, err := strconv.ParseUint(number, 10, 16); !found || err != nil {
			return nil, false
		}
	}
	public := &PublicError{SQLState: pgError.Code, Message: pgError.Message, Hint: pgError.Hint, Detail: pgError.Detail}
	if quotesRow(pgError) {
		public.Detail = ""
	}
	return public, true
}

// quotesRow reports whether the detail is PostgreSQL's own and tells the values
// of a row. It names the table then, which an error raised by a function does
// not. For a taken key it tells only the key.
func quotesRow(err *pgconn.PgError) bool {
	return strings.HasPrefix(err.Code, "23") && err.Code != "23505" && err.TableName != ""
}
