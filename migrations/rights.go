package migrations

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// rights is what the database role may do.
type rights struct {
	Role         string  `db:"role"`
	Database     string  `db:"database"`
	SchemaExists bool    `db:"schema_exists"`
	MayUse       bool    `db:"may_use"`
	MayCreate    bool    `db:"may_create"`
	MayAddSchema bool    `db:"may_add_schema"`
	Reserved     bool    `db:"reserved"`
	Foreign      *string `db:"foreign_tables"`
}

var createdTable = regexp.MustCompile(`(?m)^create table if not exists (\w+)`)

// checkRights fails with a sentence for the operator when the role lacks a
// right that migrating needs. Altering a table takes its owner, or a role that
// is a member of the owner; row level security hides the rows of schema_migrations
// from anybody else, so a stranger must not conclude that nothing is recorded.
func (d *database) checkRights(ctx context.Context) (rights, error) {
	tables, err := ownTables()
	if err != nil {
		return rights{}, err
	}
	var r rights
	err = d.GetContext(ctx, &r, `
		select current_user as role, current_database() as database,
		       n.oid is not null as schema_exists,
		       coalesce(has_schema_privilege(n.oid, 'USAGE'), false) as may_use,
		       coalesce(has_schema_privilege(n.oid, 'CREATE'), false) as may_create,
		       has_database_privilege(current_database(), 'CREATE') as may_add_schema,
		       exists (select from pg_get_keywords() where word = wanted.name and catcode in ('R', 'T')) as reserved,
		       (select string_agg(format('%s (owned by %s)', c.relname, pg_get_userbyid(c.relowner)), ', ' order by c.relname)
		          from pg_catalog.pg_class c
		         where c.relnamespace = n.oid and c.relkind in ('r', 'p')
		           and c.relname = any (string_to_array($2, ','))
		           and not pg_has_role(c.relowner, 'USAGE')) as foreign_tables
		  from (select $1::text as name) wanted
		  left join pg_catalog.pg_namespace n on n.nspname = wanted.name`,
		d.namespace, strings.Join(tables, ","))
	if err != nil {
		return rights{}, fmt.Errorf("read rights of the database role: %w", err)
	}
	return r, r.check(d.namespace)
}

func (r rights) check(namespace string) error {
	schema, role := pgx.Identifier{namespace}.Sanitize(), pgx.Identifier{r.Role}.Sanitize()
	switch {
	case r.Reserved:
		return fmt.Errorf("database namespace %s is a reserved word of SQL: choose another name", namespace)
	case !r.SchemaExists && !r.MayAddSchema:
		return fmt.Errorf("schema %s does not exist in database %s and role %s may not create it; "+
			"as an administrator run: CREATE SCHEMA %s AUTHORIZATION %s", schema, r.Database, role, schema, role)
	case r.SchemaExists && (!r.MayUse || !r.MayCreate):
		return fmt.Errorf("role %s lacks rights in schema %s of database %s; "+
			"as an administrator run: GRANT USAGE, CREATE ON SCHEMA %s TO %s", role, schema, r.Database, schema, role)
	case r.Foreign != nil:
		return fmt.Errorf("role %s must own the tables of schema %s, or be a member of their owner, but it does not: %s",
			role, schema, *r.Foreign)
	}
	return nil
}

// prepare checks the rights and creates what pop needs: the schema and the
// tables of records. pop could make the tables, but under bare names only.
func (d *database) prepare(ctx context.Context) error {
	r, err := d.checkRights(ctx)
	if err != nil {
		return err
	}
	text := d.settings()
	if !r.SchemaExists { // PostgreSQL asks for the right even if it exists
		text += fmt.Sprintf("create schema if not exists %s;\n", pgx.Identifier{d.namespace}.Sanitize())
	}
	for _, source := range []Source{SourceGoTrue, SourceTruegrant} {
		// A table that is there may lack the index: a bootstrap script made it.
		text += fmt.Sprintf(`do $$
begin
  if to_regclass('%[1]s.%[2]s') is null then
    create table %[2]s (version character varying(14) primary key);
    create unique index %[2]s_version_idx on %[2]s (version);
  end if;
end $$;
`, d.namespace, source.table())
	}
	tx, err := d.BeginTxx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after a commit it does nothing
	if _, err := tx.ExecContext(ctx, text); err != nil {
		return d.explain(fmt.Errorf("create schema and tables of migrations: %w", err))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("create schema and tables of migrations: %w", err)
	}
	return nil
}

// explain adds to an error of the database whose rights in which schema were
// missing, and what the database advises.
func (d *database) explain(err error) error {
	var pgErr *pgconn.PgError
	if !errors.As(err, &pgErr) {
		return err
	}
	if pgErr.Code == stateInsufficientPrivilege {
		err = fmt.Errorf("role %q lacks a right in schema %q: %w", d.config.User, d.namespace, err)
	}
	if pgErr.Hint != "" {
		err = fmt.Errorf("%w; hint: %s", err, pgErr.Hint)
	}
	return err
}

// ownTables are the tables that the steps create or complete.
func ownTables() ([]string, error) {
	tables := []string{SourceGoTrue.table(), SourceTruegrant.table()}
	for _, source := range []Source{SourceGoTrue, SourceTruegrant} {
		list, err := steps(source)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			for _, match := range createdTable.FindAllStringSubmatch(s.sql, -1) {
				tables = append(tables, match[1])
			}
		}
	}
	return tables, nil
}
