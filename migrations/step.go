package migrations

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/gobuffalo/pop/v6"
)

//go:embed gotrue/*.sql truegrant/*.sql
var stepFiles embed.FS

var (
	//go:embed ensure.sql
	ensureSQL string
	//go:embed ensure_drop.sql
	ensureDropSQL string
)

// onceMark is the first line of a step that must not be repeated.
const onceMark = "-- once\n"

// Source names the list a migration belongs to.
type Source string

const (
	// SourceGoTrue marks versions recorded in schema_migrations.
	SourceGoTrue Source = "gotrue"
	// SourceTruegrant marks versions recorded in truegrant_migrations.
	SourceTruegrant Source = "truegrant"
)

// table is where the versions of the source are recorded, in the namespace.
func (s Source) table() string {
	if s == SourceGoTrue {
		return "schema_migrations"
	}
	return "truegrant_migrations"
}

// Migration is one version that is not recorded yet.
type Migration struct {
	// Version is recorded when the migration has run: digits, in text order.
	Version string
	// Name says in words what the migration is about.
	Name string
	// Source is the list that the migration is in.
	Source Source
	// SQL is what the migration's transaction executes, with the namespace as
	// the only schema of search_path. Where older versions are recorded it
	// includes their steps, which are applied again.
	SQL string
}

// step is one embedded file.
type step struct {
	version, name, sql string
	// once: the step is skipped when its version is recorded.
	once bool
}

// steps reads the embedded files of a source, in the order of their versions.
func steps(source Source) ([]step, error) {
	files, err := fs.ReadDir(stepFiles, string(source))
	if err != nil {
		return nil, fmt.Errorf("read embedded migrations: %w", err)
	}
	list := make([]step, 0, len(files))
	for _, file := range files {
		content, err := fs.ReadFile(stepFiles, path.Join(string(source), file.Name()))
		if err != nil {
			return nil, fmt.Errorf("read embedded migrations: %w", err)
		}
		match, err := pop.ParseMigrationFilename(file.Name())
		if err != nil {
			return nil, fmt.Errorf("name of embedded migration %s: %w", file.Name(), err)
		}
		if match == nil {
			return nil, fmt.Errorf("name of embedded migration %s: not <version>_<name>.up.sql", file.Name())
		}
		sql := string(content)
		list = append(list, step{
			version: match.Version,
			name:    match.Name,
			sql:     sql,
			once:    strings.HasPrefix(sql, onceMark),
		})
	}
	slices.SortFunc(list, func(a, b step) int { return strings.Compare(a.version, b.version) })
	return list, nil
}

// plan turns the steps whose version is not recorded into migrations. Nothing
// is missing: nothing to do. Otherwise every step is part of the plan, in
// order, since a version recorded by GoTrue does not mean that our step of that
// version has nothing to add: recorded steps join the next migration, those
// after the last one join it too. A crash in between leaves a version missing,
// so the next run applies everything again.
func plan(source Source, list []step, recorded map[string]bool) []Migration {
	var (
		pending []Migration
		text    strings.Builder
	)
	for _, s := range list {
		missing := !recorded[s.version]
		if s.once && !missing {
			continue
		}
		fmt.Fprintf(&text, "-- %s %s\n%s\n", s.version, s.name, s.sql)
		if missing {
			pending = append(pending, Migration{Version: s.version, Name: s.name, Source: source, SQL: text.String()})
			text.Reset()
		}
	}
	if len(pending) > 0 {
		pending[len(pending)-1].SQL += text.String()
	}
	return pending
}

// withProcedures adds the procedures of ensure.sql and their removal.
func withProcedures(pending []Migration) []Migration {
	if len(pending) > 0 {
		pending[0].SQL = ensureSQL + "\n" + pending[0].SQL
		pending[len(pending)-1].SQL += ensureDropSQL
	}
	return pending
}
