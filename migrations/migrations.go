package migrations

import (
	"context"

	"github.com/sirupsen/logrus"
)

// DefaultNamespace is the schema used when Options.Namespace is empty.
const DefaultNamespace = "auth"

// Options say which database to migrate, and how.
type Options struct {
	// URL is the connection URL of the database. A search_path in it is
	// ignored: Namespace counts.
	URL string
	// Namespace is the schema to migrate: lower-case letters, digits and
	// underscores. Empty means DefaultNamespace.
	Namespace string
	// Logger receives the database's warnings; nil discards them. pop logs its
	// progress through its own process-wide logger (pop.SetLogger).
	Logger logrus.FieldLogger
}

// Result tells what a run of Up has done.
type Result struct {
	// Applied holds the versions that this run recorded, in their order. It is
	// empty when the database was up to date, also if another process has just
	// migrated it.
	Applied []string
}

// Up applies and records what is pending. It waits while another process
// migrates the same namespace; ctx ends the wait and the run. On an error the
// migrations of Result are applied and stay so, and Up may be called again.
func Up(ctx context.Context, o Options) (Result, error) {
	db, err := open(o)
	if err != nil {
		return Result{}, err
	}
	defer db.close()

	// An up-to-date database is the common case: one query, no lock.
	if pending, err := db.pending(ctx); err != nil || len(pending) == 0 {
		return Result{}, err
	}
	release, err := db.lock(ctx)
	if err != nil {
		return Result{}, err
	}
	defer release()

	pending, err := db.pending(ctx)
	if err != nil || len(pending) == 0 {
		return Result{}, err // another process was faster
	}
	if err := db.prepare(ctx); err != nil {
		return Result{}, err
	}
	return db.apply(ctx, pending)
}

// Pending returns what Up would apply, in order, and changes nothing. It fails
// where Up would fail for want of rights.
func Pending(ctx context.Context, o Options) ([]Migration, error) {
	db, err := open(o)
	if err != nil {
		return nil, err
	}
	defer db.close()

	pending, err := db.pending(ctx)
	if err != nil || len(pending) == 0 {
		return nil, err
	}
	if _, err := db.checkRights(ctx); err != nil {
		return nil, err
	}
	return pending, nil
}

// apply runs the migrations of each source under its own table.
func (d *database) apply(ctx context.Context, pending []Migration) (Result, error) {
	var result Result
	for _, source := range []Source{SourceGoTrue, SourceTruegrant} {
		var list []Migration
		for _, m := range pending {
			if m.Source == source {
				list = append(list, m)
			}
		}
		if len(list) == 0 {
			continue
		}
		applied, err := d.run(ctx, source, list)
		result.Applied = append(result.Applied, applied...)
		if err != nil {
			return result, err
		}
	}
	return result, nil
}
