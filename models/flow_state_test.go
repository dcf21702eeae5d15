package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/truegrant/truegrant/conf"
	"github.com/truegrant/truegrant/models"
	"github.com/truegrant/truegrant/storage"
	"github.com/truegrant/truegrant/storage/dbtest"
)

func TestSweepFlows(t *testing.T) {
	t.Parallel()
	db, err := storage.Open(conf.DB{URL: dbtest.New(t), Namespace: "auth", MaxPoolSize: 2, StatementCacheEnabled: true},
		storage.Options{ApplicationName: "models_test"})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	conn := db.Conn(t.Context())
	_, err = conn.Exec(`insert into flow_state (id, provider_type, authentication_method, created_at)
		select gen_random_uuid(), 'email', 'email/signup', at::timestamptz
		  from unnest(array['2026-01-01', '2026-01-02', '2026-01-03']) as at`)
	require.NoError(t, err)

	removed, err := models.SweepFlows(conn, time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.EqualValues(t, 2, removed)
	left := 0
	require.NoError(t, conn.Get(&left, `select count(*) from flow_state where created_at > '2026-01-02 12:00+00'`))
	require.Equal(t, 1, left)
}
