package main

import (
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/storage/dbtest"
)

// texts are the rows of a query with one text column.
func texts(t *testing.T, databaseURL, query string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), databaseURL)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	rows, err := conn.Query(t.Context(), query)
	require.NoError(t, err)
	found, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return found
}

func TestAdminUsers(t *testing.T) {
	t.Parallel()
	database := dbtest.New(t)
	env := append(environment(database, 1), "GOTRUE_JWT_AUD=authenticated")
	for _, args := range [][]string{
		{"Ada@Example.com", "x"}, {"bob@example.com", "x", "editor", "--admin", "--confirm"},
		{"eve@example.com", "x", "--admin", "-a", "elsewhere"},
	} {
		stdout, stderr, code := run(t, env, append([]string{"admin", "createuser"}, args...)...)
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "Created user: ")
	}
	query := `select concat_ws(' ', email, aud, role, email_confirmed_at is not null, raw_app_meta_data,
		encrypted_password ~ '^\$2a\$', (select count(*) from auth.identities)) from auth.users order by email`
	require.Equal(t, []string{
		"ada@example.com authenticated  f {} t 0", "bob@example.com authenticated editor t {} t 0",
		"eve@example.com elsewhere admin f {} t 0",
	}, texts(t, database, query))

	_, stderr, code := run(t, env, "admin", "createuser", "ADA@example.com", "y")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "truegrant: Error creating new user: user already exists\n")

	bob := texts(t, database, `select id::text from auth.users where email = 'bob@example.com'`)[0]
	for _, args := range [][]string{{"ADA@example.com"}, {bob}, {"eve@example.com", "--aud", "elsewhere"}} {
		stdout, stderr, code := run(t, env, append([]string{"admin", "deleteuser"}, args...)...)
		require.Zero(t, code, stderr)
		require.Equal(t, "Removed user: "+args[0]+"\n", stdout)
	}
	require.Empty(t, texts(t, database, query))
	for _, who := range []string{"ada@example.com", bob, "nonsense"} {
		_, stderr, code := run(t, env, "admin", "deleteuser", who)
		require.Equal(t, 1, code)
		require.Contains(t, stderr, "no such user")
	}
}

func TestAdminArguments(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		"Not enough arguments to createuser command. Expected at least email and password values": {"createuser", "ada@example.com"},
		"Not enough arguments to deleteuser command. Expected at least ID or email":               {"deleteuser"},
		"Unable to validate email address: invalid format":                                        {"createuser", "ada", "x"},
	} {
		_, stderr, code := run(t, nil, append([]string{"admin"}, args...)...)
		require.Equal(t, 1, code)
		require.Equal(t, "truegrant: "+want+"\n", stderr)
	}
}
