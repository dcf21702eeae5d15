package e2e_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/api/apitest"
)

// notes is a table of a project: people see all of theirs in the project's own
// app, and an OAuth client sees what they have shared with it.
const notes = `
CREATE TABLE public.notes (
	body        text PRIMARY KEY,
	owner       uuid NOT NULL DEFAULT auth.uid(),
	shared_with text
);
ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.notes TO authenticated
	USING (owner = auth.uid() AND auth.jwt() ->> 'client_id' IS NULL);
CREATE POLICY shared ON public.notes FOR SELECT TO authenticated
	USING (owner = auth.uid() AND shared_with = auth.jwt() ->> 'client_id');
-- What every database of a Supabase project grants.
GRANT USAGE ON SCHEMA public, auth TO anon, authenticated;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.notes TO anon, authenticated;`

// rlsProject is a project with notes.
type rlsProject struct {
	*project
	verifier *oidc.IDTokenVerifier
}

func newRLSProject(t *testing.T) *rlsProject {
	t.Helper()
	p := newProject(t)
	p.app.Exec(notes)
	provider, err := oidc.NewProvider(t.Context(), p.issuer)
	require.NoError(t, err)
	return &rlsProject{p, provider.Verifier(&oidc.Config{SkipClientIDCheck: true})}
}

// with runs do as the project's REST gateway would run a request with the
// token: once the token is verified with the published keys, in a transaction
// of the token's role that can read its claims.
func (p *rlsProject) with(t *testing.T, token string, do func(tx pgx.Tx) error) error {
	t.Helper()
	verified, err := p.verifier.Verify(t.Context(), token)
	require.NoError(t, err)
	var claims json.RawMessage
	require.NoError(t, verified.Claims(&claims))
	var role struct {
		Name string `json:"role"`
	}
	require.NoError(t, verified.Claims(&role))

	conn, err := pgx.Connect(t.Context(), p.app.Config.DB.URL)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	return pgx.BeginFunc(t.Context(), conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), "SELECT set_config('role', $1, true), set_config('request.jwt.claims', $2, true)",
			role.Name, string(claims))
		require.NoError(t, err)
		return do(tx)
	})
}

// visible are the notes that a request with the token sees.
func (p *rlsProject) visible(t *testing.T, token string) []string {
	t.Helper()
	var bodies []string
	require.NoError(t, p.with(t, token, func(tx pgx.Tx) error {
		rows, err := tx.Query(t.Context(), "SELECT body FROM public.notes ORDER BY body")
		if err != nil {
			return err
		}
		bodies, err = pgx.CollectRows(rows, pgx.RowTo[string])
		return err
	}))
	return bodies
}

// changes runs one statement with the token and returns how many rows it has
// changed.
func (p *rlsProject) changes(t *testing.T, token, statement string, args ...any) (int64, error) {
	t.Helper()
	var changed int64
	err := p.with(t, token, func(tx pgx.Tx) error {
		tag, err := tx.Exec(t.Context(), statement, args...)
		changed = tag.RowsAffected()
		return err
	})
	return changed, err
}

func TestRowLevelSecurity(t *testing.T) {
	t.Parallel()
	p := newRLSProject(t)
	ada, bob := p.app.User(t), p.app.User(t)
	reader, other := p.app.Client(t), p.app.Client(t, apitest.Public)
	for i, note := range []struct{ token, shared string }{
		{ada.AccessToken, ""}, {ada.AccessToken, reader.ID}, {ada.AccessToken, other.ID},
		{bob.AccessToken, reader.ID},
	} {
		// The owner is auth.uid() of the request, by the table's default.
		inserted, err := p.changes(t, note.token,
			"INSERT INTO public.notes (body, shared_with) VALUES ($1, $2)", fmt.Sprintf("note %d", i), note.shared)
		require.NoError(t, err)
		require.EqualValues(t, 1, inserted)
	}
	readers := p.app.Grant(t, ada, reader)
	others := p.app.Grant(t, ada, other)

	require.Equal(t, []string{"note 0", "note 1", "note 2"}, p.visible(t, ada.AccessToken))
	require.Equal(t, []string{"note 3"}, p.visible(t, bob.AccessToken))
	require.Equal(t, []string{"note 1"}, p.visible(t, readers.AccessToken))
	require.Equal(t, []string{"note 2"}, p.visible(t, others.AccessToken))

	refreshed := p.app.RefreshGrant(reader, readers.RefreshToken).OK()
	require.IsType(t, "", refreshed["access_token"])
	require.Equal(t, []string{"note 1"}, p.visible(t, refreshed["access_token"].(string)),
		"a refreshed token is the client's still")
}

func TestRowLevelSecurityForbidsWriting(t *testing.T) {
	t.Parallel()
	p := newRLSProject(t)
	ada := p.app.User(t)
	client := p.app.Client(t)
	_, err := p.changes(t, ada.AccessToken, "INSERT INTO public.notes (body, shared_with) VALUES ('note', $1)", client.ID)
	require.NoError(t, err)
	tokens := p.app.Grant(t, ada, client)
	require.Equal(t, []string{"note"}, p.visible(t, tokens.AccessToken))

	for _, statement := range []string{"UPDATE public.notes SET shared_with = ''", "DELETE FROM public.notes"} {
		changed, err := p.changes(t, tokens.AccessToken, statement)
		require.NoError(t, err)
		require.Zero(t, changed, statement)
	}
	_, err = p.changes(t, tokens.AccessToken, "INSERT INTO public.notes (body) VALUES ('forged')")
	var refused *pgconn.PgError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "42501", refused.Code) // insufficient_privilege

	changed, err := p.changes(t, ada.AccessToken, "DELETE FROM public.notes")
	require.NoError(t, err)
	require.EqualValues(t, 1, changed)
}
