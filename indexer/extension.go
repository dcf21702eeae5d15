package indexer

import (
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/truegrant/truegrant/storage"
)

// extensions is the schema that extensions are created in, as Supabase has it.
// In public PostgREST would offer their functions to everybody; in our own
// namespace they would be in the way of whoever compares it.
const extensions = "extensions"

// definition completes an index's definition with the schema of the extension
// that it needs, which is created where that is possible.
func (w *Worker) definition(c *storage.Conn, index Index) (string, error) {
	if index.Extension == "" {
		return index.Using, nil
	}
	schema, err := extensionSchema(c, index.Extension)
	if errors.Is(err, storage.ErrNotFound) {
		if err = createExtension(c, index.Extension); err == nil {
			schema, err = extensionSchema(c, index.Extension)
		}
	}
	if err != nil {
		return "", fmt.Errorf("extension %s: %w", index.Extension, err)
	}
	return fmt.Sprintf(index.Using, pgx.Identifier{schema}.Sanitize()), nil
}

func extensionSchema(c *storage.Conn, name string) (schema string, err error) {
	err = c.Get(&schema, `select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace
		where e.extname = $1`, name)
	return schema, err
}

// createExtension needs the right to create in the database, and a server that
// has the extension's files.
func createExtension(c *storage.Conn, name string) error {
	if _, err := c.Exec(`create schema if not exists ` + extensions); err != nil {
		return err
	}
	_, err := c.Exec(`create extension if not exists ` + pgx.Identifier{name}.Sanitize() + ` with schema ` + extensions)
	return err
}
