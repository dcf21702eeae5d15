package migrations

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// rebuild makes the schema that facts describe, as the role that is going to
// migrate it.
func (d testDatabase) rebuild(t *testing.T, f facts) {
	t.Helper()
	statements := []string{"set role " + d.role, "create schema auth"}
	for name, labels := range f.Enums {
		statements = append(statements, fmt.Sprintf("create type auth.%s as enum ('%s')", name, strings.Join(labels, "', '")))
	}
	for name := range f.Sequences {
		statements = append(statements, "create sequence auth."+name)
	}
	for name, tbl := range f.Tables {
		statements = append(statements, tbl.create(name)...)
	}
	for name, s := range f.Sequences {
		statements = append(statements, fmt.Sprintf("alter sequence auth.%s owned by auth.%s", name, s["owned_by"]))
	}
	for name, tbl := range f.Tables {
		statements = append(statements, tbl.references(name)...)
	}
	for signature, function := range f.Functions {
		name := strings.TrimSuffix(signature, "()")
		claim := "nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> '" + claimOf(name) + "'"
		single := "nullif(current_setting('request.jwt.claim." + claimOf(name) + "', true), '')"
		if name == "jwt" {
			claim, single = "nullif(current_setting('request.jwt.claims', true), '')", "nullif(current_setting('request.jwt.claim', true), '')"
		}
		statements = append(statements, fmt.Sprintf("create function auth.%s returns %s language sql stable as $f$ select coalesce(%s, %s)::%s $f$",
			signature, function["returns"], single, claim, function["returns"]))
	}
	for _, version := range f.Migrations {
		statements = append(statements, fmt.Sprintf("insert into auth.schema_migrations (version) values ('%s')", version))
	}
	statements = append(statements, "reset role")
	execute(t, d.DB, strings.Join(statements, ";\n"))
}

func claimOf(function string) string {
	if function == "uid" {
		return "sub"
	}
	return function
}

// create makes the table with everything that needs no other table.
func (tbl table) create(name string) []string {
	columns := slices.SortedFunc(maps.Keys(tbl.Columns), func(a, b string) int {
		return tbl.Columns[a].Position - tbl.Columns[b].Position
	})
	definitions := make([]string, 0, len(columns))
	for _, column := range columns {
		definitions = append(definitions, tbl.Columns[column].definition(column))
	}
	statements := []string{fmt.Sprintf("create table auth.%s (%s)", name, strings.Join(definitions, ", "))}
	for constraintName, c := range tbl.Constraints {
		switch c.Type {
		case "check":
			statements = append(statements, fmt.Sprintf("alter table auth.%s add constraint %q %s", name, constraintName, c.Definition))
		case "primary key", "unique":
			statements = append(statements, fmt.Sprintf("alter table auth.%s add constraint %s %s (%s)",
				name, constraintName, c.Type, strings.Join(c.Columns, ", ")))
		}
	}
	for indexName, i := range tbl.Indexes {
		if !i.OfConstraint {
			statements = append(statements, i.create(indexName, name))
		}
	}
	if tbl.RLS {
		statements = append(statements, fmt.Sprintf("alter table auth.%s enable row level security", name))
	}
	for grantee, privileges := range tbl.Grants {
		for privilege, option := range privileges {
			statements = append(statements, fmt.Sprintf("grant %s on auth.%s to %s %s", privilege, name, grantee, option))
		}
	}
	return statements
}

func (tbl table) references(name string) []string {
	var statements []string
	for constraintName, c := range tbl.Constraints {
		if c.Type == "foreign key" {
			statements = append(statements, fmt.Sprintf("alter table auth.%s add constraint %s foreign key (%s) references auth.%s (%s) on delete %s on update %s",
				name, constraintName, strings.Join(c.Columns, ", "), c.References, strings.Join(c.RefColumns, ", "), c.OnDelete, c.OnUpdate))
		}
	}
	return statements
}

func (c column) definition(name string) string {
	text := name + " " + c.Type
	if c.Generated != "" {
		return text + " generated always as (" + c.Generated + ") stored"
	}
	if c.Default != "" {
		text += " default " + c.Default
	}
	if !c.Nullable {
		text += " not null"
	}
	return text
}

func (i index) create(name, table string) string {
	unique := ""
	if i.Unique {
		unique = "unique"
	}
	text := fmt.Sprintf("create %s index %s on auth.%s using %s (%s %s)",
		unique, name, table, i.Method, strings.Join(i.Keys, ", "), strings.Join(i.Opclasses, ""))
	if i.Predicate != "" {
		text += " where " + i.Predicate
	}
	return text
}
