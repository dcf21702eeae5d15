package devdb

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// CreateDatabase creates an empty database in UTF-8. The name may be any; it is
// an error if the database exists.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) error {
	return c.do(ctx, "create database", func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
		return err
	})
}

// EnsureSupabaseRoles creates the roles that a Supabase project has, as far as
// they are missing: anon, authenticated and service_role, which requests run as
// and which cannot log in, and supabase_auth_admin, which the auth server logs
// in as, with the cluster's password (the one in [Cluster.URL]). Roles belong
// to the whole cluster; any number of callers may do this at the same time.
func (c *Cluster) EnsureSupabaseRoles(ctx context.Context) error {
	return c.do(ctx, "create the roles", func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, rolesSQL); err != nil {
				return err
			}
			// A utility statement takes no parameters; format quotes the literal.
			var alter string
			err := tx.QueryRow(ctx, `SELECT format('ALTER ROLE supabase_auth_admin PASSWORD %L', $1::text)`, c.state.Password).Scan(&alter)
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, alter)
			return err
		})
	})
}

// CREATE ROLE knows no IF NOT EXISTS; the lock keeps two callers apart.
const rolesSQL = `
SELECT pg_advisory_xact_lock(hashtext('truegrant devdb roles'));
DO $$
DECLARE
	wanted record;
BEGIN
	FOR wanted IN
		SELECT * FROM (VALUES
			('anon',                'NOLOGIN NOINHERIT'),
			('authenticated',       'NOLOGIN NOINHERIT'),
			('service_role',        'NOLOGIN NOINHERIT BYPASSRLS'),
			('supabase_auth_admin', 'LOGIN NOINHERIT CREATEROLE')
		) AS r(name, attributes)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) THEN
			EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
		END IF;
	END LOOP;
END $$`

// do runs f on a superuser connection of its own. Errors say what was being
// done, and never the URL.
func (c *Cluster) do(ctx context.Context, what string, f func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, c.URL("postgres"))
	if err != nil {
		return fmt.Errorf("devdb: %s: %w", what, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := f(conn); err != nil {
		return fmt.Errorf("devdb: %s: %w", what, err)
	}
	return nil
}
