package devdb

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// CreateDatabase creates an empty database in UTF-8. The name may be any; it is
// an error if the database exists.
func (c *Cluster) CreateDatabase(ctx context.Context, name string) error {
	return do(ctx, c.URL("postgres"), "create database", func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
		return err
	})
}

// EnsureDatabase creates a database as CreateDatabase does, unless it exists.
func (c *Cluster) EnsureDatabase(ctx context.Context, name string) error {
	err := c.CreateDatabase(ctx, name)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42P04" { // duplicate_database
		return nil
	}
	return err
}

// EnsureSupabaseRoles does what the function of the same name does.
func (c *Cluster) EnsureSupabaseRoles(ctx context.Context) error {
	return EnsureSupabaseRoles(ctx, c.URL("postgres"))
}

// EnsureSupabaseRoles creates the roles that a Supabase project has, as far as
// they are missing: anon, authenticated and service_role, which requests run as
// and which cannot log in, and supabase_auth_admin, which the auth server logs
// in as, with the password of the given superuser's URL. Roles that exist stay
// as they are. Roles belong to the whole cluster; any number of callers may do
// this at the same time.
func EnsureSupabaseRoles(ctx context.Context, superuserURL string) error {
	return do(ctx, superuserURL, "create the roles", func(conn *pgx.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			// CREATE ROLE knows no IF NOT EXISTS; the lock keeps two callers apart.
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('truegrant devdb roles'))`); err != nil {
				return err
			}
			for _, role := range supabaseRoles(conn.Config().Password) {
				if err := role.ensure(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// role is a role to create.
type role struct {
	name, attributes string
	password         string // empty: none
}

func supabaseRoles(adminPassword string) []role {
	return []role{
		{name: "anon", attributes: "NOLOGIN NOINHERIT"},
		{name: "authenticated", attributes: "NOLOGIN NOINHERIT"},
		{name: "service_role", attributes: "NOLOGIN NOINHERIT BYPASSRLS"},
		{name: "supabase_auth_admin", attributes: "LOGIN NOINHERIT CREATEROLE", password: adminPassword},
	}
}

func (r role) ensure(ctx context.Context, tx pgx.Tx) error {
	// A utility statement takes no parameters; the server quotes for it.
	var exists bool
	var literal string
	const query = `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1), quote_literal($2::text)`
	if err := tx.QueryRow(ctx, query, r.name, r.password).Scan(&exists, &literal); err != nil || exists {
		return err
	}
	statement := "CREATE ROLE " + pgx.Identifier{r.name}.Sanitize() + " " + r.attributes
	if r.password != "" {
		statement += " PASSWORD " + literal
	}
	_, err := tx.Exec(ctx, statement)
	return err
}

// do runs f on a superuser connection of its own. Errors say what was being
// done, and never the URL.
func do(ctx context.Context, url, what string, f func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("devdb: %s: %w", what, err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := f(conn); err != nil {
		return fmt.Errorf("devdb: %s: %w", what, err)
	}
	return nil
}
