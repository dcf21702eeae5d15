package apitest

import (
	"errors"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/storage"
)

// Statements runs do and returns the number of SQL statements that this server
// sent meanwhile, BEGIN and COMMIT not counted.
func (a *App) Statements(do func()) int {
	before := a.statements.Total()
	do()
	return int(a.statements.Total() - before)
}

// Exec runs SQL as the test itself, not counted.
func (a *App) Exec(query string, args ...any) {
	a.t.Helper()
	_, err := a.db.Conn(a.t.Context()).Exec(query, args...)
	require.NoError(a.t, err)
}

// Text reads one value as text, "" for NULL and when there is no row. The
// query casts what is no text.
func (a *App) Text(query string, args ...any) string {
	a.t.Helper()
	var value *string
	err := a.db.Conn(a.t.Context()).Get(&value, query, args...)
	if value == nil || errors.Is(err, storage.ErrNotFound) {
		return ""
	}
	require.NoError(a.t, err)
	return *value
}

// Count reads one number, such as a count(*).
func (a *App) Count(query string, args ...any) int {
	a.t.Helper()
	var value int
	require.NoError(a.t, a.db.Conn(a.t.Context()).Get(&value, query, args...))
	return value
}

// Texts reads a column as text.
func (a *App) Texts(query string, args ...any) []string {
	a.t.Helper()
	values := []string{}
	require.NoError(a.t, a.db.Conn(a.t.Context()).Select(&values, query, args...))
	return values
}

// Snapshot describes the content of every table of the schema: the number of
// rows and a digest of them. Two that are equal prove that nothing was written.
func (a *App) Snapshot() map[string]string {
	a.t.Helper()
	var tables []struct {
		Name string `db:"name"`
		Rows string `db:"rows"`
	}
	require.NoError(a.t, a.db.Conn(a.t.Context()).Select(&tables, `
		select table_name as name, (xpath('/row/rows/text()', query_to_xml(format(
			'select count(*) || '' '' || coalesce(md5(string_agg(r::text, '''' order by r::text)), '''') as rows from auth.%I r',
			table_name), false, true, '')))[1]::text as rows
		from information_schema.tables where table_schema = 'auth' and table_type = 'BASE TABLE'`))
	snapshot := make(map[string]string, len(tables))
	for _, table := range tables {
		snapshot[table.Name] = table.Rows
	}
	return snapshot
}
