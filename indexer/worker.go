package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/sirupsen/logrus"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/storage"
)

// applicationName is shown in pg_stat_activity.
const applicationName = "truegrant_indexworker"

// connections: one holds the lock, one builds.
const connections = 2

// retryAfter is the time before a database that was away is asked again.
const retryAfter = time.Minute

// Worker builds indexes on connections of its own.
type Worker struct {
	// URL and Namespace say where.
	URL, Namespace string
	// Indexes are what there should be.
	Indexes []Index
	// MaxUsers leaves a database with more users alone, but for indexes that are
	// always there; 0 means no limit.
	MaxUsers int64
	Log      logrus.FieldLogger
}

// FromConf returns the worker that a configuration asks for, nil if none.
func FromConf(cfg *conf.Config, log logrus.FieldLogger) *Worker {
	w := &Worker{URL: cfg.DB.URL, Namespace: cfg.DB.Namespace, Log: log}
	if cfg.IndexWorker.ListIndexesEnabled {
		w.Indexes = Lists()
	}
	switch {
	case cfg.IndexWorker.EnsureUserSearchIndexesExist:
		w.Indexes = append(w.Indexes, UserSearch()...)
	case cfg.IndexWorker.MaxUsersThreshold > 0:
		w.Indexes = append(w.Indexes, UserSearch()...)
		w.MaxUsers = cfg.IndexWorker.MaxUsersThreshold
	}
	if len(w.Indexes) == 0 {
		return nil
	}
	return w
}

// Run builds what is missing and returns. It tries again where the database is
// away or somebody else works on the table; other failures are logged and left to the next start, since a build that
// fails once would fail, and cost, the same again.
func (w *Worker) Run(ctx context.Context) {
	if w == nil {
		return
	}
	for {
		built, err := w.Build(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			w.Log.WithField("indexes", built).Info("optional indexes are there")
			return
		case !passes(err):
			w.Log.WithError(err).WithField("indexes", built).Warn("some optional indexes could not be built")
			return
		}
		w.Log.WithError(err).Warn("optional indexes have to wait")
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryAfter):
		}
	}
}

// passes reports whether an error is of the moment. A concurrent build and
// somebody's VACUUM, for one, can wait for each other until one of them fails.
// Of several errors one that passes is worth another try.
func passes(err error) bool {
	const deadlock, lockNotAvailable = "40P01", "55P03"
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		return slices.ContainsFunc(several.Unwrap(), passes)
	}
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		return refused.Code == deadlock || refused.Code == lockNotAvailable
	}
	return errors.Is(err, storage.ErrUnavailable)
}

// Build builds what is missing and returns the names of what it built: none
// when another replica is at it.
func (w *Worker) Build(ctx context.Context) (built []string, err error) {
	db, err := storage.Open(
		conf.DB{URL: w.URL, Namespace: w.Namespace, MaxPoolSize: connections},
		storage.Options{ApplicationName: applicationName},
	)
	if err != nil {
		return nil, fmt.Errorf("indexer: %w", err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// The lock belongs to a transaction that does nothing else, so it holds
	// behind a pooler too.
	err = db.Tx(ctx, func(lock *storage.Conn) error {
		mine, err := w.tryLock(lock)
		if err != nil || !mine {
			return err
		}
		built, err = w.buildAll(db.Conn(ctx))
		return err
	})
	if err != nil {
		return built, fmt.Errorf("indexer: %w", err)
	}
	return built, nil
}

// tryLock takes the lock until the end of the transaction. The setting comes
// last: the cursor of a query lives, with its snapshot, until the next statement,
// and a concurrent build waits for everybody who has one.
func (w *Worker) tryLock(tx *storage.Conn) (mine bool, err error) {
	err = tx.Get(&mine, `select pg_try_advisory_xact_lock(hashtextextended($1, 0))`, applicationName+" "+w.Namespace)
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(`set local idle_in_transaction_session_timeout to 0`)
	return mine, err
}

// buildAll goes on after an index that cannot be built: a row that does not fit
// one of them is no reason to do without the others.
func (w *Worker) buildAll(c *storage.Conn) (built []string, err error) {
	few, err := w.fewEnough(c)
	if err != nil {
		return nil, err
	}
	// Limits meant for requests do not apply to work that takes minutes.
	if _, err := c.Exec(`set statement_timeout to 0`); err != nil {
		return nil, err
	}
	var problems []error
	grown := map[string]bool{}
	for _, index := range w.Indexes {
		if !few && !index.Always {
			continue
		}
		did, err := w.ensure(c, index)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", index.Name, err))
		}
		if did {
			built = append(built, index.Name)
			grown[index.Table] = true
		}
	}
	for table := range grown {
		// The planner knows nothing of an index on an expression before.
		if _, err := c.Exec(`analyze ` + w.qualified(table)); err != nil {
			problems = append(problems, fmt.Errorf("analyze %s: %w", table, err))
		}
	}
	if _, err := c.Exec(`reset statement_timeout`); err != nil {
		problems = append(problems, err)
	}
	return built, errors.Join(problems...)
}

// fewEnough compares the planner's idea of the number of users with the limit:
// counting them would cost as much as an index.
func (w *Worker) fewEnough(c *storage.Conn) (bool, error) {
	if w.MaxUsers <= 0 {
		return true, nil
	}
	var users int64
	err := c.Get(&users, `
		select greatest(c.reltuples, s.n_live_tup, 0)::bigint
		  from pg_class c left join pg_stat_all_tables s on s.relid = c.oid
		 where c.oid = $1::regclass`, w.qualified("users"))
	return users <= w.MaxUsers, err
}

// state is what the catalog says of an index and its table.
type state struct {
	Valid    bool `db:"valid"`
	Exists   bool `db:"present"`
	Building bool `db:"building"` // by somebody who does not know our lock
	Orioledb bool `db:"orioledb"` // a storage engine that cannot build beside writes
}

const stateQuery = `
select exists (select from pg_class i where i.relnamespace = t.relnamespace and i.relname = $2) as present,
       exists (select from pg_index x join pg_class i on i.oid = x.indexrelid
                where i.relnamespace = t.relnamespace and i.relname = $2 and x.indisvalid) as valid,
       exists (select from pg_stat_progress_create_index p
                where p.relid = t.oid and p.datname = current_database()) as building,
       coalesce(m.amname = 'orioledb', false) as orioledb
  from pg_class t left join pg_am m on m.oid = t.relam
 where t.oid = $1::regclass`

// ensure builds an index unless it is there. A build that was interrupted
// leaves an invalid one, which costs writes and helps nobody: it goes first.
func (w *Worker) ensure(c *storage.Conn, index Index) (built bool, err error) {
	var now state
	if err := c.Get(&now, stateQuery, w.qualified(index.Table), index.Name); err != nil {
		return false, err
	}
	if now.Valid || now.Building || now.Orioledb {
		return false, nil
	}
	definition, err := w.definition(c, index)
	if err != nil {
		return false, err
	}
	if now.Exists {
		if _, err := c.Exec(`drop index concurrently if exists ` + w.qualified(index.Name)); err != nil {
			return false, err
		}
	}
	_, err = c.Exec(`create index concurrently if not exists ` + pgx.Identifier{index.Name}.Sanitize() +
		` on ` + w.qualified(index.Table) + ` using ` + definition)
	return err == nil, err
}

// qualified names a relation of the namespace.
func (w *Worker) qualified(name string) string {
	return pgx.Identifier{w.Namespace, name}.Sanitize()
}
