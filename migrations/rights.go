package migrations

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// rights is what the database role may do.
type rights struct {
	Role         string  `db:"role"`
	Database     string  `db:"database"`
	SchemaExists bool    `db:"schema_exists"`
	MayUse       bool    `db:"may_use"`
	MayCreate    bool    `db:"may_create"`
	MayAddSchema bool    `db:"may_add_schema"`
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

// prepare checks the rights and creates the schema if it is missing.
func (d *database) prepare(ctx context.Context) error {
	r, err := d.checkRights(ctx)
	if err != nil || r.SchemaExists {
		return err
	}
	_, err = d.ExecContext(ctx, "create schema if not exists "+pgx.Identifier{d.namespace}.Sanitize())
	if err != nil {
		return d.explain(fmt.Errorf("create schema: %w", err))
	}
	return nil
}

// explain says whose rights in which schema were missing, when they were.
func (d *database) explain(err error) error {
	if !hasState(err, stateInsufficientPrivilege) {
		return err
	}
	return fmt.Errorf("role %q lacks a right in schema %q: %w", d.config.User, d.namespace, err)
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
