package indexer

import (
	"errors"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/storage"
)

func TestWhatPasses(t *testing.T) {
	t.Parallel()
	require.True(t, passes(fmt.Errorf("indexer: %w", storage.ErrUnavailable)))
	require.True(t, passes(errors.Join(errors.New("index"), &pgconn.PgError{Code: "40P01"})))
	require.True(t, passes(errors.Join(&pgconn.PgError{Code: "42501"}, &pgconn.PgError{Code: "40P01"})))
	require.False(t, passes(&pgconn.PgError{Code: "42501"}))
	require.False(t, passes(errors.New("else")))
}
