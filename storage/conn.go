package storage

import (
	"context"

	"github.com/gobuffalo/pop/v6"
	"github.com/jackc/pgx/v5"
)

// PlanAnew as the first argument lets the server plan a statement for the
// very arguments that follow. Otherwise one that is sent often gets a plan that
// fits all arguments alike.
const PlanAnew = pgx.QueryExecModeExec

// Conn runs statements, inside a transaction or outside. It hides pop's own
// Transaction method, see the package comment.
type Conn struct {
	ctx context.Context
	pop *pop.Connection
}

// Context returns the context that bounds the statements of this handle.
func (c *Conn) Context() context.Context { return c.ctx }

// Get scans the first row of query ($1, $2 … for args) into dest, a struct
// with db tags or a scalar. ErrNotFound when there is no row.
func (c *Conn) Get(dest any, query string, args ...any) error {
	err := c.pop.Store.GetContext(c.ctx, dest, query, args...)
	return c.ran(err, args)
}

// Select scans every row of query into dest, a pointer to a slice.
func (c *Conn) Select(dest any, query string, args ...any) error {
	err := c.pop.Store.SelectContext(c.ctx, dest, query, args...)
	return c.ran(err, args)
}

// Exec runs query and returns the number of rows it changed.
func (c *Conn) Exec(query string, args ...any) (int64, error) {
	result, err := c.pop.Store.ExecContext(c.ctx, query, args...)
	if err := c.ran(err, args); err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	return n, Classify(err)
}

// Watcher is an argument that wants to know that its statement has run.
type Watcher interface {
	// Ran is called after the statement, before the end of a transaction around
	// it.
	Ran(ctx context.Context)
}

// ran tells the watchers among the arguments of a statement that succeeded.
func (c *Conn) ran(err error, args []any) error {
	if err != nil {
		return Classify(err)
	}
	for _, arg := range args {
		if watcher, ok := arg.(Watcher); ok {
			watcher.Ran(c.ctx)
		}
	}
	return nil
}

// Q starts a pop query.
func (c *Conn) Q() *pop.Query { return c.pop.Q() }

// Create inserts a pop model.
func (c *Conn) Create(model any) error { return Classify(c.pop.Create(model)) }

// Update writes the named columns of a pop model, and only those: a new
// version of the schema may have columns this code does not know.
func (c *Conn) Update(model any, columns ...string) error {
	return Classify(c.pop.UpdateColumns(model, columns...))
}
